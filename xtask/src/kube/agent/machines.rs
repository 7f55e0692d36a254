//! virt-handler's part: watches machine instances and moves them through their lives.

use super::{
    Agent,
    guest::{self, Next},
    id::Id,
    launchers,
    log::{log, now},
};
use anyhow::{Context, Result, bail};
use futures::StreamExt;
use k8s_openapi::{
    api::core::v1::{Event, EventSource, ObjectReference},
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::Timestamp,
};
use kube::{
    Api, Error, ResourceExt,
    api::{DynamicObject, ListParams, PostParams},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// Conflicting writers are virt-controller's threads, which settle at once.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn watch(agent: Arc<Agent>) {
    let mut machines = watcher(agent.machines(None), watcher::Config::default()).default_backoff().applied_objects().boxed();
    while let Some(machine) = machines.next().await {
        match machine {
            Ok(machine) => act(&agent, &machine),
            Err(error) => log(format!("watch machines: {error}")),
        }
    }
}

fn act(agent: &Arc<Agent>, machine: &DynamicObject) {
    let id = Id::of(machine);
    let Ok(seen) = serde_json::to_value(machine) else {
        return;
    };
    let next = guest::next(&seen);
    let (what, delay) = match next {
        Next::Nothing => return,
        Next::Boot => ("boot", agent.boot),
        Next::FailToBoot => ("fail", agent.boot),
        Next::ShutDown => ("stop", stop_time(agent, &seen)),
        Next::End(_) => ("end", Duration::ZERO),
    };
    let name = format!("{what} {}/{} {}", id.namespace, id.name, id.uid);
    let agent = agent.clone();
    agent.tasks.clone().once(name, delay, move || {
        let (agent, id) = (agent.clone(), id.clone());
        async move {
            match next {
                Next::Nothing => Ok(()),
                Next::Boot => agent.boot_machine(&id).await,
                Next::FailToBoot => agent.end_machine(&id, "Failed").await,
                Next::ShutDown => agent.end_machine(&id, "Succeeded").await,
                Next::End(phase) => agent.end_machine(&id, phase).await,
            }
        }
    });
}

fn stop_time(agent: &Agent, machine: &Value) -> Duration {
    let grace = machine["spec"]["terminationGracePeriodSeconds"].as_u64().unwrap_or(30);
    agent.stop.min(Duration::from_secs(grace))
}

impl Agent {
    async fn boot_machine(&self, id: &Id) -> Result<()> {
        let pod = launchers::of_machine(self, &id.namespace, &id.uid).await?;
        let address = pod.as_ref().and_then(|pod| pod.data["status"]["podIP"].as_str());
        let booted = self
            .update_machine(id, |machine| {
                if guest::next(machine) == Next::Boot {
                    guest::boot(machine, address, &now());
                }
            })
            .await?;
        if let Some(machine) = booted {
            self.event(&machine, "Started", "VirtualMachineInstance started.").await;
        }
        Ok(())
    }

    /// The guest ends, and its launcher Pod with it.
    pub(super) async fn end_machine(&self, id: &Id, phase: &str) -> Result<()> {
        let ended = self.update_machine(id, |machine| guest::enter(machine, phase, &now())).await?;
        if let Some(machine) = ended {
            let message = match phase {
                "Failed" => "The VirtualMachineInstance crashed.",
                _ => "The VirtualMachineInstance was shut down.",
            };
            self.event(&machine, "Stopped", message).await;
        }
        match launchers::of_machine(self, &id.namespace, &id.uid).await? {
            Some(pod) => self.end_pod(&pod, phase).await,
            None => Ok(()),
        }
    }

    /// The instance of that name, if there is one. By a list: virt-handler may not get.
    pub(super) async fn machine(&self, namespace: &str, name: &str) -> Result<Option<DynamicObject>> {
        let named = ListParams::default().fields(&format!("metadata.name={name}"));
        let machines = self.machines(Some(namespace)).list(&named).await.context("list machines")?;
        Ok(machines.items.into_iter().next())
    }

    /// Edits exactly that instance, again from the start when somebody else wrote first. `None` when
    /// it is gone, has ended, or needs no change. There is no status subresource: the whole object is put.
    pub(super) async fn update_machine(&self, id: &Id, edit: impl Fn(&mut Value)) -> Result<Option<DynamicObject>> {
        for _ in 0..TRIES {
            let Some(machine) = self.machine(&id.namespace, &id.name).await? else {
                return Ok(None);
            };
            let before = serde_json::to_value(&machine)?;
            if machine.uid().as_deref() != Some(&id.uid) || guest::ended(&before) {
                return Ok(None);
            }
            let mut after = before.clone();
            edit(&mut after);
            if after == before {
                return Ok(None);
            }
            let (from, to) = (guest::phase(&before).to_owned(), guest::phase(&after).to_owned());
            let machine: DynamicObject = serde_json::from_value(after)?;
            let api = self.machines(Some(&id.namespace));
            match api.replace(&id.name, &PostParams::default(), &machine).await {
                Ok(written) => {
                    if from != to {
                        log(format!("{}/{}: {from} -> {to}", id.namespace, id.name));
                    }
                    return Ok(Some(written));
                }
                Err(Error::Api(status)) if status.is_not_found() => return Ok(None),
                Err(Error::Api(status)) if status.is_conflict() => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error).context("put a machine"),
            }
        }
        bail!("too many writers of {}/{}", id.namespace, id.name)
    }

    /// Events are told once; a lost one is only logged.
    pub(super) async fn event(&self, machine: &DynamicObject, reason: &str, message: &str) {
        let id = Id::of(machine);
        let time = Some(Time(Timestamp::now()));
        let event = Event {
            metadata: kube::core::ObjectMeta {
                generate_name: Some(format!("{}.", id.name)),
                namespace: Some(id.namespace.clone()),
                ..Default::default()
            },
            type_: Some(if message.contains("crashed") { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(reason.to_owned()),
            message: Some(message.to_owned()),
            first_timestamp: time.clone(),
            last_timestamp: time,
            count: Some(1),
            source: Some(EventSource {
                component: Some("virt-handler".to_owned()),
                host: machine.data["status"]["nodeName"].as_str().map(str::to_owned),
            }),
            involved_object: ObjectReference {
                kind: Some("VirtualMachineInstance".to_owned()),
                api_version: Some("kubevirt.io/v1".to_owned()),
                namespace: Some(id.namespace.clone()),
                name: Some(id.name),
                uid: Some(id.uid),
                ..Default::default()
            },
            ..Default::default()
        };
        let events: Api<Event> = Api::namespaced(self.handler.clone(), &id.namespace);
        match events.create(&PostParams::default(), &event).await {
            Ok(_) => {}
            // A namespace on its way out takes no new events.
            Err(Error::Api(status)) if status.is_forbidden() => {}
            Err(error) => log(format!("event {reason}: {error}")),
        }
    }
}
