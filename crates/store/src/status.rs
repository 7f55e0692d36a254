//! The reconciler's side: intent to read, observations to write.
//!
//! Every write has a name ([`Step`], a failpoint) and shows its lease: a replica that lost it changes nothing.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Value};
use types::{Bytes, ClusterId, ClusterName, Error, InstanceId, MemberId, MilliCpu, Result, Step, Timestamp, UserId, failpoint};

use crate::{
    Lease, Store, Tx,
    entity::{cluster, instance},
    error::{db, is_duplicate},
    instance::{parse_desired, parse_status},
    intent::{ClusterIntent, ClusterObservation, InstanceIntent, InstanceObservation, InstanceObserved},
    tx::random_word,
};

impl Store {
    /// Clusters whose intent is newer than what was carried out, or that are being deleted.
    pub async fn clusters_dirty(&self, member: MemberId) -> Result<Vec<ClusterId>> {
        let dirty = self
            .sql("SELECT id FROM clusters WHERE member_id = ? AND (generation > observed_generation OR deleting_at IS NOT NULL)", [member.0.into()]);
        let rows = self.reader().query_all_raw(dirty).await.map_err(db)?;
        rows.iter().map(|row| row.try_get("", "id").map(ClusterId).map_err(db)).collect()
    }

    /// All clusters of a member.
    pub async fn clusters_on(&self, member: MemberId) -> Result<Vec<ClusterId>> {
        let ids = cluster::Entity::find()
            .filter(cluster::Column::MemberId.eq(member.0))
            .select_only()
            .column(cluster::Column::Id)
            .into_tuple::<i64>()
            .all(self.reader())
            .await
            .map_err(db)?;
        Ok(ids.into_iter().map(ClusterId).collect())
    }

    /// Everything that reconciling needs to know of a cluster. `None`: it is gone.
    pub async fn cluster_intent(&self, id: ClusterId) -> Result<Option<ClusterIntent>> {
        let Some(row) = cluster::Entity::find_by_id(id.0).one(self.reader()).await.map_err(db)? else { return Ok(None) };
        let rows = instance::Entity::find()
            .filter(instance::Column::ClusterId.eq(id.0))
            .order_by_asc(instance::Column::Ordinal)
            .all(self.reader())
            .await
            .map_err(db)?;
        Ok(Some(ClusterIntent {
            id,
            owner: UserId(row.owner_id),
            member: MemberId(row.member_id),
            name: ClusterName::parse(&row.name).map_err(Error::Internal)?,
            namespace: row.namespace,
            namespace_uid: row.namespace_uid,
            claim: row.claim,
            instance_type: crate::cluster::parse_type(row.id, &row.instance_type)?,
            cpu: MilliCpu(row.cpu_milli),
            memory: Bytes(row.memory_bytes),
            disk: row.disk_bytes.map(Bytes),
            image: row.image,
            ssh_public_key: row.ssh_public_key,
            cloud_init: row.cloud_init,
            generation: row.generation,
            observed_generation: row.observed_generation,
            deleting: row.deleting_at.is_some(),
            instances: rows.into_iter().map(instance_intent).collect::<Result<_>>()?,
        }))
    }

    /// Records that the namespace is ours.
    pub async fn namespace_record(&self, lease: &Lease, id: ClusterId, uid: &str) -> Result<()> {
        failpoint::at(Step::NamespaceRecord, async {
            let tx = self.begin_fenced(lease).await?;
            tx.execute("UPDATE clusters SET namespace_uid = ? WHERE id = ?", [uid.into(), id.0.into()]).await?;
            tx.commit().await
        })
        .await
    }

    /// Gives the cluster another namespace name, the present one being somebody else's. Answers the new name.
    pub async fn namespace_rename(&self, lease: &Lease, id: ClusterId) -> Result<String> {
        failpoint::at(Step::NamespaceRename, async {
            let tx = self.begin_fenced(lease).await?;
            let row = cluster::Entity::find_by_id(id.0).one(&tx.tx).await.map_err(db)?;
            let row = row.ok_or(Error::NotFound { what: "Cluster" })?;
            let name = ClusterName::parse(&row.name).map_err(Error::Internal)?;
            let namespace = name.namespace_with(&random_word(6));
            let values: [Value; 2] = [namespace.as_str().into(), id.0.into()];
            let renamed = tx.tx.execute_raw(tx.sql("UPDATE clusters SET namespace = ?, namespace_uid = NULL WHERE id = ?", values)).await;
            renamed.map_err(|e| match is_duplicate(&e) {
                true => Error::Unavailable { message: "the random name is taken".into(), retry_after_seconds: 1 },
                false => db(e),
            })?;
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
            tx.execute(
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
                tx.execute("DELETE FROM allocations WHERE instance_id = ?", [id.0.into()]).await?;
                tx.execute("DELETE FROM instances WHERE id = ? AND deleting = ?", [id.0.into(), true.into()]).await?;
            }
            tx.commit().await
        })
        .await
    }

    /// Gives back what a deleted cluster took, its compute being confirmed gone. Repeating it changes nothing.
    pub async fn allocation_release(&self, lease: &Lease, id: ClusterId) -> Result<()> {
        failpoint::at(Step::AllocationRelease, async {
            let tx = self.begin_fenced(lease).await?;
            tx.execute(
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
                tx.execute(sql, [id.0.into()]).await?;
            }
            tx.commit().await
        })
        .await
    }
}

impl Tx {
    async fn instance_observed(&self, observation: &InstanceObservation, now: i64) -> Result<()> {
        let InstanceObservation { id, observed } = observation;
        let InstanceObserved { status, generation, reason, message, ip, node } = observed;
        let status = status.as_str();
        // MySQL evaluates assignments from left to right: status_since must come before status.
        self.execute(
            "UPDATE instances SET status_since = CASE WHEN status = ? THEN status_since ELSE ? END, status = ?, observed_generation = ?, \
             reason = ?, message = ?, ip = ?, node = ?, updated_at = ? WHERE id = ?",
            [
                status.into(),
                now.into(),
                status.into(),
                (*generation).into(),
                short(reason.as_deref()).into(),
                sentence(message.as_deref()).into(),
                ip.clone().into(),
                node.clone().into(),
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

fn instance_intent(row: instance::Model) -> Result<InstanceIntent> {
    Ok(InstanceIntent {
        id: InstanceId(row.id),
        ordinal: row.ordinal,
        name: row.name,
        desired: parse_desired(row.id, &row.desired)?,
        generation: row.generation,
        start_generation: row.start_generation,
        deleting: row.deleting,
        observed: InstanceObserved {
            status: parse_status(row.id, &row.status)?,
            generation: row.observed_generation,
            reason: row.reason,
            message: row.message,
            ip: row.ip,
            node: row.node,
        },
    })
}
