//! Who did what. Written in the transaction that did it.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use types::{Result, Timestamp, UserId};

use crate::{Store, Tx, entity::audit, error::db};

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

impl Tx {
    /// Records something done.
    pub async fn audit(&self, entry: AuditEntry) -> Result<()> {
        let AuditEntry { actor, action, target, detail } = entry;
        self.execute(
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
        let rows = audit::Entity::find()
            .filter(audit::Column::Id.lt(before))
            .order_by_desc(audit::Column::Id)
            .limit(limit)
            .all(self.reader())
            .await
            .map_err(db)?;
        Ok(rows
            .into_iter()
            .map(|audit::Model { id, at, actor_id, action, target, detail }| AuditRow {
                id,
                at: Timestamp(at),
                actor: UserId(actor_id),
                action,
                target,
                detail,
            })
            .collect())
    }
}
