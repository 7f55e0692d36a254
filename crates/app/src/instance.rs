//! One instance: look, its log and its events.

use members::{EventView, Kind, LogQuery};
use store::InstanceRow;
use types::{ClusterId, Error, InstanceId, InstanceType, Result};
use wire::instance::{Capabilities, Event, Instance};

use crate::{Action, App, Caller, show};

/// Most of a log that one answer carries, in bytes.
const LOG_BYTES: u32 = 4 * 1024 * 1024;

impl App {
    /// An instance with what was last seen of it.
    pub async fn instance_get(&self, caller: &Caller, id: InstanceId) -> Result<Instance> {
        caller.may(Action::InstanceGet)?;
        self.find_instance(caller, id).await.map(show::instance)
    }

    /// The instances of a cluster with numbers above `after`, lowest first.
    pub async fn instance_list(&self, caller: &Caller, cluster: ClusterId, after: i32, limit: u64) -> Result<Vec<Instance>> {
        caller.may(Action::ClusterInstances)?;
        let rows = self.find_instances(caller, cluster, after, limit).await?;
        Ok(rows.into_iter().map(show::instance).collect())
    }

    /// The last `tail` lines of what an instance has printed, 4 MiB at most; with `previous`, of its run before this.
    pub async fn instance_logs(&self, caller: &Caller, id: InstanceId, tail: u32, previous: bool) -> Result<String> {
        caller.may(Action::InstanceLogs)?;
        let row = self.find_instance(caller, id).await?;
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
        caller.may(Action::InstanceEvents)?;
        let row = self.find_instance(caller, id).await?;
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
    pub fn capabilities(&self, caller: &Caller) -> Result<Capabilities> {
        caller.may(Action::Capabilities)?;
        Ok(Capabilities {
            container: show::suspend(InstanceType::Container, false),
            vm: show::suspend(InstanceType::Vm, false),
            members: self.fleet.all().iter().map(|member| member.name().to_owned()).collect(),
            open_sign_up: self.policy.open_sign_up,
        })
    }
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

fn no_log(row: &InstanceRow) -> Error {
    Error::conflict(format!("The instance is {}; there is nothing to read a log from", row.intent.observed.status))
}
