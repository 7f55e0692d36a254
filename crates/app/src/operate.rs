//! The state table at work: one operation on one instance.

use store::{Fact, InstanceRow};
use tokio::time::Instant;
use types::{Error, InstanceId, InstanceType, Operation, Result};
use wire::instance::{Mode, OperatedInstance};

use crate::{
    Action, App, Caller,
    action::Permit,
    find::{cluster_deleting, lock_cluster},
    show,
};

impl App {
    /// Starts, stops, suspends or resumes an instance, and waits for it to get there, up to
    /// [`Policy::operation_wait`](crate::Policy::operation_wait).
    ///
    /// An instance on its way somewhere is waited for first, unless it is in trouble on the way and this leads back or out. A repeat of
    /// the present state changes nothing. With `force`, an instance is stopped whatever it is.
    pub async fn instance_operate(&self, caller: &Caller, id: InstanceId, operation: Operation, mode: Mode, force: bool) -> Result<OperatedInstance> {
        let permit = caller.may(Action::InstanceOperate)?;
        if force && operation != Operation::Stop {
            return Err(Error::field("force", "is for stop only"));
        }
        check_mode(mode, operation, self.find_instance(caller, id).await?.instance_type)?;
        let deadline = Instant::now() + self.policy.operation_wait;
        loop {
            let mut seen = self.find_instance(caller, id).await?;
            let stuck = in_trouble(&seen) && allowed(&seen).contains(&operation);
            if !force && !stuck {
                seen = self.instance_settled(caller, id, deadline).await?;
            }
            refuse_deleting(&seen)?;
            let under_way = seen.intent.desired == operation.target() && !seen.settled();
            let is_there = seen.settled() && seen.intent.observed.status.is_at(operation);
            if under_way || is_there {
                break;
            }
            if !force {
                check_allowed(&seen, operation)?;
            }
            if self.write_operation(&permit, caller, &seen, operation, force).await? {
                break;
            }
            // Somebody else was faster: look again.
        }
        let row = self.instance_settled(caller, id, deadline).await?;
        let settled = row.settled();
        Ok(OperatedInstance { instance: show::instance(row), operation: operation.into(), settled })
    }

    /// `false`: the instance is not as it was `seen` any more, and nothing is written.
    async fn write_operation(&self, permit: &Permit, caller: &Caller, seen: &InstanceRow, operation: Operation, force: bool) -> Result<bool> {
        self.transact(permit, Some(seen.owner), |tx| async move {
            let cluster = lock_cluster(&tx, caller, seen.cluster).await?;
            if !tx.instance_operate(seen.intent.id, seen.intent.generation, operation).await? {
                return Ok(false);
            }
            tx.cluster_touch(seen.cluster, &cluster).await?;
            let name = seen.intent.name.clone();
            tx.record(&caller.by, Fact::InstanceOperated { instance: seen.intent.id, owner: seen.owner, name, operation, force }).await?;
            Ok(true)
        })
        .await
    }
}

/// What may be asked of an instance as it is.
pub(crate) fn allowed(row: &InstanceRow) -> &'static [Operation] {
    Operation::allowed(row.intent.desired, row.intent.observed.status, row.settled())
}

/// Whether it is not on its way by itself: something stands in it, and is named.
pub(crate) fn in_trouble(row: &InstanceRow) -> bool {
    !row.settled() && row.intent.observed.reason.is_some()
}

/// Refuses to lose memory for those who want to keep it.
pub(crate) fn check_mode(mode: Mode, operation: Operation, instance_type: InstanceType) -> Result<()> {
    let loses = operation == Operation::Suspend && !instance_type.suspend_semantics().memory_preserved;
    if mode == Mode::Strict && loses {
        return Err(Error::SuspendNotSupported);
    }
    Ok(())
}

fn refuse_deleting(row: &InstanceRow) -> Result<()> {
    if row.cluster_deleting {
        return Err(cluster_deleting());
    }
    if row.intent.deleting { Err(Error::conflict("The instance is being removed")) } else { Ok(()) }
}

/// Refuses what the present state does not allow, and says what it does.
fn check_allowed(row: &InstanceRow, operation: Operation) -> Result<()> {
    let allowed = allowed(row);
    if allowed.contains(&operation) {
        return Ok(());
    }
    let is = row.intent.observed.status;
    let on_its_way = show::transition(row).map(|transition| format!(" and {transition}")).unwrap_or_default();
    let list = if allowed.is_empty() { "nothing yet".to_owned() } else { allowed.iter().map(|op| op.as_str()).collect::<Vec<_>>().join(", ") };
    Err(Error::Conflict {
        message: format!("Cannot {operation} an instance that is {is}{on_its_way}; allowed: {list}"),
        allowed: allowed.iter().map(|op| op.as_str()).collect(),
    })
}
