//! Who did what. Written in the transaction that did it.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{Result, Timestamp, UserId};

use crate::{Intents, sql};

/// Something recorded.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Row id.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it; nobody known, where a sign-in failed.
    pub actor: Option<UserId>,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// More about it.
    pub detail: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// From where.
    pub address: Option<String>,
}

impl FromQueryResult for AuditRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get(prefix, "id")?,
            at: Timestamp(row.try_get(prefix, "at")?),
            actor: row.try_get::<Option<i64>>(prefix, "actor_id")?.map(UserId),
            action: row.try_get(prefix, "action")?,
            target: row.try_get(prefix, "target")?,
            detail: row.try_get(prefix, "detail")?,
            request_id: row.try_get(prefix, "request_id")?,
            address: row.try_get(prefix, "address")?,
        })
    }
}

impl Intents {
    /// What was recorded before row `before`, newest first.
    pub async fn audit_trail(&self, before: i64, limit: u64) -> Result<Vec<AuditRow>> {
        let sql = "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?";
        sql::rows(self.pool().reader(), sql, [before.into(), sql::at_most(limit)]).await
    }
}
