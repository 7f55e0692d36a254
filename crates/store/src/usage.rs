//! Used quota: always the sum of the allocation rows, never a counter.

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use types::{Bytes, ClusterId, MilliCpu, Result, UserId};

use crate::{Store, Tx, error::db};

/// What a user's instances take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of all instances.
    pub cpu: MilliCpu,
    /// Of all instances.
    pub memory: Bytes,
    /// Of all persistent disks.
    pub storage: Bytes,
}

#[derive(FromQueryResult)]
struct Sums {
    cpu: i64,
    memory: i64,
    storage: i64,
}

/// SUM is a decimal on PostgreSQL and MySQL: cast it back.
pub(crate) fn sum(column: &str, mysql: bool) -> String {
    format!("CAST(COALESCE(SUM({column}), 0) AS {})", if mysql { "SIGNED" } else { "BIGINT" })
}

fn sums_sql(mysql: bool) -> String {
    let [cpu, memory, storage] = ["cpu_milli", "memory_bytes", "storage_bytes"].map(|column| sum(column, mysql));
    format!("SELECT {cpu} AS cpu, {memory} AS memory, {storage} AS storage FROM allocations WHERE owner_id = ?")
}

async fn query(connection: &impl ConnectionTrait, statement: Statement) -> Result<Usage> {
    let row = connection.query_one_raw(statement).await.map_err(db)?;
    let Some(row) = row else { return Ok(Usage::default()) };
    let Sums { cpu, memory, storage } = Sums::from_query_result(&row, "").map_err(db)?;
    Ok(Usage { cpu: MilliCpu(cpu), memory: Bytes(memory), storage: Bytes(storage) })
}

impl Store {
    /// What `owner` takes at this moment.
    pub async fn usage(&self, owner: UserId) -> Result<Usage> {
        query(self.reader(), self.sql(&sums_sql(self.is_mysql()), [owner.0.into()])).await
    }

    pub(crate) fn is_mysql(&self) -> bool {
        self.backend() == sea_orm::DbBackend::MySql
    }
}

impl Tx {
    /// What `owner` takes, after [`Tx::owner_lock`] nobody else can change it.
    pub async fn usage(&self, owner: UserId) -> Result<Usage> {
        let mysql = self.tx.get_database_backend() == sea_orm::DbBackend::MySql;
        query(&self.tx, self.sql(&sums_sql(mysql), [owner.0.into()])).await
    }

    /// Reserves the size of a cluster's `size` for each of its instances that has no allocation yet.
    pub async fn allocate(&self, owner: UserId, cluster: ClusterId, size: Usage) -> Result<()> {
        self.execute(
            "INSERT INTO allocations (instance_id, owner_id, cluster_id, cpu_milli, memory_bytes, storage_bytes) \
             SELECT i.id, ?, i.cluster_id, ?, ?, ? FROM instances i WHERE i.cluster_id = ? \
             AND NOT EXISTS (SELECT 1 FROM allocations a WHERE a.instance_id = i.id)",
            [owner.0.into(), size.cpu.0.into(), size.memory.0.into(), size.storage.0.into(), cluster.0.into()],
        )
        .await?;
        Ok(())
    }
}
