//! The reconciler's writes: what is seen of clusters and instances, and what is confirmed gone.
//!
//! Each shows its lease, and touches rows of that lease's member only: a replica that lost it changes nothing, and a
//! label that somebody put on one member never changes what is known of another.

use serde::Serialize;
use types::{ClusterId, ClusterName, Error, InstanceId, InstanceStatus, MemberId, Result, Step, Subject, Timestamp, UserId};

use crate::{
    Fact, InstanceObserved, Lease, Observations, Tx,
    dialect::{Column, rows_of, update_from},
    random::random_word,
    sql::{self, storable},
};

/// A new observation of one instance.
#[derive(Debug, Clone)]
pub struct InstanceObservation {
    /// Which one.
    pub id: InstanceId,
    /// What it is called.
    pub name: String,
    /// What it was when it was last written.
    pub before: InstanceStatus,
    /// What is seen now.
    pub observed: InstanceObserved,
}

/// What a pass has to say of a cluster as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterObservation {
    /// The generation that this pass carried out completely; `None` while something is left to do.
    pub carried_out: Option<i64>,
    /// Why the cluster is not where it should be: a blocked delete, a refused guardrail.
    pub reason: Option<String>,
    /// A sentence for it.
    pub message: Option<String>,
}

/// An instance's observation on its way into [`rows_of`].
#[derive(Serialize)]
struct ObservedRow {
    id: i64,
    status: &'static str,
    observed_generation: i64,
    reason: Option<String>,
    message: Option<String>,
    ip: Option<String>,
    node: Option<String>,
    incarnation: Option<String>,
    /// Since when, where the status is another one.
    since: Option<i64>,
    at: i64,
}

const OBSERVED: [(&str, Column); 10] = [
    ("id", Column::Number),
    ("status", Column::Text),
    ("observed_generation", Column::Number),
    ("reason", Column::Text),
    ("message", Column::Text),
    ("ip", Column::Text),
    ("node", Column::Text),
    ("incarnation", Column::Text),
    ("since", Column::Number),
    ("at", Column::Number),
];

const ASSIGNED: [(&str, &str); 9] = [
    ("status_since", "COALESCE(v.since, instances.status_since)"),
    ("status", "v.status"),
    ("observed_generation", "v.observed_generation"),
    ("reason", "v.reason"),
    ("message", "v.message"),
    ("ip", "v.ip"),
    ("node", "v.node"),
    ("incarnation", "v.incarnation"),
    ("updated_at", "v.at"),
];

impl Observations {
    /// Records that the namespace is ours.
    pub async fn namespace_record(&self, lease: &Lease, id: ClusterId, uid: &str) -> Result<()> {
        self.fenced(lease, Step::NamespaceRecord, |tx, member| async move {
            let sql = "UPDATE clusters SET namespace_uid = ? WHERE id = ? AND member_id = ?";
            tx.defer(sql, [uid.into(), id.0.into(), member.0.into()]).await?;
            Ok(())
        })
        .await
    }

    /// Gives the cluster another namespace name, the present one being somebody else's. Answers the new name.
    pub async fn namespace_rename(&self, lease: &Lease, id: ClusterId) -> Result<String> {
        self.fenced(lease, Step::NamespaceRename, |tx, member| async move {
            let sql = "SELECT name FROM clusters WHERE id = ? AND member_id = ?";
            let name: Option<String> = sql::scalar(tx.connection().await?, sql, [id.0.into(), member.0.into()]).await?;
            let name = ClusterName::stored(name.ok_or(Error::NotFound { what: "Cluster" })?);
            let namespace = name.namespace_with(&random_word(6));
            let sql = "UPDATE clusters SET namespace = ?, namespace_uid = NULL WHERE id = ? AND member_id = ?";
            let renamed = sql::execute_unless_taken(tx.connection().await?, sql, [namespace.as_str().into(), id.0.into(), member.0.into()]).await?;
            renamed.map(|_| namespace).ok_or(Error::Contended)
        })
        .await
    }

    /// Writes what a pass has seen, in one transaction: of the cluster, where there is news of it, and of `instances`, in one
    /// statement. What was carried out is not due any more, and each instance whose status is another one is an event.
    pub async fn status_write(
        &self,
        lease: &Lease,
        owner: UserId,
        id: ClusterId,
        cluster: Option<&ClusterObservation>,
        instances: &[InstanceObservation],
    ) -> Result<()> {
        self.fenced(lease, Step::StatusWrite, |tx, member| async move {
            if let Some(cluster) = cluster {
                tx.cluster_observed(member, id, cluster).await?;
            }
            if !instances.is_empty() {
                tx.instances_observed(instances).await?;
                let changed = instances.iter().filter(|seen| seen.before != seen.observed.status);
                tx.observe(changed.map(|seen| fact(owner, seen)).collect()).await?;
            }
            Ok(())
        })
        .await
    }

    /// Drops scaled-down instances and what they took, their compute being confirmed gone.
    pub async fn instance_release(&self, lease: &Lease, cluster: ClusterId, ids: &[InstanceId]) -> Result<()> {
        self.fenced(lease, Step::InstanceRelease, |tx, member| async move {
            for id in ids {
                let gone = "SELECT i.id FROM instances i JOIN clusters c ON c.id = i.cluster_id WHERE i.id = ? AND i.deleting = ? AND c.id = ? AND c.member_id = ?";
                let values = [id.0.into(), true.into(), cluster.0.into(), member.0.into()];
                if sql::scalar::<i64>(tx.connection().await?, gone, values).await?.is_none() {
                    continue;
                }
                sql::execute(tx.connection().await?, "DELETE FROM allocations WHERE instance_id = ?", [id.0.into()]).await?;
                tx.defer("DELETE FROM instances WHERE id = ?", [id.0.into()]).await?;
            }
            Ok(())
        })
        .await
    }

    /// Gives back what a deleted cluster took, its compute being confirmed gone. Repeating it changes nothing.
    pub async fn allocation_release(&self, lease: &Lease, id: ClusterId) -> Result<()> {
        self.fenced(lease, Step::AllocationRelease, |tx, member| async move {
            sql::execute(
                tx.connection().await?,
                "DELETE FROM allocations WHERE cluster_id = ? \
                 AND EXISTS (SELECT 1 FROM clusters c WHERE c.id = ? AND c.member_id = ? AND c.deleting_at IS NOT NULL)",
                [id.0.into(), id.0.into(), member.0.into()],
            )
            .await?;
            Ok(())
        })
        .await
    }

    /// Drops a deleted cluster, its namespace being confirmed gone.
    pub async fn cluster_remove(&self, lease: &Lease, id: ClusterId) -> Result<()> {
        self.fenced(lease, Step::ClusterRemove, |tx, member| async move {
            let sql = "SELECT owner_id, name FROM clusters WHERE id = ? AND member_id = ? AND deleting_at IS NOT NULL";
            let Some(row) = sql::raw(tx.connection().await?, sql, [id.0.into(), member.0.into()]).await?.pop() else { return Ok(()) };
            let owner = UserId(row.try_get("", "owner_id").map_err(crate::error::db)?);
            let name = row.try_get("", "name").map_err(crate::error::db)?;
            tx.cluster_drop(id).await?;
            tx.work_drop(member, Subject::Cluster(id)).await?;
            tx.observe(vec![Fact::ClusterRemoved { cluster: id, owner, name }]).await
        })
        .await
    }
}

impl Tx {
    async fn cluster_observed(&self, member: MemberId, id: ClusterId, cluster: &ClusterObservation) -> Result<()> {
        let ClusterObservation { carried_out, reason, message } = cluster;
        let sql =
            "UPDATE clusters SET observed_generation = COALESCE(?, observed_generation), reason = ?, message = ? WHERE id = ? AND member_id = ?";
        let values = [(*carried_out).into(), short(reason.as_deref()).into(), sentence(message.as_deref()).into(), id.0.into(), member.0.into()];
        self.defer(sql, values).await?;
        if let Some(generation) = carried_out {
            self.work_done(member, Subject::Cluster(id), *generation).await?;
        }
        Ok(())
    }

    async fn instances_observed(&self, seen: &[InstanceObservation]) -> Result<()> {
        let now = Timestamp::now().0;
        let rows: Vec<ObservedRow> = seen.iter().map(|seen| row(seen, now)).collect();
        let rows = serde_json::to_string(&rows).map_err(Error::internal)?;
        let source = rows_of(self.backend(), &OBSERVED);
        let sql = update_from(self.backend(), "instances", &source, &ASSIGNED);
        self.defer(sql, [rows.into()]).await?;
        Ok(())
    }
}

fn row(seen: &InstanceObservation, now: i64) -> ObservedRow {
    let InstanceObservation { id, name: _, before, observed } = seen;
    let InstanceObserved { status, generation, reason, message, ip, node, incarnation } = observed;
    ObservedRow {
        id: id.0,
        status: status.as_str(),
        observed_generation: *generation,
        reason: short(reason.as_deref()),
        message: sentence(message.as_deref()),
        ip: storable(ip.as_deref(), 64),
        node: storable(node.as_deref(), 255),
        incarnation: storable(incarnation.as_deref(), 63),
        since: (status != before).then_some(now),
        at: now,
    }
}

fn fact(owner: UserId, seen: &InstanceObservation) -> Fact {
    let InstanceObservation { id, name, before, observed } = seen;
    Fact::InstanceChanged { instance: *id, owner, name: name.clone(), from: *before, to: observed.status, reason: short(observed.reason.as_deref()) }
}

/// A member's words are not ours to trust: a reason is cut to its column.
fn short(reason: Option<&str>) -> Option<String> {
    storable(reason, 250)
}

/// A message is cut to what somebody reads.
fn sentence(message: Option<&str>) -> Option<String> {
    storable(message, 4000)
}
