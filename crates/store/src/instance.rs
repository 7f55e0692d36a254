//! Instances as their owners see them, and the part of them that is intent.

use sea_orm::{ConnectionTrait, FromQueryResult, QueryResult};
use types::{ClusterId, ClusterName, Desired, Error, InstanceId, InstanceStatus, InstanceType, MemberId, Operation, Result, Timestamp, UserId};

use crate::{
    Store, Tx,
    error::db,
    intent::{InstanceIntent, InstanceObserved},
};

/// An instance with what its answers need of its cluster.
#[derive(Debug, Clone)]
pub struct InstanceRow {
    /// Its cluster.
    pub cluster: ClusterId,
    /// Where it lives.
    pub member: MemberId,
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

#[derive(FromQueryResult)]
struct Joined {
    id: i64,
    cluster_id: i64,
    ordinal: i32,
    name: String,
    desired: String,
    generation: i64,
    start_generation: i64,
    deleting: bool,
    created_at: i64,
    status: String,
    observed_generation: i64,
    reason: Option<String>,
    message: Option<String>,
    ip: Option<String>,
    node: Option<String>,
    status_since: i64,
    updated_at: i64,
    member_id: i64,
    namespace: String,
    instance_type: String,
    disk_bytes: Option<i64>,
    deleting_at: Option<i64>,
}

const JOINED: &str = "SELECT i.*, c.member_id, c.namespace, c.instance_type, c.disk_bytes, c.deleting_at \
                      FROM instances i JOIN clusters c ON c.id = i.cluster_id";

fn read(row: &QueryResult) -> Result<InstanceRow> {
    let Joined {
        id,
        cluster_id,
        ordinal,
        name,
        desired,
        generation,
        start_generation,
        deleting,
        created_at,
        status,
        observed_generation,
        reason,
        message,
        ip,
        node,
        status_since,
        updated_at,
        member_id,
        namespace,
        instance_type,
        disk_bytes,
        deleting_at,
    } = Joined::from_query_result(row, "").map_err(db)?;
    Ok(InstanceRow {
        cluster: ClusterId(cluster_id),
        member: MemberId(member_id),
        namespace,
        instance_type: crate::cluster::parse_type(cluster_id, &instance_type)?,
        has_disk: disk_bytes.is_some(),
        cluster_deleting: deleting_at.is_some(),
        intent: InstanceIntent {
            id: InstanceId(id),
            ordinal,
            name,
            desired: parse_desired(id, &desired)?,
            generation,
            start_generation,
            deleting,
            observed: InstanceObserved { status: parse_status(id, &status)?, generation: observed_generation, reason, message, ip, node },
        },
        since: Timestamp(status_since),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
    })
}

pub(crate) fn parse_desired(id: i64, word: &str) -> Result<Desired> {
    Desired::parse(word).ok_or_else(|| Error::internal(format_args!("instance {id}: unknown intent")))
}

pub(crate) fn parse_status(id: i64, word: &str) -> Result<InstanceStatus> {
    InstanceStatus::parse(word).ok_or_else(|| Error::internal(format_args!("instance {id}: unknown status")))
}

impl InstanceRow {
    /// Whether the instance is where it should be, or has failed to get there.
    pub fn settled(&self) -> bool {
        let InstanceIntent { desired, generation, ref observed, .. } = self.intent;
        observed.generation == generation && (observed.status == desired.settled() || observed.status == InstanceStatus::Failed)
    }
}

impl Store {
    /// An instance of `owner` (or of anybody, for an admin: `None`).
    pub async fn instance(&self, owner: Option<UserId>, id: InstanceId) -> Result<Option<InstanceRow>> {
        let sql = format!("{JOINED} WHERE i.id = ? AND (? = 0 OR c.owner_id = ?)");
        let row = self.reader().query_one_raw(self.sql(&sql, [id.0.into(), owner_flag(owner).into(), owner_id(owner).into()])).await.map_err(db)?;
        row.as_ref().map(read).transpose()
    }

    /// The instances of one cluster behind ordinal `after`, in order.
    pub async fn instances(&self, owner: Option<UserId>, cluster: ClusterId, after: i32, limit: u64) -> Result<Vec<InstanceRow>> {
        let sql = format!(
            "{JOINED} WHERE i.cluster_id = ? AND (? = 0 OR c.owner_id = ?) AND i.deleting = ? AND i.ordinal > ? ORDER BY i.ordinal LIMIT {limit}"
        );
        let values = [cluster.0.into(), owner_flag(owner).into(), owner_id(owner).into(), false.into(), after.into()];
        let rows = self.reader().query_all_raw(self.sql(&sql, values)).await.map_err(db)?;
        rows.iter().map(read).collect()
    }
}

fn owner_flag(owner: Option<UserId>) -> i64 {
    i64::from(owner.is_some())
}

fn owner_id(owner: Option<UserId>) -> i64 {
    owner.map_or(0, |owner| owner.0)
}

/// Rows of one INSERT: the smallest limit on bound values is SQLite's 32,766.
const ROWS_AT_ONCE: usize = 500;

impl Tx {
    /// Adds instances with these ordinals, wanted running.
    pub async fn instances_insert(&self, cluster: ClusterId, name: &ClusterName, ordinals: std::ops::RangeInclusive<i32>) -> Result<()> {
        let now = Timestamp::now().0;
        let ordinals: Vec<i32> = ordinals.collect();
        for chunk in ordinals.chunks(ROWS_AT_ONCE) {
            let sql = format!(
                "INSERT INTO instances (cluster_id, ordinal, name, desired, generation, start_generation, deleting, created_at, \
                 status, observed_generation, status_since, updated_at) VALUES {}",
                vec!["(?, ?, ?, ?, 1, 1, ?, ?, ?, 0, ?, ?)"; chunk.len()].join(", ")
            );
            let values = chunk.iter().flat_map(|ordinal| -> [sea_orm::Value; 9] {
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
            self.execute(&sql, values).await?;
        }
        Ok(())
    }

    /// All instances of a cluster, those being scaled away included, lowest ordinal first.
    pub async fn instances_of(&self, cluster: ClusterId) -> Result<Vec<InstanceRow>> {
        let sql = format!("{JOINED} WHERE i.cluster_id = ? ORDER BY i.ordinal");
        let rows = self.tx.query_all_raw(self.sql(&sql, [cluster.0.into()])).await.map_err(db)?;
        rows.iter().map(read).collect()
    }

    /// Writes a tenant's wish for one instance. `false`: it changed in the meantime and is not at `seen` any more.
    pub async fn instance_operate(&self, id: InstanceId, seen: i64, operation: Operation) -> Result<bool> {
        let wakes = i64::from(operation.target() == Desired::Running);
        let changed = self
            .execute(
                "UPDATE instances SET desired = ?, generation = generation + 1, start_generation = start_generation + ? \
                 WHERE id = ? AND generation = ? AND deleting = ?",
                [operation.target().as_str().into(), wakes.into(), id.0.into(), seen.into(), false.into()],
            )
            .await?;
        Ok(changed == 1)
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
            self.execute(&sql, values).await?;
        }
        Ok(())
    }

    /// Marks instances for removal; their quota is given back once their compute is confirmed gone.
    pub async fn instances_scale_away(&self, cluster: ClusterId, above: i32) -> Result<()> {
        self.execute(
            "UPDATE instances SET deleting = ?, generation = generation + 1 WHERE cluster_id = ? AND ordinal > ? AND deleting = ?",
            [true.into(), cluster.0.into(), above.into(), false.into()],
        )
        .await?;
        Ok(())
    }
}
