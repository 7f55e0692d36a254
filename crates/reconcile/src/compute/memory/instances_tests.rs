use members::ApiFailure;
use types::InstanceType;

use super::*;
use crate::compute::fixtures;

#[tokio::test(start_paused = true)]
async fn an_action_is_not_repeated_before_the_watch_could_show_it() {
    let mut memory = InstanceMemory::default();
    let now = Instant::now();
    assert_eq!(memory.admit(Action::Create, now), Ok(()));
    memory.note_done(Action::Create, now);
    assert_eq!(memory.admit(Action::Create, now), Err(HOLD));
    assert_eq!(memory.admit(Action::Create, now + HOLD), Ok(()));
    memory.note_done(Action::Create, now);
    assert_eq!(memory.admit(Action::Nothing, now), Ok(()), "the Pod has shown");
    assert_eq!(memory.admit(Action::Create, now), Ok(()), "and vanished: made again at once");
    let early: Vec<_> = (0..3).map(|_| memory.note_too_early(Action::Pause, now)).collect();
    assert!(early.windows(2).all(|pair| pair[1] > pair[0]), "{early:?}");
    assert_eq!((memory.admit(Action::Pause, now), memory.retry_in(Action::Pause, now)), (Ok(()), Some(early[2])), "it came to nothing");
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_comes_back_later_each_time_and_holds_up_no_other() {
    let mut memory = InstanceMemory::default();
    let now = Instant::now();
    let waits: Vec<_> = (0..4).map(|_| memory.retry_later(Action::Create, None, now)).collect();
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    assert_eq!(memory.retry_in(Action::Create, now), Some(waits[3]));
    assert_eq!(memory.retry_in(Action::Create, now + waits[3]), None);
    assert_eq!(memory.retry_in(Action::Delete, now), None, "something else is wanted now");
    let asked = Duration::from_secs(25);
    assert_eq!(memory.retry_later(Action::Create, Some(asked), now), asked, "what the member asks for");
    assert_eq!(memory.retry_later(Action::Create, Some(Duration::MAX), now), Duration::from_secs(30), "well below the grace");
    memory.note_done(Action::Create, now);
    assert!(memory.retry_later(Action::Create, None, now) <= REFUSED.0, "it counts anew");
}

#[tokio::test(start_paused = true)]
async fn where_many_are_refused_all_wait_together_and_only_with_that() {
    let cluster = fixtures::cluster(InstanceType::Container);
    let mut memories = InstanceMemories::default();
    let now = Instant::now();
    let wait = memories.note_many_refused(Action::Create, now);
    let untried = &cluster.instances[2];
    assert_eq!(memories.retry_in(untried, Action::Create, now), Some(wait));
    assert_eq!(memories.retry_in(untried, Action::Delete, now), None);
    let longer = memories.note_many_refused(Action::Create, now);
    assert!(longer > wait);
    memories.note_few_refused();
    assert_eq!(memories.retry_in(untried, Action::Create, now), None);
}

#[tokio::test(start_paused = true)]
async fn pods_that_end_by_themselves_come_back_later_each_time() {
    let mut memory = InstanceMemory::default();
    let now = Instant::now();
    let waits: Vec<_> = (0..4)
        .map(|_| {
            memory.note_done(Action::Recreate, now);
            memory.admit(Action::Create, now).unwrap_err()
        })
        .collect();
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    assert_eq!(memory.admit(Action::Delete, now), Ok(()));
    let instance = fixtures::wanted(types::Desired::Running);
    let runs = fixtures::running();
    memory.note_seen(&instance, Some(&runs), now);
    memory.note_seen(&instance, Some(&runs), now + FORGIVE / 2);
    assert!(memory.admit(Action::Create, now).is_err(), "not for long yet");
    memory.note_seen(&instance, Some(&runs), now + FORGIVE);
    assert_eq!(memory.admit(Action::Create, now), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_twice_is_a_refusal_until_something_else_is_seen() {
    let mut memory = InstanceMemory::default();
    memory.note_name_taken("web-instance-1");
    assert_eq!(memory.refusal(), None, "once may be a watch that lags behind");
    memory.note_name_taken("web-instance-1");
    assert_eq!(memory.refusal().map(|refusal| refusal.reason.as_str()), Some("NameTaken"));
    memory.note_nothing_to_do();
    assert_eq!(memory.refusal(), None);
    memory.note_name_taken("web-instance-1");
    assert_eq!(memory.refusal(), None, "it starts counting anew");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_lasts_until_something_is_done_and_for_good_only_for_its_generation() {
    let invalid = ApiFailure { code: 422, reason: "Invalid".into(), message: "no".into(), retry_after: None };
    let invalid = MemberError::Api(Box::new(invalid));
    let mut memory = InstanceMemory::default();
    memory.note_refused("Invalid", &invalid, None);
    assert!(memory.refusal().is_some() && !memory.is_refused_for_good(1));
    memory.note_refused("Invalid", &invalid, Some(1));
    assert!(memory.is_refused_for_good(1) && !memory.is_refused_for_good(2));
    memory.note_done(Action::Create, Instant::now());
    assert_eq!(memory.refusal(), None);
}

#[tokio::test(start_paused = true)]
async fn trouble_counts_from_its_beginning_until_it_is_over() {
    let mut memory = InstanceMemory::default();
    let now = Instant::now();
    let second = Duration::from_secs(1);
    assert_eq!(memory.overdue_for(now), Duration::ZERO);
    assert_eq!(memory.overdue_for(now + second), second);
    memory.note_arrived();
    assert_eq!(memory.overdue_for(now + second), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_new_intent_forgets_and_so_does_an_instance_that_is_gone() {
    let mut cluster = fixtures::cluster(InstanceType::Container);
    let mut memories = InstanceMemories::default();
    let now = Instant::now();
    for instance in &cluster.instances {
        memories.of(instance).note_done(Action::Create, now);
    }
    cluster.instances[0].generation += 1;
    assert_eq!(memories.of(&cluster.instances[0]).admit(Action::Create, now), Ok(()));
    assert_eq!(memories.of(&cluster.instances[1]).admit(Action::Create, now), Err(HOLD));
    let gone = cluster.instances.pop().unwrap();
    memories.forget_gone(&cluster);
    assert_eq!(memories.of(&cluster.instances[1]).admit(Action::Create, now), Err(HOLD));
    assert_eq!(memories.of(&gone).admit(Action::Create, now), Ok(()));
}
