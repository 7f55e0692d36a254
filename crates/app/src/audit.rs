//! The audit trail, and how its entries name what they are about.

use types::{ClusterId, InstanceId, Result, UserId};
use wire::audit::AuditEntry;

use crate::{App, Caller};

impl App {
    /// Entries with ids below `before`, newest first. Admins only.
    pub async fn audit_list(&self, caller: &Caller, before: Option<i64>, limit: u64) -> Result<Vec<AuditEntry>> {
        caller.require_admin()?;
        let rows = self.store.audit_trail(before.unwrap_or(i64::MAX), limit).await?;
        Ok(rows
            .into_iter()
            .map(|store::AuditRow { id, at, actor, action, target, detail }| AuditEntry { id, at, actor_id: actor, action, target, detail })
            .collect())
    }
}

pub(crate) fn user_target(id: UserId) -> String {
    format!("user/{id}")
}

pub(crate) fn cluster_target(id: ClusterId) -> String {
    format!("cluster/{id}")
}

pub(crate) fn instance_target(id: InstanceId) -> String {
    format!("instance/{id}")
}
