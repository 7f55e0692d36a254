//! Pods: instances that are containers, and launchers of VMs.

use k8s_openapi::api::core::v1::PodStatus;
use serde::Deserialize;
use types::{InstanceId, labels};

use super::{Condition, annotation, finalizers, instance, label, terminating};
use crate::{
    slim::Slim,
    text::{name, name_or_none, seconds},
};

pub(crate) type SlimPod = Slim<PodSpec, PodStatus>;

/// The part of a Pod's spec that is not ours to say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodSpec {
    node_name: Option<String>,
}

/// A Pod's `status.phase`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PodPhase {
    /// Not all containers have started.
    #[default]
    Pending,
    /// At least one runs or is being restarted.
    Running,
    /// All ended well.
    Succeeded,
    /// All ended, at least one badly; or evicted.
    Failed,
    /// The node does not answer.
    Unknown,
}

/// A Pod of ours: an instance, or the launcher of a VM.
#[derive(Debug, Clone, Default)]
pub struct PodView {
    /// Its namespace, which may be another than its cluster's when somebody copied our labels.
    pub namespace: String,
    /// Unique in its namespace, at one time.
    pub name: String,
    /// Unique for ever: deletes carry it, so that they cannot hit a later object of the same name.
    pub uid: String,
    /// The instance it was made for.
    pub instance: Option<InstanceId>,
    /// The start generation it was made for; 0 when it does not say.
    pub start_generation: i64,
    /// Whether it is a VM's launcher rather than an instance itself.
    pub launcher: bool,
    /// As the kubelet, or for a lost node the node controller, last said it.
    pub phase: PodPhase,
    /// Why it is in that phase, for example `Evicted` or `NodeLost`.
    pub cause: Option<Condition>,
    /// Why it was not given a node.
    pub unschedulable: Option<Condition>,
    /// Whether condition `Ready` is true.
    pub ready: bool,
    /// Condition `Ready` while it is false or unknown: why. A node that is lost shows here long before the phase says so.
    pub unready: Option<Condition>,
    /// What its container waits for, for example `ImagePullBackOff`.
    pub waiting: Option<Condition>,
    /// How its container last ended.
    pub ended: Option<Condition>,
    /// How often its container was restarted.
    pub restarts: i32,
    /// Since when its container runs, in seconds since 1970.
    pub running_since: Option<i64>,
    /// Its address.
    pub ip: Option<String>,
    /// Its node.
    pub node: Option<String>,
    /// When it should be gone, in seconds since 1970; set once it was deleted.
    pub terminating: Option<i64>,
    /// What keeps it from going.
    pub finalizers: Vec<String>,
}

impl From<SlimPod> for PodView {
    fn from(pod: SlimPod) -> Self {
        let Slim { metadata: meta, spec, status } = pod;
        let container = status.container_statuses.into_iter().flatten().find(|c| c.name == "main" || c.name == "compute");
        let restarts = container.as_ref().map_or(0, |c| c.restart_count.max(0));
        let (state, last) = container.map(|c| (c.state.unwrap_or_default(), c.last_state.unwrap_or_default())).unwrap_or_default();
        let ended = state.terminated.or(last.terminated).map(|t| {
            let said = t.message.filter(|m| !m.is_empty()).unwrap_or_else(|| format!("exit code {}", t.exit_code));
            Condition::new("", t.reason, Some(said))
        });
        let mut not_scheduled = None;
        let mut ready = None;
        for condition in status.conditions.into_iter().flatten() {
            match condition.type_.as_str() {
                "PodScheduled" if condition.status == "False" => not_scheduled = Some(condition),
                "Ready" => ready = Some(condition),
                _ => {}
            }
        }
        let phase = match status.phase.as_deref() {
            Some("Running") => PodPhase::Running,
            Some("Succeeded") => PodPhase::Succeeded,
            Some("Failed") => PodPhase::Failed,
            Some("Unknown") => PodPhase::Unknown,
            _ => PodPhase::Pending,
        };
        Self {
            instance: instance(&meta),
            start_generation: annotation(&meta, labels::START_GENERATION).and_then(|n| n.parse().ok()).unwrap_or(0),
            launcher: label(&meta, "kubevirt.io") == Some("virt-launcher"),
            phase,
            cause: status.reason.map(|reason| Condition::new("", Some(reason), status.message)),
            unschedulable: not_scheduled.map(|c| Condition::new("PodScheduled", c.reason, c.message)),
            ready: ready.as_ref().is_some_and(|c| c.status == "True"),
            unready: ready.filter(|c| c.status != "True").map(|c| Condition::new("Ready", c.reason, c.message)),
            waiting: state.waiting.map(|w| Condition::new("", w.reason, w.message)),
            ended,
            restarts,
            running_since: state.running.map(|r| r.started_at.map_or(0, |time| seconds(time.0.as_second()))),
            ip: name_or_none(status.pod_ip),
            node: name_or_none(spec.node_name),
            terminating: terminating(&meta),
            finalizers: finalizers(&meta),
            namespace: name(meta.namespace),
            name: name(meta.name),
            uid: name(meta.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn view(object: Value) -> PodView {
        PodView::from(serde_json::from_value::<SlimPod>(object).unwrap())
    }

    #[test]
    fn readiness_is_kept_with_its_reason() {
        let pod = |condition: Value| {
            view(json!({"metadata": {}, "status": {"phase": "Running", "conditions": [{"type": "PodScheduled", "status": "True"}, condition]}}))
        };
        let ready = pod(json!({"type": "Ready", "status": "True"}));
        assert!(ready.ready && ready.unready.is_none() && ready.unschedulable.is_none());
        let lost = pod(json!({"type": "Ready", "status": "False", "reason": "NodeNotReady", "message": "m"}));
        assert!(!lost.ready);
        assert_eq!(lost.unready, Some(Condition::new("Ready", Some("NodeNotReady".into()), Some("m".into()))));
        let unknown = pod(json!({"type": "Ready", "status": "Unknown"}));
        assert!(!unknown.ready && unknown.unready.is_some());
        let young = view(json!({"metadata": {}}));
        assert!(!young.ready && young.unready.is_none());
    }

    #[test]
    fn what_a_member_says_of_a_pod_is_cut() {
        let long = "x".repeat(10_000);
        let pod = view(json!({
            "metadata": {"name": long, "uid": long, "finalizers": vec![long.clone(); 100]},
            "spec": {"nodeName": format!("n\0{long}")},
            "status": {
                "podIP": long, "message": long, "reason": long,
                "containerStatuses": [{
                    "name": "main", "image": "", "imageID": "", "ready": false, "restartCount": i32::MIN,
                    "state": {"running": {"startedAt": "0001-01-01T00:00:00Z"}},
                }],
            },
        }));
        assert_eq!((pod.restarts, pod.running_since, pod.finalizers.len()), (0, Some(0), 16));
        assert!(pod.node.as_deref().is_some_and(|node| node.starts_with("nx") && node.len() == 253));
        assert!([&pod.name, &pod.uid, pod.ip.as_ref().unwrap(), &pod.cause.unwrap().message].iter().all(|text| text.len() < 520));
    }
}
