//! What is done about what is seen, as tables.

use super::*;
use crate::compute::fixtures::{NOW, asleep, incarnation, machine, paused, pod, running, settled, wanted};

#[test]
fn containers_are_acted_upon_once_and_only_when_that_is_safe() {
    let ended = PodView { phase: PodPhase::Failed, ..pod() };
    let going = PodView { terminating: Some(NOW), ..running() };
    let old = PodView { start_generation: 0, ..running() };
    let gone = InstanceIntent { deleting: true, ..wanted(Desired::Running) };
    let up = wanted(Desired::Running);
    let down = wanted(Desired::Stopped);
    let asleep = wanted(Desired::Suspended);
    let table = [
        (&up, None, Action::Create),
        (&up, Some(&running()), Action::Nothing),
        (&up, Some(&ended), Action::Recreate),
        (&up, Some(&old), Action::Delete),
        (&up, Some(&going), Action::Nothing),
        (&down, None, Action::Nothing),
        (&down, Some(&running()), Action::Delete),
        (&down, Some(&going), Action::Nothing),
        (&asleep, Some(&running()), Action::Delete),
        (&gone, Some(&running()), Action::Delete),
        (&gone, None, Action::Nothing),
    ];
    for (instance, pod, action) in table {
        assert_eq!(container(instance, pod), action, "{:?} {pod:?}", instance.desired);
    }
}

#[test]
fn only_our_desired_state_writes_the_run_strategy() {
    use Desired::*;
    let going = VmView { terminating: Some(NOW), ..machine("Always", "Terminating") };
    let table = [
        (Running, None, Action::Run),
        (Stopped, None, Action::Halt),
        (Suspended, None, Action::Run),
        (Running, Some(machine("Always", "Running")), Action::Nothing),
        (Running, Some(machine("Halted", "Stopped")), Action::Run),
        (Running, Some(paused("PausedByUser")), Action::Unpause),
        (Suspended, Some(machine("Always", "Starting")), Action::Nothing),
        (Suspended, Some(machine("Always", "Running")), Action::Pause),
        (Suspended, Some(VmView { changing: true, ..machine("Always", "Running") }), Action::Nothing),
        (Suspended, Some(paused("PausedByUser")), Action::Nothing),
        (Stopped, Some(machine("Always", "Running")), Action::Halt),
        (Stopped, Some(paused("PausedByUser")), Action::Halt),
        (Stopped, Some(paused("PausedIOError")), Action::Halt),
        (Stopped, Some(machine("Always", "Unknown")), Action::Halt),
        (Stopped, Some(machine("Always", "CrashLoopBackOff")), Action::Halt),
        (Stopped, Some(machine("Halted", "Stopping")), Action::Nothing),
        (Running, Some(going), Action::Nothing),
    ];
    for (desired, view, action) in table {
        assert_eq!(vm(&wanted(desired), view.as_ref(), None), action, "{desired} {view:?}");
    }
}

#[test]
fn a_start_tells_a_vm_to_go_on_that_its_storage_stopped_and_nothing_else_does() {
    let stopped = paused("PausedIOError");
    assert_eq!(vm(&wanted(Desired::Running), Some(&stopped), None), Action::Unpause, "its owner asked for it");
    assert_eq!(vm(&settled(Desired::Running), Some(&stopped), None), Action::Nothing, "it failed, and that is known");
    assert_eq!(vm(&wanted(Desired::Suspended), Some(&stopped), None), Action::Nothing);
}

#[test]
fn a_suspended_vm_that_lost_its_memory_is_turned_off_and_not_paused_again() {
    let asleep = asleep("first");
    let (first, other) = (incarnation("first"), incarnation("other"));
    let gone = machine("Always", "Stopped");
    let table = [
        (Some(paused("PausedByUser")), Some(&first), false, Action::Nothing),
        (Some(machine("Always", "Running")), Some(&first), false, Action::Pause),
        (Some(paused("PausedByUser")), None, false, Action::Nothing),
        (Some(machine("Always", "Running")), Some(&other), true, Action::Halt),
        (Some(machine("Always", "Starting")), Some(&other), true, Action::Halt),
        (Some(paused("PausedByUser")), Some(&other), true, Action::Halt),
        (Some(gone.clone()), None, true, Action::Halt),
        (None, None, true, Action::Halt),
        (Some(machine("Halted", "Stopping")), Some(&other), true, Action::Nothing),
        (Some(machine("Halted", "Stopped")), None, true, Action::Nothing),
    ];
    for (view, vmi, lost, action) in table {
        assert_eq!((has_lost_memory(&asleep, view.as_ref(), vmi), vm(&asleep, view.as_ref(), vmi)), (lost, action), "{view:?} {vmi:?}");
    }
    let resumed = InstanceIntent { desired: Desired::Running, generation: asleep.generation + 1, ..asleep.clone() };
    assert_eq!(vm(&resumed, Some(&machine("Halted", "Stopped")), None), Action::Run, "resume starts it");
    let anew = InstanceIntent { generation: asleep.generation + 1, ..asleep };
    assert!(!has_lost_memory(&anew, Some(&gone), None), "suspended anew, it has none to lose yet");
}
