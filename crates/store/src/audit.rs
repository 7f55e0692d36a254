//! Who did what. Written in the transaction that did it.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{Result, Timestamp, UserId};

use crate::{Store, Tx, sql};

/// Something done, to be recorded.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// Who did it.
    pub actor: UserId,
    /// What: `cluster.create`.
    pub action: &'static str,
    /// To what: `cluster/1`.
    pub target: String,
    /// More about it. Never a credential.
    pub detail: Option<String>,
}

/// Something recorded.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// Row id.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub actor: UserId,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// More about it.
    pub detail: Option<String>,
}

impl FromQueryResult for AuditRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get(prefix, "id")?,
            at: Timestamp(row.try_get(prefix, "at")?),
            actor: UserId(row.try_get(prefix, "actor_id")?),
            action: row.try_get(prefix, "action")?,
            target: row.try_get(prefix, "target")?,
            detail: row.try_get(prefix, "detail")?,
        })
    }
}

impl Tx {
    /// Records something done.
    pub async fn audit(&self, entry: AuditEntry) -> Result<()> {
        let AuditEntry { actor, action, target, detail } = entry;
        sql::execute(
            &self.tx,
            "INSERT INTO audit (at, actor_id, action, target, detail) VALUES (?, ?, ?, ?, ?)",
            [Timestamp::now().0.into(), actor.0.into(), action.into(), target.into(), detail.into()],
        )
        .await?;
        Ok(())
    }
}

impl Store {
    /// What was recorded before row `before`, newest first.
    pub async fn audit_trail(&self, before: i64, limit: u64) -> Result<Vec<AuditRow>> {
        let sql = "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?";
        sql::rows(self.reader(), sql, [before.into(), sql::at_most(limit)]).await
    }
}
