//! What to do about one instance. Pure: what is wanted and what is seen in, at most one action out.
//!
//! One action a pass: the next pass sees what came of it.

use members::{PodPhase, PodView, VmView};
use store::InstanceIntent;
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
pub(super) fn vm(instance: &InstanceIntent, vm: Option<&VmView>) -> Action {
    let wanted = RunStrategy::of(instance.desired);
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
        Some(vm) => match instance.desired {
            Desired::Running if is_paused(vm) => Action::Unpause,
            Desired::Suspended if vm.printable == "Running" && !vm.changing => Action::Pause,
            Desired::Running | Desired::Suspended | Desired::Stopped => Action::Nothing,
        },
    }
}

/// Whether a VM is paused on request. KubeVirt leaves the condition behind on a stopped VM.
pub(super) fn is_paused(vm: &VmView) -> bool {
    vm.printable == "Paused" && vm.paused.as_deref() == Some("PausedByUser")
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
