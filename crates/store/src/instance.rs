//! Instances as their owners see them, and the part of them that is intent.

use std::{iter, ops::RangeInclusive};

use sea_orm::{DbErr, FromQueryResult, QueryResult, Value};
use types::{ClusterId, ClusterName, Desired, InstanceId, InstanceStatus, InstanceType, MemberId, Operation, Result, Timestamp, UserId};

use crate::{
    Intents, Tx,
    cluster::{OF_OWNER, Whose, of_owner},
    intent::InstanceIntent,
    sql::{self, word},
};

/// An instance with what its answers need of its cluster.
#[derive(Debug, Clone)]
pub struct InstanceRow {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Whose it is.
    pub owner: UserId,
    /// Where it lives.
    pub member: MemberId,
    /// Since when that place has not answered: what was seen last is as old.
    pub stale_since: Option<Timestamp>,
    /// Where it lives in the member.
    pub namespace: String,
    /// Pod or VM.
    pub instance_type: InstanceType,
    /// Whether a persistent disk outlives a stop.
    pub has_disk: bool,
    /// Its cluster is on its way out.
    pub cluster_deleting: bool,
    /// Intent and observation.
    pub intent: InstanceIntent,
    /// Since when it is in its state.
    pub since: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last seen to change.
    pub updated_at: Timestamp,
}

const SELECT: &str = "SELECT i.*, c.member_id, c.namespace, c.instance_type, c.disk_bytes, c.deleting_at, c.owner_id, m.unreachable_since \
                      FROM instances i JOIN clusters c ON c.id = i.cluster_id JOIN members m ON m.id = c.member_id";

impl FromQueryResult for InstanceRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            cluster: ClusterId(row.try_get(prefix, "cluster_id")?),
            owner: UserId(row.try_get(prefix, "owner_id")?),
            member: MemberId(row.try_get(prefix, "member_id")?),
            stale_since: row.try_get::<Option<i64>>(prefix, "unreachable_since")?.map(Timestamp),
            namespace: row.try_get(prefix, "namespace")?,
            instance_type: word(row, prefix, "instance_type", InstanceType::parse)?,
            has_disk: row.try_get::<Option<i64>>(prefix, "disk_bytes")?.is_some(),
            cluster_deleting: row.try_get::<Option<i64>>(prefix, "deleting_at")?.is_some(),
            intent: InstanceIntent::from_query_result(row, prefix)?,
            since: Timestamp(row.try_get(prefix, "status_since")?),
            created_at: Timestamp(row.try_get(prefix, "created_at")?),
            updated_at: Timestamp(row.try_get(prefix, "updated_at")?),
        })
    }
}

impl InstanceRow {
    /// Whether the instance is where it should be, or has failed to get there.
    pub fn settled(&self) -> bool {
        let InstanceIntent { desired, generation, ref observed, .. } = self.intent;
        observed.generation == generation && observed.status.settles(desired)
    }
}

impl Intents {
    /// An instance.
    pub async fn instance(&self, whose: Whose, id: InstanceId) -> Result<Option<InstanceRow>> {
        let sql = format!("{SELECT} WHERE i.id = ? AND {OF_OWNER}");
        sql::row(self.pool().reader(), &sql, iter::once(id.0.into()).chain(of_owner(whose))).await
    }

    /// The instances of one cluster behind ordinal `after`, in order.
    pub async fn instances(&self, whose: Whose, cluster: ClusterId, after: i32, limit: u64) -> Result<Vec<InstanceRow>> {
        let sql = format!("{SELECT} WHERE i.cluster_id = ? AND {OF_OWNER} AND i.deleting = ? AND i.ordinal > ? ORDER BY i.ordinal LIMIT ?");
        let values = iter::once(cluster.0.into()).chain(of_owner(whose)).chain([false.into(), after.into(), sql::at_most(limit)]);
        sql::rows(self.pool().reader(), &sql, values).await
    }
}

/// An instance that is not where it should be, and has not failed to get there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    /// Which one.
    pub id: InstanceId,
    /// Something that has a name stands in its way.
    pub in_trouble: bool,
}

impl FromQueryResult for Unsettled {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self { id: InstanceId(row.try_get(prefix, "id")?), in_trouble: row.try_get::<Option<String>>(prefix, "reason")?.is_some() })
    }
}

impl Intents {
    /// Instances of a cluster for which [`InstanceRow::settled`] is not so, those on their way out apart.
    pub async fn unsettled(&self, cluster: ClusterId) -> Result<Vec<Unsettled>> {
        let sql = "SELECT i.id, i.reason FROM instances i JOIN clusters c ON c.id = i.cluster_id \
                   WHERE i.cluster_id = ? AND i.deleting = ? AND c.deleting_at IS NULL \
                   AND NOT (i.observed_generation = i.generation AND (i.status = i.desired OR i.status = ? OR (i.desired = ? AND i.status = ?)))";
        let words = [InstanceStatus::Failed.as_str(), Desired::Suspended.as_str(), InstanceStatus::Stopped.as_str()];
        let values = [cluster.0.into(), false.into()].into_iter().chain(words.map(Into::into));
        sql::rows(self.pool().reader(), sql, values).await
    }
}

/// Rows of one INSERT: the smallest limit on bound values is SQLite's 32,766.
const ROWS_AT_ONCE: usize = 500;

impl Tx {
    /// Adds instances with these ordinals, wanted running.
    pub async fn instances_insert(&self, cluster: ClusterId, name: &ClusterName, ordinals: RangeInclusive<i32>) -> Result<()> {
        let now = Timestamp::now().0;
        let ordinals: Vec<i32> = ordinals.collect();
        for chunk in ordinals.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "INSERT INTO instances (cluster_id, ordinal, name, desired, generation, start_generation, deleting, created_at, \
                 status, observed_generation, status_since, updated_at) VALUES {}",
                vec!["(?, ?, ?, ?, 1, 1, ?, ?, ?, 0, ?, ?)"; chunk.len()].join(", ")
            );
            let values = chunk.iter().flat_map(|ordinal| -> [Value; 9] {
                [
                    cluster.0.into(),
                    (*ordinal).into(),
                    name.instance(*ordinal).into(),
                    Desired::Running.as_str().into(),
                    false.into(),
                    now.into(),
                    InstanceStatus::Pending.as_str().into(),
                    now.into(),
                    now.into(),
                ]
            });
            self.defer(sql, values).await?;
        }
        Ok(())
    }

    /// All instances of a cluster, those being scaled away included, lowest ordinal first.
    pub async fn instances_of(&self, cluster: ClusterId) -> Result<Vec<InstanceRow>> {
        sql::rows(self.connection().await?, &format!("{SELECT} WHERE i.cluster_id = ? ORDER BY i.ordinal"), [cluster.0.into()]).await
    }

    /// Writes a tenant's wish for one instance. `false`: it changed in the meantime and is not at `seen` any more.
    pub async fn instance_operate(&self, id: InstanceId, seen: i64, operation: Operation) -> Result<bool> {
        let wakes = i64::from(operation.target() == Desired::Running);
        let sql = "UPDATE instances SET desired = ?, generation = generation + 1, start_generation = start_generation + ? \
                   WHERE id = ? AND generation = ? AND deleting = ?";
        let values = [operation.target().as_str().into(), wakes.into(), id.0.into(), seen.into(), false.into()];
        Ok(sql::execute(self.connection().await?, sql, values).await? == 1)
    }

    /// Writes a tenant's wish for these instances. The caller has decided under [`Tx::cluster_lock`] that it applies to each.
    pub async fn instances_operate(&self, ids: &[InstanceId], operation: Operation) -> Result<()> {
        let wakes = i64::from(operation.target() == Desired::Running);
        for chunk in ids.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "UPDATE instances SET desired = ?, generation = generation + 1, start_generation = start_generation + ? WHERE id IN ({})",
                vec!["?"; chunk.len()].join(", ")
            );
            let values = [operation.target().as_str().into(), wakes.into()].into_iter().chain(chunk.iter().map(|id| id.0.into()));
            self.defer(sql, values).await?;
        }
        Ok(())
    }

    /// Marks instances for removal; their quota is given back once their compute is confirmed gone.
    pub async fn instances_scale_away(&self, cluster: ClusterId, above: i32) -> Result<()> {
        self.defer(
            "UPDATE instances SET deleting = ?, generation = generation + 1 WHERE cluster_id = ? AND ordinal > ? AND deleting = ?",
            [true.into(), cluster.0.into(), above.into(), false.into()],
        )
        .await?;
        Ok(())
    }
}
