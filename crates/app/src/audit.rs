//! The audit trail.

use types::Result;
use wire::audit::AuditEntry;

use crate::{App, Caller};

impl App {
    /// What was done before entry `before`, newest first. Admins only.
    pub async fn audit_list(&self, caller: &Caller, before: Option<i64>, limit: u64) -> Result<Vec<AuditEntry>> {
        caller.require_admin()?;
        let rows = self.store.audit_trail(before.unwrap_or(i64::MAX), limit).await?;
        Ok(rows
            .into_iter()
            .map(|store::AuditRow { id, at, actor, action, target, detail }| AuditEntry { id, at, actor_id: actor, action, target, detail })
            .collect())
    }
}
