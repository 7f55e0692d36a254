//! What is done about what is seen, as tables.

use super::*;
use crate::compute::fixtures::{NOW, machine, paused, pod, running, wanted};

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
        (Running, Some(paused("PausedIOError")), Action::Nothing),
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
        assert_eq!(vm(&wanted(desired), view.as_ref()), action, "{desired} {view:?}");
    }
}
