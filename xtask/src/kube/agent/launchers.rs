//! The kubelet's part for launcher Pods, which kwok leaves to us: their readiness follows the
//! readiness gate by which virt-controller pauses a machine, and a deleted one shuts its guest down.

use super::{
    Agent, guest,
    id::Id,
    log::{log, now},
};
use anyhow::{Context, Result, bail};
use futures::StreamExt;
use kube::{
    Error, ResourceExt,
    api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, Preconditions},
    runtime::{WatchStreamExt, watcher},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const LAUNCHERS: &str = "kubevirt.io=virt-launcher";
/// Holds the uid of the machine that a Pod was made for.
const CREATED_BY: &str = "kubevirt.io/created-by";
/// Holds the machine's name.
const DOMAIN: &str = "kubevirt.io/domain";
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(20);

pub(super) async fn watch(agent: Arc<Agent>) {
    let mut pods = watcher(agent.pods(None), watcher::Config::default().labels(LAUNCHERS)).default_backoff().applied_objects().boxed();
    while let Some(pod) = pods.next().await {
        match pod {
            Ok(pod) => act(&agent, pod),
            Err(error) => log(format!("watch launcher pods: {error}")),
        }
    }
}

fn act(agent: &Arc<Agent>, pod: DynamicObject) {
    let uid = pod.uid().unwrap_or_default();
    let (what, delay) = if pod.metadata.deletion_timestamp.is_none() {
        if readiness(&pod.data).is_none() {
            return;
        }
        ("readiness", Duration::ZERO)
    } else if pod.annotations().get(guest::FAIL).is_some_and(|fault| fault == "stuck") {
        return;
    } else {
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(30);
        ("end", agent.stop.min(Duration::from_secs(grace.try_into().unwrap_or(0))))
    };
    let name = format!("{what} pod {} {uid}", pod.name_any());
    let agent = agent.clone();
    agent.tasks.clone().once(name, delay, move || {
        let (agent, pod) = (agent.clone(), pod.clone());
        async move {
            match what {
                "readiness" => agent.follow_gates(&pod).await,
                _ => agent.end_deleted(&pod).await,
            }
        }
    });
}

/// The launcher Pod of a machine.
pub(super) async fn of_machine(agent: &Agent, namespace: &str, uid: &str) -> Result<Option<DynamicObject>> {
    let made_for = ListParams::default().labels(&format!("{CREATED_BY}={uid}"));
    let pods = agent.pods(Some(namespace)).list(&made_for).await.context("list launcher pods")?;
    Ok(pods.items.into_iter().next())
}

/// The Ready condition that a running Pod should get, if it has another one.
fn readiness(pod: &Value) -> Option<Value> {
    if guest::phase(pod) != "Running" {
        return None;
    }
    let conditions = pod["status"]["conditions"].as_array()?;
    let status_of = |kind: &str| {
        let condition = conditions.iter().find(|condition| condition["type"] == kind);
        condition.and_then(|condition| condition["status"].as_str())
    };
    let gates = pod["spec"]["readinessGates"].as_array().into_iter().flatten();
    let closed = gates.filter_map(|gate| gate["conditionType"].as_str()).find(|gate| status_of(gate) != Some("True"));
    let wanted = if closed.is_some() { "False" } else { "True" };
    if status_of("Ready") == Some(wanted) {
        return None;
    }
    Some(json!({
        "type": "Ready",
        "status": wanted,
        "lastProbeTime": null,
        "lastTransitionTime": now(),
        "reason": closed.map(|_| "ReadinessGatesNotReady"),
        "message": closed.map(|gate| {
            format!("corresponding condition of pod readiness gate \"{gate}\" does not equal to \"True\".")
        }),
    }))
}

impl Agent {
    async fn follow_gates(&self, seen: &DynamicObject) -> Result<()> {
        let pods = self.pods(seen.namespace().as_deref());
        let Some(pod) = pods.get_opt(&seen.name_any()).await? else {
            return Ok(());
        };
        let Some(ready) = readiness(&pod.data).filter(|_| pod.uid() == seen.uid()) else {
            return Ok(());
        };
        let patch = Patch::Strategic(json!({
            "metadata": {"uid": pod.uid()},
            "status": {"conditions": [ready]},
        }));
        match pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await {
            Err(Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
            patched => patched.map(drop).context("patch a launcher pod's readiness"),
        }
    }

    /// A launcher that is told to end shuts its guest down first.
    async fn end_deleted(&self, pod: &DynamicObject) -> Result<()> {
        let made_for = pod.labels().get(CREATED_BY);
        if let (Some(uid), Some(name), Some(namespace)) = (made_for, pod.annotations().get(DOMAIN), pod.namespace()) {
            let machine = self.machine(&namespace, name).await?;
            let running = machine.is_some_and(|machine| machine.uid().as_ref() == Some(uid) && machine.data["status"]["phase"] == "Running");
            if running {
                let id = Id { namespace, name: name.clone(), uid: uid.clone() };
                return self.end_machine(&id, "Succeeded").await;
            }
        }
        self.end_pod(pod, "Succeeded").await
    }

    /// Ends the Pod's containers, and lets a deleted Pod go.
    pub(super) async fn end_pod(&self, seen: &DynamicObject, phase: &str) -> Result<()> {
        let pods = self.pods(seen.namespace().as_deref());
        let name = seen.name_any();
        for _ in 0..TRIES {
            let Some(mut pod) = pods.get_opt(&name).await?.filter(|pod| pod.uid() == seen.uid()) else {
                return Ok(());
            };
            if !guest::ended(&pod.data) {
                terminate(&mut pod.data["status"], phase, &now());
                match pods.replace_status(&name, &PostParams::default(), &pod).await {
                    Ok(written) => pod = written,
                    Err(Error::Api(status)) if status.is_not_found() => return Ok(()),
                    Err(Error::Api(status)) if status.is_conflict() => {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Err(error) => return Err(error).context("put a launcher pod's status"),
                }
            }
            if pod.metadata.deletion_timestamp.is_none() {
                return Ok(());
            }
            let now = DeleteParams {
                grace_period_seconds: Some(0),
                preconditions: Some(Preconditions { uid: pod.uid(), resource_version: None }),
                ..DeleteParams::default()
            };
            return match pods.delete(&name, &now).await {
                Err(Error::Api(status)) if status.is_not_found() || status.is_conflict() => Ok(()),
                deleted => deleted.map(drop).context("delete a launcher pod"),
            };
        }
        bail!("too many writers of pod {name}")
    }
}

/// The status of a Pod whose containers have all ended.
fn terminate(status: &mut Value, phase: &str, now: &str) {
    let (code, reason) = if phase == "Failed" { (1, "Error") } else { (0, "Completed") };
    let started = status["startTime"].clone();
    for list in ["containerStatuses", "initContainerStatuses"] {
        for container in guest::items(status, list) {
            if container["state"]["running"].is_null() {
                continue;
            }
            container["ready"] = json!(false);
            container["started"] = json!(false);
            container["state"] = json!({"terminated": {
                "exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now,
            }});
        }
    }
    for condition in guest::items(status, "conditions") {
        if condition["type"] == "Ready" || condition["type"] == "ContainersReady" {
            condition["status"] = json!("False");
            condition["reason"] = json!("PodCompleted");
            condition["lastTransitionTime"] = json!(now);
        }
    }
    status["phase"] = json!(phase);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(gate: &str, ready: &str) -> Value {
        json!({
            "spec": {"readinessGates": [{"conditionType": "open"}]},
            "status": {"phase": "Running", "conditions": [
                {"type": "open", "status": gate}, {"type": "Ready", "status": ready},
            ]},
        })
    }

    #[test]
    fn readiness_follows_the_gate() {
        assert_eq!(readiness(&pod("False", "True")).unwrap()["reason"], "ReadinessGatesNotReady");
        assert_eq!(readiness(&pod("True", "False")).unwrap()["reason"], Value::Null);
        assert_eq!(readiness(&pod("True", "True")), None);
        assert_eq!(readiness(&pod("False", "False")), None);
    }

    #[test]
    fn a_crashed_guest_ends_its_pod_with_code_1() {
        let mut status = json!({"phase": "Running", "containerStatuses": [{"name": "compute", "ready": true, "state": {"running": {}}}]});
        terminate(&mut status, "Failed", "2026-01-01T00:00:00Z");
        assert_eq!(status["containerStatuses"][0]["state"]["terminated"]["exitCode"], 1);
        assert_eq!(status["phase"], "Failed");
    }
}
