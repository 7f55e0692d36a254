//! One instance: look, operate, its log and its events.

use members::{EventView, Kind, LogQuery};
use store::{AuditEntry, InstanceRow};
use tokio::time::Instant;
use types::{ClusterId, Error, InstanceId, InstanceStatus, InstanceType, Operation, Result};
use wire::instance::{Capabilities, Event, Instance, Mode, OperatedInstance};

use crate::{
    App, Caller,
    cluster::{being_deleted, not_found as cluster_not_found},
    placement::LOCAL,
    show,
};

/// Most of a log that one answer carries, in bytes.
const LOG_BYTES: u32 = 4 * 1024 * 1024;

impl App {
    /// An instance.
    pub async fn instance_get(&self, caller: &Caller, id: InstanceId) -> Result<Instance> {
        self.instance_row(caller, id).await.map(show::instance)
    }

    /// The instances of a cluster behind number `after`, and whether there is such a cluster at all.
    pub async fn instance_list(&self, caller: &Caller, cluster: ClusterId, after: i32, limit: u64) -> Result<Vec<Instance>> {
        self.store.cluster(caller.scope(), cluster).await?.ok_or_else(cluster_not_found)?;
        let rows = self.store.instances(caller.scope(), cluster, after, limit).await?;
        Ok(rows.into_iter().map(show::instance).collect())
    }

    /// Starts, stops, suspends or resumes an instance, and waits up to [`Policy::operation_wait`](crate::Policy::operation_wait) for it to get there.
    ///
    /// An instance on its way somewhere is waited for first. A repeat of the present state changes nothing.
    pub async fn instance_operate(&self, caller: &Caller, id: InstanceId, operation: Operation, mode: Mode) -> Result<OperatedInstance> {
        caller.require_write()?;
        check_mode(mode, operation, self.instance_row(caller, id).await?.instance_type)?;
        let deadline = Instant::now() + self.policy.operation_wait;
        loop {
            let seen = self.instance_settled(caller, id, deadline).await?;
            refuse_deleting(&seen)?;
            let headed_there = seen.intent.desired == operation.target() && !seen.settled();
            let is_there = seen.settled() && seen.intent.observed.status.is_at(operation);
            if headed_there || is_there {
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
        Ok(OperatedInstance { instance: show::instance(row), operation, settled })
    }

    /// The instance when it has settled, or as it is at `deadline`.
    async fn instance_settled(&self, caller: &Caller, id: InstanceId, deadline: Instant) -> Result<InstanceRow> {
        let mut waiter = self.waiter(deadline);
        loop {
            let row = self.instance_row(caller, id).await?;
            if settled_or_going(&row) || !waiter.next().await {
                return Ok(row);
            }
        }
    }

    async fn write_operation(&self, caller: &Caller, seen: &InstanceRow, operation: Operation) -> Result<bool> {
        let tx = self.store.begin().await?;
        // Operations, scaling and deletion of one cluster take turns here.
        let cluster = tx.cluster_lock(caller.scope(), seen.cluster).await?.ok_or_else(not_found)?;
        if cluster.deleting {
            return Err(being_deleted());
        }
        if !tx.instance_operate(seen.intent.id, seen.intent.generation, operation).await? {
            return Ok(false);
        }
        tx.cluster_touch(seen.cluster).await?;
        let entry = AuditEntry {
            actor: caller.user.id,
            action: action(operation),
            target: format!("instance/{}", seen.intent.id),
            detail: Some(seen.intent.name.clone()),
        };
        tx.audit(entry).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The last `tail` lines of what an instance has printed.
    pub async fn instance_logs(&self, caller: &Caller, id: InstanceId, tail: u32, previous: bool) -> Result<String> {
        let row = self.instance_row(caller, id).await?;
        let member = self.member(row.member)?;
        let (pod, container) = match row.instance_type {
            InstanceType::Container => (row.intent.name.clone(), "main"),
            InstanceType::Vm => {
                let selector = format!("vm.kubevirt.io/name={}", row.intent.name);
                let pods = member.names(Kind::Pod, &row.namespace, &selector, 1).await.map_err(|e| e.into_error(member.name()))?;
                (pods.into_iter().next().ok_or_else(|| no_log(&row))?, "compute")
            }
        };
        let query = LogQuery { container: Some(container.into()), tail_lines: Some(tail), limit_bytes: Some(LOG_BYTES), previous, timestamps: false };
        member.pod_logs(&row.namespace, &pod, &query).await.map_err(|e| if e.has_no_log() { no_log(&row) } else { e.into_error(member.name()) })
    }

    /// What has happened to an instance lately, oldest first.
    pub async fn instance_events(&self, caller: &Caller, id: InstanceId) -> Result<Vec<Event>> {
        let row = self.instance_row(caller, id).await?;
        let member = self.member(row.member)?;
        let kinds: &[&str] = match row.instance_type {
            InstanceType::Container => &["Pod"],
            InstanceType::Vm => &["VirtualMachine", "VirtualMachineInstance"],
        };
        let mut events = Vec::new();
        for kind in kinds {
            let found = member.events(&row.namespace, kind, &row.intent.name).await.map_err(|e| e.into_error(member.name()))?;
            events.extend(found.into_iter().map(|event| (event.last_seen, show_event(event, kind, &row.intent.name))));
        }
        events.sort_by_key(|(at, _)| *at);
        Ok(events.into_iter().map(|(_, event)| event).collect())
    }

    /// What this installation can do.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            container: show::suspend(InstanceType::Container, false),
            vm: show::suspend(InstanceType::Vm, false),
            members: self.local.iter().map(|_| LOCAL.to_owned()).collect(),
            open_sign_up: self.policy.open_sign_up,
        }
    }

    pub(crate) async fn instance_row(&self, caller: &Caller, id: InstanceId) -> Result<InstanceRow> {
        self.store.instance(caller.scope(), id).await?.ok_or_else(not_found)
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

pub(crate) fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::Start => "instance.start",
        Operation::Stop => "instance.stop",
        Operation::Suspend => "instance.suspend",
        Operation::Resume => "instance.resume",
    }
}

/// Nothing to wait for: it is where it should be, or on its way out.
pub(crate) fn settled_or_going(row: &InstanceRow) -> bool {
    row.settled() || row.intent.deleting || row.cluster_deleting
}

fn refuse_deleting(row: &InstanceRow) -> Result<()> {
    if row.cluster_deleting {
        return Err(being_deleted());
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

fn show_event(event: EventView, kind: &str, name: &str) -> Event {
    let EventView { kind: r#type, reason, message, count, first_seen, last_seen, source: _ } = event;
    Event {
        r#type,
        reason,
        message,
        object: format!("{kind}/{name}"),
        count,
        first_seen: first_seen.map(|at| at.to_string()),
        last_seen: last_seen.map(|at| at.to_string()),
    }
}

fn not_found() -> Error {
    Error::NotFound { what: "Instance" }
}

fn no_log(row: &InstanceRow) -> Error {
    Error::conflict(format!("The instance is {}; there is nothing to read a log from", row.intent.observed.status))
}
