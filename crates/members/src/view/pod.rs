//! Pods: instances that are containers, and launchers of VMs.

use k8s_openapi::api::core::v1::PodStatus;
use serde::Deserialize;
use types::{InstanceId, labels};

use super::{Condition, annotation, instance, label, terminating};
use crate::slim::Slim;

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
        let restarts = container.as_ref().map_or(0, |c| c.restart_count);
        let (state, last) = container.map(|c| (c.state.unwrap_or_default(), c.last_state.unwrap_or_default())).unwrap_or_default();
        let ended = state.terminated.or(last.terminated).map(|t| {
            let said = t.message.filter(|m| !m.is_empty()).unwrap_or_else(|| format!("exit code {}", t.exit_code));
            Condition::new("", t.reason, Some(said))
        });
        let not_scheduled = status.conditions.into_iter().flatten().find(|c| c.type_ == "PodScheduled" && c.status == "False");
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
            waiting: state.waiting.map(|w| Condition::new("", w.reason, w.message)),
            ended,
            restarts,
            running_since: state.running.map(|r| r.started_at.map_or(0, |time| time.0.as_second())),
            ip: status.pod_ip.filter(|ip| !ip.is_empty()),
            node: spec.node_name,
            terminating: terminating(&meta),
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            finalizers: meta.finalizers.unwrap_or_default(),
        }
    }
}
