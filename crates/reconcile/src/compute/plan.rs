//! What to do about one instance. Pure: what is wanted and what is seen in, at most one action out.
//!
//! One action a pass: the next pass sees what came of it.

use members::{PodPhase, PodView, VmView, VmiView};
use store::{InstanceIntent, InstanceObserved};
use types::Desired;

use super::vm::RunStrategy;

/// A write for one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is as it should be, or on its way.
    Nothing,
    /// Make the Pod, and what it needs first.
    Create,
    /// Delete the Pod, or the VM.
    Delete,
    /// Delete a Pod that ended by itself, to make another.
    Recreate,
    /// Apply the VM, to run.
    Run,
    /// Apply the VM, to be off.
    Halt,
    /// Pause the VM.
    Pause,
    /// Let the VM go on.
    Unpause,
}

/// For a container.
pub(super) fn container(instance: &InstanceIntent, pod: Option<&PodView>) -> Action {
    let wanted = instance.desired == Desired::Running && !instance.deleting;
    match pod {
        None if wanted => Action::Create,
        None => Action::Nothing,
        // Its name stays taken until it is gone. No second Pod may run beside one whose node merely does not answer.
        Some(pod) if pod.terminating.is_some() => Action::Nothing,
        Some(_) if !wanted => Action::Delete,
        Some(pod) if pod.start_generation < instance.start_generation => Action::Delete,
        Some(pod) if matches!(pod.phase, PodPhase::Failed | PodPhase::Succeeded) => Action::Recreate,
        Some(_) => Action::Nothing,
    }
}

/// For a VM.
pub(super) fn vm(instance: &InstanceIntent, vm: Option<&VmView>, vmi: Option<&VmiView>) -> Action {
    // To pause what KubeVirt started in its place would look as if nothing had happened.
    let wanted = if has_lost_memory(instance, vm, vmi) { RunStrategy::Halted } else { RunStrategy::of(instance.desired) };
    let apply = match wanted {
        RunStrategy::Always => Action::Run,
        RunStrategy::Halted => Action::Halt,
    };
    match vm {
        None if instance.deleting => Action::Nothing,
        None => apply,
        Some(vm) if vm.terminating.is_some() => Action::Nothing,
        Some(_) if instance.deleting => Action::Delete,
        // Also undoes what virt-controller did: a pending start request turns a halted VM back on.
        Some(vm) if vm.run_strategy != wanted.as_str() => apply,
        Some(_) if wanted == RunStrategy::Halted => Action::Nothing,
        Some(vm) => match instance.desired {
            Desired::Running if is_paused(vm) || is_to_go_on(instance, vm) => Action::Unpause,
            Desired::Suspended if vm.printable == "Running" && !vm.changing => Action::Pause,
            Desired::Running | Desired::Suspended | Desired::Stopped => Action::Nothing,
        },
    }
}

/// Whether a VM is paused on request. KubeVirt leaves the condition behind on a stopped VM.
pub(super) fn is_paused(vm: &VmView) -> bool {
    vm.printable == "Paused" && vm.paused.as_deref() == Some("PausedByUser")
}

/// Whether a VM was paused because its storage fails.
pub(super) fn is_paused_by_storage(vm: &VmView) -> bool {
    vm.printable == "Paused" && vm.paused.as_deref() == Some("PausedIOError")
}

/// Whether a VM that its storage stopped is to be tried again, as its owner asked. By itself it would go on, and stop,
/// for ever.
pub(super) fn is_to_go_on(instance: &InstanceIntent, vm: &VmView) -> bool {
    is_paused_by_storage(vm) && instance.observed.generation != instance.generation
}

/// Whether a suspended VM has lost the memory that it was to keep: what held it when the pause settled is gone, with its
/// node or by an eviction, and something else runs in its place, or nothing. That stays so until its owner wants
/// something new of it.
pub(super) fn has_lost_memory(instance: &InstanceIntent, vm: Option<&VmView>, vmi: Option<&VmiView>) -> bool {
    let InstanceObserved { generation, incarnation, .. } = &instance.observed;
    let Some(kept) = incarnation.as_deref().filter(|_| instance.desired == Desired::Suspended && *generation == instance.generation) else {
        return false;
    };
    match vmi {
        Some(vmi) => vmi.uid != kept,
        // A VM that says that it has one has it: two watches are not in step.
        None => vm.is_none_or(|vm| !vm.created),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
