//! The reconciler's writes: what is seen of clusters and instances, and what is confirmed gone.
//!
//! Every write has a name ([`Step`], a failpoint) and shows its lease: a replica that lost it changes nothing.

use types::{ClusterId, ClusterName, Error, InstanceId, Result, Step, Timestamp, failpoint};

use crate::{InstanceObserved, Lease, Store, Tx, random::random_word, sql};

/// A new observation of one instance.
#[derive(Debug, Clone)]
pub struct InstanceObservation {
    /// Which one.
    pub id: InstanceId,
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

impl Store {
    /// Records that the namespace is ours.
    pub async fn namespace_record(&self, lease: &Lease, id: ClusterId, uid: &str) -> Result<()> {
        failpoint::at(Step::NamespaceRecord, async {
            let tx = self.begin_fenced(lease).await?;
            sql::execute(&tx.tx, "UPDATE clusters SET namespace_uid = ? WHERE id = ?", [uid.into(), id.0.into()]).await?;
            tx.commit().await
        })
        .await
    }

    /// Gives the cluster another namespace name, the present one being somebody else's. Answers the new name.
    pub async fn namespace_rename(&self, lease: &Lease, id: ClusterId) -> Result<String> {
        failpoint::at(Step::NamespaceRename, async {
            let tx = self.begin_fenced(lease).await?;
            let name: Option<String> = sql::scalar(&tx.tx, "SELECT name FROM clusters WHERE id = ?", [id.0.into()]).await?;
            let name = ClusterName::stored(name.ok_or(Error::NotFound { what: "Cluster" })?);
            let namespace = name.namespace_with(&random_word(6));
            let sql = "UPDATE clusters SET namespace = ?, namespace_uid = NULL WHERE id = ?";
            if sql::execute_unless_taken(&tx.tx, sql, [namespace.as_str().into(), id.0.into()]).await?.is_none() {
                return Err(Error::Unavailable { message: "the random name is taken".into(), retry_after_seconds: 1 });
            }
            tx.commit().await?;
            Ok(namespace)
        })
        .await
    }

    /// Writes what a pass has seen, in one transaction.
    pub async fn status_write(&self, lease: &Lease, id: ClusterId, cluster: &ClusterObservation, instances: &[InstanceObservation]) -> Result<()> {
        failpoint::at(Step::StatusWrite, async {
            let tx = self.begin_fenced(lease).await?;
            let ClusterObservation { carried_out, reason, message } = cluster;
            sql::execute(
                &tx.tx,
                "UPDATE clusters SET observed_generation = COALESCE(?, observed_generation), reason = ?, message = ? WHERE id = ?",
                [(*carried_out).into(), short(reason.as_deref()).into(), sentence(message.as_deref()).into(), id.0.into()],
            )
            .await?;
            let now = Timestamp::now().0;
            for observation in instances {
                tx.instance_observed(observation, now).await?;
            }
            tx.commit().await
        })
        .await
    }

    /// Drops scaled-down instances and what they took, their compute being confirmed gone.
    pub async fn instance_release(&self, lease: &Lease, ids: &[InstanceId]) -> Result<()> {
        failpoint::at(Step::InstanceRelease, async {
            let tx = self.begin_fenced(lease).await?;
            for id in ids {
                sql::execute(&tx.tx, "DELETE FROM allocations WHERE instance_id = ?", [id.0.into()]).await?;
                sql::execute(&tx.tx, "DELETE FROM instances WHERE id = ? AND deleting = ?", [id.0.into(), true.into()]).await?;
            }
            tx.commit().await
        })
        .await
    }

    /// Gives back what a deleted cluster took, its compute being confirmed gone. Repeating it changes nothing.
    pub async fn allocation_release(&self, lease: &Lease, id: ClusterId) -> Result<()> {
        failpoint::at(Step::AllocationRelease, async {
            let tx = self.begin_fenced(lease).await?;
            sql::execute(
                &tx.tx,
                "DELETE FROM allocations WHERE cluster_id = ? AND EXISTS (SELECT 1 FROM clusters c WHERE c.id = ? AND c.deleting_at IS NOT NULL)",
                [id.0.into(), id.0.into()],
            )
            .await?;
            tx.commit().await
        })
        .await
    }

    /// Drops a deleted cluster, its namespace being confirmed gone.
    pub async fn cluster_remove(&self, lease: &Lease, id: ClusterId) -> Result<()> {
        failpoint::at(Step::ClusterRemove, async {
            let tx = self.begin_fenced(lease).await?;
            for sql in [
                "DELETE FROM allocations WHERE cluster_id = ?",
                "DELETE FROM instances WHERE cluster_id = ?",
                "DELETE FROM clusters WHERE id = ? AND deleting_at IS NOT NULL",
            ] {
                sql::execute(&tx.tx, sql, [id.0.into()]).await?;
            }
            tx.commit().await
        })
        .await
    }
}

impl Tx {
    async fn instance_observed(&self, observation: &InstanceObservation, now: i64) -> Result<()> {
        let InstanceObservation { id, observed } = observation;
        let InstanceObserved { status, generation, reason, message, ip, node, incarnation } = observed;
        let status = status.as_str();
        // MySQL evaluates assignments from left to right: status_since must come before status.
        sql::execute(
            &self.tx,
            "UPDATE instances SET status_since = CASE WHEN status = ? THEN status_since ELSE ? END, status = ?, observed_generation = ?, \
             reason = ?, message = ?, ip = ?, node = ?, incarnation = ?, updated_at = ? WHERE id = ?",
            [
                status.into(),
                now.into(),
                status.into(),
                (*generation).into(),
                short(reason.as_deref()).into(),
                sentence(message.as_deref()).into(),
                ip.clone().into(),
                node.clone().into(),
                incarnation.clone().into(),
                now.into(),
                id.0.into(),
            ],
        )
        .await?;
        Ok(())
    }
}

/// A member's words are not ours to trust: a reason is cut to its column.
fn short(reason: Option<&str>) -> Option<String> {
    storable(reason, 250)
}

/// A message is cut to what somebody reads.
fn sentence(message: Option<&str>) -> Option<String> {
    storable(message, 4000)
}

/// PostgreSQL stores no NUL.
fn storable(text: Option<&str>, most: usize) -> Option<String> {
    text.map(|text| text.chars().filter(|c| *c != '\0').take(most).collect())
}
