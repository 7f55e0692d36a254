//! The state table at work: one operation on one instance.

use store::{AuditEntry, InstanceRow};
use tokio::time::Instant;
use types::{Error, InstanceId, InstanceStatus, InstanceType, Operation, Result};
use wire::instance::{Mode, OperatedInstance};

use crate::{
    App, Caller,
    audit::instance_target,
    find::{cluster_deleting, lock_cluster},
    show,
};

impl App {
    /// Starts, stops, suspends or resumes an instance, and waits for it to get there, up to
    /// [`Policy::operation_wait`](crate::Policy::operation_wait).
    ///
    /// An instance on its way somewhere is waited for first. A repeat of the present state changes nothing.
    pub async fn instance_operate(&self, caller: &Caller, id: InstanceId, operation: Operation, mode: Mode) -> Result<OperatedInstance> {
        caller.require_write()?;
        check_mode(mode, operation, self.find_instance(caller, id).await?.instance_type)?;
        let deadline = Instant::now() + self.policy.operation_wait;
        loop {
            let seen = self.instance_settled(caller, id, deadline).await?;
            refuse_deleting(&seen)?;
            let under_way = seen.intent.desired == operation.target() && !seen.settled();
            let is_there = seen.settled() && seen.intent.observed.status.is_at(operation);
            if under_way || is_there {
                break;
            }
            check_allowed(&seen, operation)?;
            if self.write_operation(caller, &seen, operation).await? {
                (self.wake)(seen.cluster);
                break;
            }
            // Somebody else was faster: look again.
        }
        let row = self.instance_settled(caller, id, deadline).await?;
        let settled = row.settled();
        Ok(OperatedInstance { instance: show::instance(row), operation: operation.into(), settled })
    }

    /// `false`: the instance is not as it was `seen` any more, and nothing is written.
    async fn write_operation(&self, caller: &Caller, seen: &InstanceRow, operation: Operation) -> Result<bool> {
        let tx = self.store.begin().await?;
        lock_cluster(&tx, caller, seen.cluster).await?;
        if !tx.instance_operate(seen.intent.id, seen.intent.generation, operation).await? {
            return Ok(false);
        }
        tx.cluster_touch(seen.cluster).await?;
        let entry = AuditEntry {
            actor: caller.user.id,
            action: action(operation),
            target: instance_target(seen.intent.id),
            detail: Some(seen.intent.name.clone()),
        };
        tx.audit(entry).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Refuses to lose memory for those who want to keep it.
pub(crate) fn check_mode(mode: Mode, operation: Operation, instance_type: InstanceType) -> Result<()> {
    let loses = operation == Operation::Suspend && !instance_type.suspend_semantics().memory_preserved;
    if mode == Mode::Strict && loses {
        return Err(Error::SuspendNotSupported);
    }
    Ok(())
}

fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::Start => "instance.start",
        Operation::Stop => "instance.stop",
        Operation::Suspend => "instance.suspend",
        Operation::Resume => "instance.resume",
    }
}

fn refuse_deleting(row: &InstanceRow) -> Result<()> {
    if row.cluster_deleting {
        return Err(cluster_deleting());
    }
    if row.intent.deleting { Err(Error::conflict("The instance is being removed")) } else { Ok(()) }
}

/// Refuses what the present state does not allow, and says what it does.
fn check_allowed(row: &InstanceRow, operation: Operation) -> Result<()> {
    let status = if row.settled() { row.intent.observed.status } else { InstanceStatus::Pending };
    let allowed = status.allowed();
    if allowed.contains(&operation) {
        return Ok(());
    }
    let list = if allowed.is_empty() { "nothing yet".to_owned() } else { allowed.iter().map(|op| op.as_str()).collect::<Vec<_>>().join(", ") };
    Err(Error::Conflict {
        message: format!("Cannot {operation} an instance that is {status}; allowed: {list}"),
        allowed: allowed.iter().map(|op| op.as_str()).collect(),
    })
}
