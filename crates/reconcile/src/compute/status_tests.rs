//! What is seen against what is recorded, as tables.

use super::{
    super::{
        fixtures,
        plan::{self, Action},
    },
    *,
};

const NOW: i64 = 1_000_000;
const GRACE: Duration = Duration::from_secs(180);

fn condition(reason: &str, message: &str) -> Condition {
    Condition { kind: String::new(), reason: reason.into(), message: message.into() }
}

fn pod() -> PodView {
    PodView { name: "web-instance-1".into(), start_generation: 1, node: Some("node-1".into()), ip: Some("10.0.0.1".into()), ..PodView::default() }
}

fn running() -> PodView {
    PodView { phase: PodPhase::Running, running_since: Some(NOW - 100), ..pod() }
}

fn wanted(desired: Desired) -> InstanceIntent {
    InstanceIntent { desired, ..fixtures::instance(1) }
}

fn seen(instance: &InstanceIntent, pod: Option<&PodView>) -> (State, Option<String>) {
    let finding = container(instance, pod, NOW);
    (finding.state, finding.reason)
}

#[test]
fn containers_are_judged_by_their_pod() {
    let waiting = |reason: &str| PodView { waiting: Some(condition(reason, "")), ..pod() };
    let looping = PodView { phase: PodPhase::Running, waiting: Some(condition("CrashLoopBackOff", "back-off")), restarts: 4, ..pod() };
    let table = [
        ("being made", None, State::Coming, None),
        ("waiting for a node", Some(pod()), State::Coming, None),
        ("starting", Some(waiting("ContainerCreating")), State::Coming, Some("ContainerCreating")),
        ("no image", Some(waiting("ImagePullBackOff")), State::Trouble, Some("ImagePullBackOff")),
        ("no Secret", Some(waiting("CreateContainerConfigError")), State::Trouble, Some("CreateContainerConfigError")),
        ("no room", Some(PodView { unschedulable: Some(condition("Unschedulable", "")), ..pod() }), State::Trouble, Some("Unschedulable")),
        ("up", Some(running()), State::Is(InstanceStatus::Running), None),
        ("up, statuses unknown", Some(PodView { running_since: None, ..running() }), State::Is(InstanceStatus::Running), None),
        ("crashing", Some(looping), State::Trouble, Some("CrashLoopBackOff")),
        ("between two crashes", Some(PodView { restarts: 4, running_since: Some(NOW - 2), ..running() }), State::Coming, Some("Restarted")),
        ("long after a crash", Some(PodView { restarts: 4, ..running() }), State::Is(InstanceStatus::Running), None),
        ("ended", Some(PodView { running_since: None, ended: Some(condition("OOMKilled", "")), ..running() }), State::Trouble, Some("OOMKilled")),
        ("evicted", Some(PodView { phase: PodPhase::Failed, cause: Some(condition("Evicted", "")), ..pod() }), State::Trouble, Some("Evicted")),
        ("all done", Some(PodView { phase: PodPhase::Succeeded, ..pod() }), State::Trouble, Some("Ended")),
        ("node unknown", Some(PodView { phase: PodPhase::Unknown, ..pod() }), State::Trouble, Some("NodeLost")),
        ("deleted by somebody", Some(PodView { terminating: Some(NOW + 30), ..running() }), State::Coming, Some("Terminating")),
        ("node lost", Some(PodView { terminating: Some(NOW - 60), ..running() }), State::Trouble, Some("NodeLost")),
        ("of an older start", Some(PodView { start_generation: 0, ..running() }), State::Coming, Some("Replacing")),
    ];
    for (what, pod, state, reason) in table {
        assert_eq!(seen(&wanted(Desired::Running), pod.as_ref()), (state, reason.map(str::to_owned)), "{what}");
    }
}

#[test]
fn down_is_down_only_when_the_pod_object_is_gone() {
    for (desired, status) in [(Desired::Stopped, InstanceStatus::Stopped), (Desired::Suspended, InstanceStatus::Suspended)] {
        assert_eq!(seen(&wanted(desired), None), (State::Is(status), None));
        assert_eq!(seen(&wanted(desired), Some(&running())), (State::Leaving, None));
        let going = PodView { terminating: Some(NOW + 30), ..running() };
        assert_eq!(seen(&wanted(desired), Some(&going)), (State::Leaving, Some("Terminating".into())));
    }
}

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
        (&up, Some(&ended), Action::Remake),
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
        assert_eq!(plan::container(instance, pod), action, "{:?} {pod:?}", instance.desired);
    }
}

fn machine(strategy: &str, printable: &str) -> VmView {
    let created = !matches!(printable, "" | "Stopped");
    VmView { name: "web-instance-1".into(), run_strategy: strategy.into(), printable: printable.into(), created, ..VmView::default() }
}

fn paused(reason: &str) -> VmView {
    VmView { paused: Some(reason.into()), ..machine("Always", "Paused") }
}

#[test]
fn vms_are_judged_by_their_printable_status() {
    use Desired::*;
    use InstanceStatus as S;
    let here = VmiView::default();
    let failing = VmView { failure: Some(condition("FailedCreate", "denied")), ..machine("Always", "Stopped") };
    let table = [
        (Running, None, None, State::Coming),
        (Running, Some(machine("Always", "")), None, State::Coming),
        (Running, Some(machine("Always", "Stopped")), None, State::Coming),
        (Running, Some(machine("Always", "Starting")), Some(&here), State::Coming),
        (Running, Some(machine("Always", "Provisioning")), None, State::Coming),
        (Running, Some(machine("Always", "Running")), Some(&here), State::Is(S::Running)),
        (Running, Some(machine("Always", "Migrating")), Some(&here), State::Is(S::Running)),
        (Running, Some(machine("Always", "Stopping")), Some(&here), State::Coming),
        (Running, Some(paused("PausedByUser")), Some(&here), State::Leaving),
        (Running, Some(paused("PausedIOError")), Some(&here), State::Broken),
        (Running, Some(paused("PausedByMigrationMonitor")), Some(&here), State::Is(S::Running)),
        (Running, Some(machine("Always", "ErrorUnschedulable")), Some(&here), State::Trouble),
        (Running, Some(machine("Always", "ErrImagePull")), Some(&here), State::Trouble),
        (Running, Some(machine("Always", "CrashLoopBackOff")), None, State::Trouble),
        (Running, Some(machine("Always", "Unknown")), Some(&here), State::Leaving),
        (Running, Some(failing.clone()), None, State::Broken),
        (Suspended, Some(machine("Always", "Running")), Some(&here), State::Leaving),
        (Suspended, Some(paused("PausedByUser")), Some(&here), State::Is(S::Suspended)),
        (Stopped, Some(machine("Halted", "Running")), Some(&here), State::Leaving),
        (Stopped, Some(machine("Halted", "Stopping")), Some(&here), State::Leaving),
        (Stopped, Some(machine("Halted", "Stopped")), Some(&here), State::Leaving),
        (Stopped, Some(machine("Halted", "Stopped")), None, State::Is(S::Stopped)),
        (Stopped, Some(VmView { paused: Some("PausedByUser".into()), ..machine("Halted", "Stopped") }), None, State::Is(S::Stopped)),
        (Stopped, None, None, State::Is(S::Stopped)),
    ];
    for (desired, view, instance, state) in table {
        let finding = vm(&wanted(desired), view.as_ref(), instance);
        assert_eq!(finding.state, state, "{desired} {view:?}");
    }
    let finding = vm(&wanted(Running), Some(&failing), None);
    assert_eq!((finding.reason.as_deref(), finding.message.as_deref()), (Some("FailedCreate"), Some("denied")));
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
        (Stopped, Some(machine("Halted", "Stopping")), Action::Nothing),
        (Running, Some(going), Action::Nothing),
    ];
    for (desired, view, action) in table {
        assert_eq!(plan::vm(&wanted(desired), view.as_ref()), action, "{desired} {view:?}");
    }
}

fn recorded(instance: &InstanceIntent, state: State, troubled: u64) -> (InstanceStatus, i64) {
    let finding = Finding::new(state).because("Word", "sentence");
    let observed = settle(instance, &finding, Duration::from_secs(troubled), GRACE);
    (observed.status, observed.generation)
}

fn before(status: InstanceStatus, generation: i64) -> InstanceIntent {
    let mut instance = InstanceIntent { generation: 5, ..wanted(Desired::Running) };
    instance.observed.status = status;
    instance.observed.generation = generation;
    instance
}

#[test]
fn a_generation_settles_on_what_it_wants_or_on_failure() {
    use InstanceStatus::*;
    let fresh = before(Stopped, 4);
    assert_eq!(recorded(&fresh, State::Is(Running), 0), (Running, 5));
    assert_eq!(recorded(&fresh, State::Is(Suspended), 0), (Suspended, 4), "not what is wanted");
    assert_eq!(recorded(&fresh, State::Coming, 0), (Pending, 4));
    assert_eq!(recorded(&fresh, State::Leaving, 0), (Stopped, 4), "still what it was");
    assert_eq!(recorded(&fresh, State::Broken, 0), (Failed, 5));
    assert_eq!(recorded(&fresh, State::Trouble, 179), (Pending, 4), "grace");
    assert_eq!(recorded(&fresh, State::Trouble, 180), (Failed, 5));
    let up = before(Running, 5);
    assert_eq!(recorded(&up, State::Coming, 0), (Pending, 5), "degraded, yet once settled");
}

#[test]
fn failure_is_left_by_arriving_or_by_a_new_intent() {
    use InstanceStatus::*;
    let failed = before(Failed, 5);
    assert_eq!(recorded(&failed, State::Coming, 0), (Failed, 5));
    assert_eq!(recorded(&failed, State::Trouble, 0), (Failed, 5), "no second grace, also after a restart of ours");
    assert_eq!(recorded(&failed, State::Is(Running), 0), (Running, 5));
    assert_eq!(recorded(&before(Failed, 4), State::Coming, 0), (Pending, 4), "started anew");
    assert_eq!(recorded(&before(Failed, 4), State::Leaving, 0), (Failed, 4), "a stop of a failed one is not settled yet");
}

#[test]
fn without_kubevirt_a_vm_waits_and_then_fails() {
    let finding = without_kubevirt(&wanted(Desired::Running));
    assert_eq!((finding.state, finding.reason.as_deref()), (State::Trouble, Some("KubeVirtNotInstalled")));
    assert_eq!(without_kubevirt(&wanted(Desired::Stopped)).state, State::Is(InstanceStatus::Stopped));
}
