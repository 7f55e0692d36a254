use members::ApiFailure;
use types::InstanceType;

use super::*;
use crate::compute::fixtures;

fn forbidden(message: &str) -> MemberError {
    MemberError::Api(Box::new(ApiFailure { code: 403, reason: "Forbidden".to_owned(), message: message.to_owned(), retry_after: None }))
}

fn young() -> MemberError {
    forbidden("pods \"a\" is forbidden: status unknown for quota: kubekcloud, resources: pods")
}

fn bounds(instances: usize, memory: &GuardrailMemory) -> Bounds {
    let mut cluster = fixtures::cluster(InstanceType::Container);
    cluster.instances.truncate(instances);
    Bounds::of(&cluster, memory.recounts())
}

#[test]
fn they_are_applied_once_for_the_same_bounds_and_pruned_after_others() {
    let mut memory = GuardrailMemory::default();
    let (small, large) = (bounds(1, &memory), bounds(3, &memory));
    assert!(memory.must_apply(&small) && memory.must_prune(), "nothing is known of an old namespace");
    memory.note_applied(small.clone());
    memory.note_pruned();
    assert!(!memory.must_apply(&small) && !memory.must_prune());
    assert!(memory.must_apply(&large) && memory.must_prune(), "what was applied for other bounds may be left");
}

#[test]
fn a_new_namespace_has_none_and_nothing_to_prune() {
    let mut memory = GuardrailMemory::default();
    let bounds = bounds(1, &memory);
    memory.note_applied(bounds.clone());
    memory.note_namespace_created();
    assert!(memory.must_apply(&bounds) && !memory.must_prune());
}

#[test]
fn drift_is_looked_for_once_they_are_distrusted() {
    let mut memory = GuardrailMemory::default();
    let bounds = bounds(1, &memory);
    memory.note_namespace_created();
    memory.note_applied(bounds.clone());
    memory.distrust();
    assert!(memory.must_apply(&bounds) && memory.must_prune());
}

#[test]
fn a_quota_that_refuses_what_has_room_counts_anew_and_is_applied_for_that() {
    let mut memory = GuardrailMemory::default();
    let before = bounds(1, &memory);
    memory.note_applied(before);
    memory.note_refusal(&forbidden("pods \"a\" is forbidden: exceeded quota: kubekcloud, requested: pods=1"));
    assert_eq!(memory.recounts(), 1);
    assert!(memory.must_apply(&bounds(1, &memory)));
}

#[test]
fn a_quota_without_status_is_changed_until_it_counts() {
    let mut memory = GuardrailMemory::default();
    let recounts: Vec<u32> = (0..NOT_READY_TRIES + 2)
        .map(|_| {
            memory.note_refusal(&young());
            memory.recounts()
        })
        .collect();
    assert_eq!(recounts.last(), Some(&3), "each refusal after the first few: {recounts:?}");
    memory.note_no_refusal();
    memory.note_refusal(&young());
    assert_eq!(memory.recounts(), 3, "only those in a row count");
}
