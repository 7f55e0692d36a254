//! KubeVirt's VirtualMachines, and the VirtualMachineInstances that exist while they run.

use types::InstanceId;

use super::{Condition, finalizers, instance, terminating};
use crate::{
    kubevirt::{VmSpec, VmStatus, VmiStatus},
    slim::{Skipped, Slim},
    text::{name, name_or_none},
};

pub(crate) type SlimVm = Slim<VmSpec, VmStatus>;
pub(crate) type SlimVmi = Slim<Skipped, VmiStatus>;

/// A VirtualMachine of ours.
#[derive(Debug, Clone, Default)]
pub struct VmView {
    /// Its namespace, which may be another than its cluster's when somebody copied our labels.
    pub namespace: String,
    /// Unique in its namespace, at one time.
    pub name: String,
    /// Unique for ever: deletes carry it, so that they cannot hit a later object of the same name.
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
    /// Its namespace, which may be another than its cluster's when somebody copied our labels.
    pub namespace: String,
    /// Unique in its namespace, at one time.
    pub name: String,
    /// Unique for ever: deletes carry it, so that they cannot hit a later object of the same name.
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

impl From<SlimVm> for VmView {
    fn from(vm: SlimVm) -> Self {
        let Slim { metadata: meta, spec, status } = vm;
        let VmStatus { printable_status, created, conditions, state_change_requests } = status;
        let find = |kind: &str, value: &str| conditions.iter().find(|c| c.type_ == kind && c.status == value);
        let keep = |kind: &str, value: &str| find(kind, value).map(|c| Condition::new(kind, c.reason.clone(), c.message.clone()));
        Self {
            instance: instance(&meta),
            run_strategy: name(spec.run_strategy),
            printable: name(Some(printable_status)),
            created,
            paused: find("Paused", "True").map(|c| name(c.reason.clone())),
            failure: keep("Failure", "True"),
            trouble: keep("Synchronized", "False").or_else(|| keep("PodScheduled", "False")),
            changing: !state_change_requests.is_empty(),
            terminating: terminating(&meta),
            finalizers: finalizers(&meta),
            namespace: name(meta.namespace),
            name: name(meta.name),
            uid: name(meta.uid),
        }
    }
}

impl From<SlimVmi> for VmiView {
    fn from(vmi: SlimVmi) -> Self {
        let Slim { metadata: meta, spec: _, status } = vmi;
        let VmiStatus { phase, node_name, interfaces } = status;
        Self {
            instance: instance(&meta),
            phase: name(Some(phase)),
            ip: name_or_none(interfaces.into_iter().find_map(|i| i.ip_address)),
            node: name_or_none(node_name),
            terminating: terminating(&meta),
            finalizers: finalizers(&meta),
            namespace: name(meta.namespace),
            name: name(meta.name),
            uid: name(meta.uid),
        }
    }
}
