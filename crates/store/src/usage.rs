//! Used quota: always the sum of the allocation rows, never a counter.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, QueryResult};
use types::{Bytes, ClusterId, MilliCpu, Result, UserId};

use crate::{Intents, Tx, dialect::sum, sql};

/// An amount of each dimension that quota has: what a user may take, what a user takes, what one instance takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// CPU, running or not.
    pub cpu: MilliCpu,
    /// Memory, running or not.
    pub memory: Bytes,
    /// Persistent disks.
    pub storage: Bytes,
    /// Clusters that still compute.
    pub clusters: i64,
    /// Instances.
    pub instances: i64,
}

impl FromQueryResult for Usage {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            cpu: MilliCpu(row.try_get(prefix, "cpu")?),
            memory: Bytes(row.try_get(prefix, "memory")?),
            storage: Bytes(row.try_get(prefix, "storage")?),
            clusters: row.try_get(prefix, "clusters")?,
            instances: row.try_get(prefix, "instances")?,
        })
    }
}

/// What one of several users takes.
struct UsageOf(UserId, Usage);

impl FromQueryResult for UsageOf {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self(UserId(row.try_get(prefix, "owner_id")?), Usage::from_query_result(row, prefix)?))
    }
}

/// The columns of a [`Usage`].
fn sums(backend: DbBackend) -> String {
    let [cpu, memory, storage] = ["cpu_milli", "memory_bytes", "storage_bytes"].map(|column| sum(backend, column));
    format!("{cpu} AS cpu, {memory} AS memory, {storage} AS storage, COUNT(DISTINCT cluster_id) AS clusters, COUNT(*) AS instances")
}

async fn usage(connection: &impl ConnectionTrait, owner: UserId) -> Result<Usage> {
    let sql = format!("SELECT {} FROM allocations WHERE owner_id = ?", sums(connection.get_database_backend()));
    Ok(sql::row(connection, &sql, [owner.0.into()]).await?.unwrap_or_default())
}

impl Intents {
    /// What `owner` takes at this moment.
    pub async fn usage(&self, owner: UserId) -> Result<Usage> {
        usage(self.pool().reader(), owner).await
    }

    /// What each user behind `after` takes, up to and with `last`; those who take nothing are missing.
    pub(crate) async fn usage_by_owner(&self, after: i64, last: UserId) -> Result<HashMap<UserId, Usage>> {
        let sums = sums(self.pool().backend());
        let sql = format!("SELECT owner_id, {sums} FROM allocations WHERE owner_id > ? AND owner_id <= ? GROUP BY owner_id");
        let rows: Vec<UsageOf> = sql::rows(self.pool().reader(), &sql, [after.into(), last.0.into()]).await?;
        Ok(rows.into_iter().map(|UsageOf(owner, usage)| (owner, usage)).collect())
    }
}

impl Tx {
    /// What `owner` takes, after [`Tx::owner_lock`] nobody else can change it.
    pub async fn usage(&self, owner: UserId) -> Result<Usage> {
        usage(self.connection().await?, owner).await
    }

    /// Reserves the size of a cluster's `size` for each of its instances that has no allocation yet.
    pub async fn allocate(&self, owner: UserId, cluster: ClusterId, size: Usage) -> Result<()> {
        self.defer(
            "INSERT INTO allocations (instance_id, owner_id, cluster_id, cpu_milli, memory_bytes, storage_bytes) \
             SELECT i.id, ?, i.cluster_id, ?, ?, ? FROM instances i WHERE i.cluster_id = ? \
             AND NOT EXISTS (SELECT 1 FROM allocations a WHERE a.instance_id = i.id)",
            [owner.0.into(), size.cpu.0.into(), size.memory.0.into(), size.storage.0.into(), cluster.0.into()],
        )
        .await?;
        Ok(())
    }
}
