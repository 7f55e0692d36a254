//! What we keep of each watched object: exactly the fields that reconciling uses, texts cut to a bounded length.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{NamespaceStatus, PodStatus},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use types::{ClusterId, InstanceId, labels};

use crate::{
    kubevirt::{VmSpec, VmStatus, VmiStatus},
    slim::Slim,
};

pub(crate) type SlimPod = Slim<PodSpec, PodStatus>;
pub(crate) type SlimNamespace = Slim<Skipped, NamespaceStatus>;
pub(crate) type SlimVm = Slim<VmSpec, VmStatus>;
pub(crate) type SlimVmi = Slim<Skipped, VmiStatus>;

/// A part that is skipped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// The part of a Pod's spec that is not ours to say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PodSpec {
    node_name: Option<String>,
}

/// Longest text that is kept.
const TEXT_MAX: usize = 512;

/// A condition, a container's state: a word and a sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Type of a condition; empty for a container's state.
    pub kind: String,
    /// A word.
    pub reason: String,
    /// A sentence; may be empty.
    pub message: String,
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
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// The instance it was made for.
    pub instance: Option<InstanceId>,
    /// The start generation it was made for; 0 when it does not say.
    pub start_generation: i64,
    /// Whether it is a VM's launcher rather than an instance itself.
    pub launcher: bool,
    /// Phase.
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

/// A VirtualMachine of ours.
#[derive(Debug, Clone, Default)]
pub struct VmView {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// The instance it was made for.
    pub instance: Option<InstanceId>,
    /// `spec.runStrategy`.
    pub run_strategy: String,
    /// `status.printableStatus`; empty until virt-controller saw it.
    pub printable: String,
    /// Whether a VirtualMachineInstance exists.
    pub created: bool,
    /// Reason of condition `Paused`, while true. Left behind by KubeVirt on a stopped VM.
    pub paused: Option<String>,
    /// Condition `Failure`, while true.
    pub failure: Option<Condition>,
    /// Why it cannot start: `PodScheduled` or `Synchronized` is false.
    pub trouble: Option<Condition>,
    /// Whether virt-controller has start or stop requests left to carry out.
    pub changing: bool,
    /// When it was deleted, in seconds since 1970.
    pub terminating: Option<i64>,
    /// What keeps it from going.
    pub finalizers: Vec<String>,
}

/// A VirtualMachineInstance of ours.
#[derive(Debug, Clone, Default)]
pub struct VmiView {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// The instance it was made for.
    pub instance: Option<InstanceId>,
    /// `status.phase`.
    pub phase: String,
    /// Its address.
    pub ip: Option<String>,
    /// Its node.
    pub node: Option<String>,
    /// When it was deleted, in seconds since 1970.
    pub terminating: Option<i64>,
    /// What keeps it from going.
    pub finalizers: Vec<String>,
}

/// A Namespace with our installation's label.
#[derive(Debug, Clone, Default)]
pub struct NamespaceView {
    /// Name.
    pub name: String,
    /// UID.
    pub uid: String,
    /// Our labels and those of Pod Security.
    pub labels: BTreeMap<String, String>,
    /// Annotation [`labels::CLAIM`].
    pub claim: Option<String>,
    /// When it was deleted, in seconds since 1970.
    pub terminating: Option<i64>,
    /// Conditions that are true: while terminating, what blocks it.
    pub conditions: Vec<Condition>,
}

/// Where in the cache an object belongs.
pub(crate) struct Place {
    pub(crate) cluster: ClusterId,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Cluster id of objects whose label is no number: rows start at 1, so they belong to nobody.
pub(crate) const NOBODY: ClusterId = ClusterId(-1);

pub(crate) fn place(meta: &ObjectMeta) -> Place {
    Place {
        cluster: label(meta, labels::CLUSTER_ID).and_then(|id| id.parse().ok()).unwrap_or(NOBODY),
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
    }
}

fn label<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(name).map(String::as_str)
}

fn annotation<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(name).map(String::as_str)
}

fn instance(meta: &ObjectMeta) -> Option<InstanceId> {
    label(meta, labels::INSTANCE_ID)?.parse().ok()
}

fn terminating(meta: &ObjectMeta) -> Option<i64> {
    meta.deletion_timestamp.as_ref().map(|time| time.0.as_second())
}

/// A text from the member, fit to be stored and shown: of bounded length, without control characters (PostgreSQL
/// refuses NUL, and a terminal would obey the others).
pub(crate) fn cut(text: Option<String>) -> String {
    let mut text = text.unwrap_or_default();
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    if text.len() > TEXT_MAX {
        let end = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text.shrink_to_fit();
    text
}

impl Condition {
    pub(crate) fn new(kind: &str, reason: Option<String>, message: Option<String>) -> Self {
        Self { kind: kind.to_owned(), reason: cut(reason), message: cut(message) }
    }
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

impl From<SlimVm> for VmView {
    fn from(vm: SlimVm) -> Self {
        let Slim { metadata: meta, spec, status } = vm;
        let VmStatus { printable_status, created, conditions, state_change_requests } = status;
        let find = |kind: &str, value: &str| conditions.iter().find(|c| c.type_ == kind && c.status == value);
        let keep = |kind: &str, value: &str| find(kind, value).map(|c| Condition::new(kind, c.reason.clone(), c.message.clone()));
        Self {
            instance: instance(&meta),
            run_strategy: spec.run_strategy.unwrap_or_default(),
            printable: cut(Some(printable_status)),
            created,
            paused: find("Paused", "True").map(|c| c.reason.clone().unwrap_or_default()),
            failure: keep("Failure", "True"),
            trouble: keep("Synchronized", "False").or_else(|| keep("PodScheduled", "False")),
            changing: !state_change_requests.is_empty(),
            terminating: terminating(&meta),
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            finalizers: meta.finalizers.unwrap_or_default(),
        }
    }
}

impl From<SlimVmi> for VmiView {
    fn from(vmi: SlimVmi) -> Self {
        let Slim { metadata: meta, spec: _, status } = vmi;
        let VmiStatus { phase, node_name, interfaces } = status;
        Self {
            instance: instance(&meta),
            phase,
            ip: interfaces.into_iter().find_map(|i| i.ip_address).filter(|ip| !ip.is_empty()),
            node: node_name,
            terminating: terminating(&meta),
            namespace: meta.namespace.unwrap_or_default(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
            finalizers: meta.finalizers.unwrap_or_default(),
        }
    }
}

impl From<SlimNamespace> for NamespaceView {
    fn from(namespace: SlimNamespace) -> Self {
        let Slim { metadata: meta, spec: _, status } = namespace;
        let conditions = status.conditions.into_iter().flatten().filter(|c| c.status == "True");
        let wanted = |name: &str| {
            name.starts_with("kubekcloud.io/")
                || name.starts_with("pod-security.kubernetes.io/")
                || [labels::MANAGED_BY, labels::INSTANCE_TYPE].contains(&name)
        };
        Self {
            claim: annotation(&meta, labels::CLAIM).map(str::to_owned),
            terminating: terminating(&meta),
            conditions: conditions.map(|c| Condition::new(&c.type_, c.reason, c.message)).collect(),
            labels: meta.labels.into_iter().flatten().filter(|(name, _)| wanted(name)).collect(),
            name: meta.name.unwrap_or_default(),
            uid: meta.uid.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_a_member_are_fit_to_be_stored() {
        assert_eq!(cut(None), "");
        assert_eq!(cut(Some("a\0b\u{1b}[31mc\r\n\td\u{85}é".into())), "ab[31mc\n\tdé");
        let long = cut(Some("é".repeat(TEXT_MAX)));
        assert!(long.len() <= TEXT_MAX + '…'.len_utf8() && long.ends_with("é…"), "{long}");
    }
}
