//! What is seen of a VM, from KubeVirt's printable status. Pure.

use std::time::Duration;

use members::{VmView, VmiView};
use store::InstanceIntent;
use types::{Desired, InstanceStatus};

use super::{Finding, Seen};
use crate::compute::{
    plan::{self, is_paused},
    vm::RunStrategy,
};

/// When to look again although the cluster is named when KubeVirt comes.
const KUBEVIRT_RECHECK: Duration = Duration::from_secs(30);

const MEMORY_LOST: &str = "the node that held its memory was lost, or it was evicted; it is off, its disks are kept, and resume starts it";

/// Of a VM.
pub(super) fn find(instance: &InstanceIntent, vm: Option<&VmView>, vmi: Option<&VmiView>) -> Finding {
    let wanted = instance.desired;
    let finding = match vm {
        _ if plan::has_lost_memory(instance, vm, vmi) => {
            let off = vmi.is_none() && vm.is_none_or(|vm| !vm.created && vm.run_strategy == RunStrategy::Halted.as_str());
            let seen = if off { Seen::Arrived(InstanceStatus::Stopped) } else { Seen::Degraded };
            Finding::new(seen).because("MemoryLost", MEMORY_LOST)
        }
        // Made again if it vanished, but what does not exist does not run.
        None if wanted == Desired::Stopped && vmi.is_none() => Finding::new(Seen::Arrived(InstanceStatus::Stopped)),
        None => Finding::new(Seen::Starting),
        Some(vm) if plan::is_to_go_on(instance, vm) && wanted == Desired::Running => {
            Finding::new(Seen::Degraded).because("PausedIOError", "the VM was paused because its storage fails; it is told to go on")
        }
        Some(vm) => existing(wanted, vm, vmi),
    };
    let Some(vmi) = vmi else { return finding };
    Finding { ip: vmi.ip.clone(), node: vmi.node.clone(), incarnation: Some(vmi.uid.clone()), ..finding }
}

fn existing(wanted: Desired, vm: &VmView, vmi: Option<&VmiView>) -> Finding {
    let off = || match wanted {
        Desired::Stopped => Finding::new(Seen::Unchanged),
        Desired::Running | Desired::Suspended => Finding::new(Seen::Starting),
    };
    let word = vm.printable.as_str();
    match word {
        "Running" | "Migrating" => match wanted {
            Desired::Running => Finding::new(Seen::Arrived(InstanceStatus::Running)),
            Desired::Stopped | Desired::Suspended => Finding::new(Seen::Unchanged),
        },
        "Paused" if is_paused(vm) => match wanted {
            Desired::Suspended => Finding::new(Seen::Arrived(InstanceStatus::Suspended)),
            Desired::Running | Desired::Stopped => Finding::new(Seen::Unchanged).because(word, ""),
        },
        "Paused" => match vm.paused.as_deref() {
            Some("PausedByMigrationMonitor") if wanted == Desired::Running => Finding::new(Seen::Arrived(InstanceStatus::Running)),
            // On its way down it is no failure of the stop.
            Some("PausedIOError") if wanted != Desired::Stopped => {
                Finding::new(Seen::Failed).because("PausedIOError", "the VM was paused because its storage fails")
            }
            _ => Finding::new(Seen::Unchanged).because(word, ""),
        },
        // Only with its instance gone, and with it the launcher that holds its memory.
        "Stopped" if wanted == Desired::Stopped && vmi.is_none() && !vm.created => Finding::new(Seen::Arrived(InstanceStatus::Stopped)),
        "Stopped" if wanted == Desired::Stopped => Finding::new(Seen::Unchanged).because("Stopping", &held_by(vmi)),
        // "Stopped" is what a new VM shows first, and one between two runs.
        "" | "Stopped" => match &vm.failure {
            Some(failure) => Finding::new(Seen::Failed).of(failure),
            None => Finding::new(Seen::Starting).because(word, ""),
        },
        "Provisioning" | "WaitingForVolumeBinding" | "Starting" | "WaitingForReceiver" => off().because(word, ""),
        "Stopping" | "Terminating" => off().because(word, &held_by(vmi)),
        "Unknown" => Finding::new(Seen::Unchanged).because("NodeLost", "KubeVirt does not know the state: the node does not answer"),
        _ if wanted == Desired::Stopped => Finding::new(Seen::Unchanged).because(word, ""),
        fault => Finding::new(Seen::Degraded).because(fault, vm.trouble.as_ref().map_or("", |trouble| trouble.message.as_str())),
    }
}

/// What keeps a VirtualMachineInstance that was deleted.
fn held_by(vmi: Option<&VmiView>) -> String {
    match vmi {
        Some(vmi) if vmi.terminating.is_some() && !vmi.finalizers.is_empty() => {
            format!("its VirtualMachineInstance waits for {}", vmi.finalizers.join(", "))
        }
        _ => String::new(),
    }
}

/// A VM on a member without KubeVirt.
pub(super) fn find_without_kubevirt(instance: &InstanceIntent) -> Finding {
    match instance.desired {
        Desired::Stopped => Finding::new(Seen::Arrived(InstanceStatus::Stopped)),
        Desired::Running | Desired::Suspended => Finding::new(Seen::Degraded)
            .because("KubeVirtNotInstalled", "this Kubernetes does not serve kubevirt.io/v1")
            .look_again_in(KUBEVIRT_RECHECK),
    }
}

#[cfg(test)]
#[path = "vm_tests.rs"]
mod tests;
