//! The audit trail, and what is written into it of those who do not get in.

use store::{By, Fact};
use types::Result;
use wire::audit::AuditEntry;

use crate::{Action, App, Caller, action::Permit};

impl App {
    /// Entries with ids below `before`, newest first. Admins only.
    pub async fn audit_list(&self, caller: &Caller, before: Option<i64>, limit: u64) -> Result<Vec<AuditEntry>> {
        caller.may(Action::AuditList)?;
        let _turn = self.reads.of(caller.user.id).await?;
        let rows = self.intents.audit_trail(before.unwrap_or(i64::MAX), limit).await?;
        Ok(rows
            .into_iter()
            .map(|store::AuditRow { id, at, actor, action, target, detail, request_id, address }| AuditEntry {
                id,
                at,
                actor_id: actor,
                action,
                target,
                detail,
                request_id,
                address,
            })
            .collect())
    }

    /// Records that sign-ins from `address` failed so many `times` within a minute.
    pub async fn sign_in_failed(&self, address: String, request_id: String, times: u64) -> Result<()> {
        let by = &By { actor: None, request_id: Some(request_id), address: Some(address) };
        self.transact(&Permit::of_the_process(), None, |tx| async move { tx.record(by, Fact::SignInFailed { times }).await }).await
    }
}
