use types::Desired;

use super::*;
use crate::compute::fixtures::wanted;

const GRACE: Duration = Duration::from_secs(180);

fn recorded(instance: &InstanceIntent, seen: Seen, overdue: u64) -> (InstanceStatus, i64) {
    let finding = Finding::new(seen).because("Word", "sentence");
    let observed = settle(instance, &finding, Duration::from_secs(overdue), GRACE);
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
    assert_eq!(recorded(&fresh, Seen::Arrived(Running), 0), (Running, 5));
    assert_eq!(recorded(&fresh, Seen::Arrived(Suspended), 0), (Suspended, 4), "not what is wanted");
    assert_eq!(recorded(&fresh, Seen::Starting, 0), (Pending, 4));
    assert_eq!(recorded(&fresh, Seen::Unchanged, 179), (Stopped, 4), "still what it was");
    assert_eq!(recorded(&fresh, Seen::Unchanged, 180), (Failed, 5), "it does not get there");
    assert_eq!(recorded(&fresh, Seen::Failed, 0), (Failed, 5));
    assert_eq!(recorded(&fresh, Seen::Degraded, 179), (Pending, 4), "grace");
    assert_eq!(recorded(&fresh, Seen::Degraded, 180), (Failed, 5));
    let up = before(Running, 5);
    assert_eq!(recorded(&up, Seen::Starting, 0), (Pending, 5), "degraded, yet once settled");
}

#[test]
fn failure_is_left_by_arriving_or_by_a_new_intent() {
    use InstanceStatus::*;
    let failed = before(Failed, 5);
    assert_eq!(recorded(&failed, Seen::Starting, 0), (Failed, 5));
    assert_eq!(recorded(&failed, Seen::Degraded, 0), (Failed, 5), "no second grace, also after a restart of ours");
    assert_eq!(recorded(&failed, Seen::Arrived(Running), 0), (Running, 5));
    assert_eq!(recorded(&failed, Seen::Unchanged, 0), (Failed, 5), "nor by a grace that begins anew");
    assert_eq!(recorded(&before(Failed, 4), Seen::Starting, 0), (Pending, 4), "started anew");
    assert_eq!(recorded(&before(Failed, 4), Seen::Unchanged, 0), (Failed, 4), "a stop of a failed one is not settled yet");
}

#[test]
fn what_does_not_get_there_fails_with_its_cause_or_says_that_there_is_none() {
    let instance = before(InstanceStatus::Running, 4);
    let silent = settle(&instance, &Finding::new(Seen::Unchanged), GRACE, GRACE);
    assert_eq!((silent.status, silent.reason.as_deref()), (InstanceStatus::Failed, Some("ProgressDeadlineExceeded")));
    let refused = Finding::new(Seen::Unchanged).because("PauseRefused", "no");
    let failed = settle(&instance, &refused, GRACE, GRACE);
    assert_eq!((failed.status, failed.reason.as_deref(), failed.message.as_deref()), (InstanceStatus::Failed, Some("PauseRefused"), Some("no")));
    let instance = InstanceIntent { observed: failed, ..instance };
    let arrived = settle(&instance, &Finding::new(Seen::Arrived(InstanceStatus::Running)), Duration::ZERO, GRACE);
    assert_eq!((arrived.status, arrived.reason), (InstanceStatus::Running, None), "it recovers by itself");
}
