//! What is seen of containers, as tables.

use super::*;
use crate::compute::fixtures::{AGES, HOUR, NOW, condition, pod, running, wanted};

fn seen(instance: &InstanceIntent, pod: Option<&PodView>) -> (Seen, Option<String>) {
    seen_at(instance, pod, AGES)
}

fn seen_at(instance: &InstanceIntent, pod: Option<&PodView>, ages: Ages) -> (Seen, Option<String>) {
    let finding = find(instance, pod, ages);
    (finding.seen, finding.reason)
}

#[test]
fn containers_are_judged_by_their_pod() {
    let waiting = |reason: &str| PodView { waiting: Some(condition(reason, "")), ..pod() };
    let looping = PodView { phase: PodPhase::Running, waiting: Some(condition("CrashLoopBackOff", "back-off")), restarts: 4, ..pod() };
    let table = [
        ("being made", None, Seen::Starting, None),
        ("waiting for a node", Some(pod()), Seen::Starting, None),
        ("starting", Some(waiting("ContainerCreating")), Seen::Starting, Some("ContainerCreating")),
        ("no image", Some(waiting("ImagePullBackOff")), Seen::Degraded, Some("ImagePullBackOff")),
        ("no Secret", Some(waiting("CreateContainerConfigError")), Seen::Degraded, Some("CreateContainerConfigError")),
        ("no room", Some(PodView { unschedulable: Some(condition("Unschedulable", "")), ..pod() }), Seen::Degraded, Some("Unschedulable")),
        ("up", Some(running()), Seen::Arrived(InstanceStatus::Running), None),
        ("up, statuses unknown", Some(PodView { running_since: None, ..running() }), Seen::Arrived(InstanceStatus::Running), None),
        ("crashing", Some(looping), Seen::Degraded, Some("CrashLoopBackOff")),
        ("long after a crash", Some(PodView { restarts: 4, ..running() }), Seen::Arrived(InstanceStatus::Running), None),
        ("ended", Some(PodView { running_since: None, ended: Some(condition("OOMKilled", "")), ..running() }), Seen::Degraded, Some("OOMKilled")),
        ("evicted", Some(PodView { phase: PodPhase::Failed, cause: Some(condition("Evicted", "")), ..pod() }), Seen::Degraded, Some("Evicted")),
        ("all done", Some(PodView { phase: PodPhase::Succeeded, ..pod() }), Seen::Degraded, Some("Ended")),
        ("node unknown", Some(PodView { phase: PodPhase::Unknown, ..pod() }), Seen::Degraded, Some("NodeLost")),
        ("deleted by somebody", Some(PodView { terminating: Some(NOW + 30), ..running() }), Seen::Starting, Some("Terminating")),
        ("of an older start", Some(PodView { start_generation: 0, ..running() }), Seen::Starting, Some("Replacing")),
    ];
    for (what, pod, wanted_seen, reason) in table {
        assert_eq!(seen(&wanted(Desired::Running), pod.as_ref()), (wanted_seen, reason.map(str::to_owned)), "{what}");
    }
}

#[test]
fn a_node_that_does_not_answer_is_said_and_an_app_that_is_not_ready_is_not_our_fault() {
    let unready = |reason: &str| PodView { unready: Some(condition(reason, "")), ..running() };
    let up = wanted(Desired::Running);
    let table = [
        ("not ready", unready("ContainersNotReady"), Seen::Arrived(InstanceStatus::Running), None),
        ("a gate", unready("ReadinessGatesNotReady"), Seen::Arrived(InstanceStatus::Running), None),
        ("by the node controller", unready(""), Seen::Unchanged, Some("NodeLost")),
        ("the same in words", unready("NodeNotReady"), Seen::Unchanged, Some("NodeLost")),
        ("starting", PodView { unready: Some(condition("ContainersNotReady", "")), ..pod() }, Seen::Starting, None),
        ("deleted for its taint", PodView { terminating: Some(NOW), ..unready("") }, Seen::Degraded, Some("NodeLost")),
        ("deleted", PodView { terminating: Some(NOW), ..unready("ContainersNotReady") }, Seen::Starting, Some("Terminating")),
    ];
    for (what, pod, wanted_seen, reason) in table {
        assert_eq!(seen(&up, Some(&pod)), (wanted_seen, reason.map(str::to_owned)), "{what}");
    }
}

#[test]
fn down_is_down_only_when_the_pod_object_is_gone() {
    for (desired, status) in [(Desired::Stopped, InstanceStatus::Stopped), (Desired::Suspended, InstanceStatus::Suspended)] {
        assert_eq!(seen(&wanted(desired), None), (Seen::Arrived(status), None));
        assert_eq!(seen(&wanted(desired), Some(&running())), (Seen::Unchanged, None));
        let going = PodView { terminating: Some(NOW + 30), ..running() };
        assert_eq!(seen(&wanted(desired), Some(&going)), (Seen::Unchanged, Some("Terminating".into())));
    }
}

#[test]
fn only_what_we_saw_for_long_counts_whatever_the_members_clocks_say() {
    let up = wanted(Desired::Running);
    let aged = |terminating, running| Ages { terminating: Duration::from_secs(terminating), running: Duration::from_secs(running) };
    for skew in [-HOUR, 0, HOUR] {
        let going = PodView { terminating: Some(NOW + skew), ..running() };
        let held = PodView { finalizers: vec!["example.com/hold".into()], ..going.clone() };
        let crashed = PodView { restarts: 4, running_since: Some(NOW + skew), ..running() };
        let table = [
            (&going, aged(0, 0), Seen::Starting, Some("Terminating")),
            (&going, aged(59, 0), Seen::Starting, Some("Terminating")),
            (&going, aged(60, 0), Seen::Degraded, Some("NodeLost")),
            (&held, aged(60, 0), Seen::Degraded, Some("FinalizersRemaining")),
            (&crashed, aged(0, 2), Seen::Starting, Some("Restarted")),
            (&crashed, aged(0, 10), Seen::Arrived(InstanceStatus::Running), None),
        ];
        for (pod, ages, wanted_seen, reason) in table {
            assert_eq!(seen_at(&up, Some(pod), ages), (wanted_seen, reason.map(str::to_owned)), "{skew} {ages:?}");
        }
    }
}
