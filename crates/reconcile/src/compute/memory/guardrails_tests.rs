use members::{ApiFailure, Kind};

use super::*;

fn forbidden(message: &str) -> MemberError {
    MemberError::Api(Box::new(ApiFailure { code: 403, reason: "Forbidden".to_owned(), message: message.to_owned(), retry_after: None }))
}

fn young() -> MemberError {
    forbidden("pods \"a\" is forbidden: status unknown for quota: kubekcloud, resources: pods")
}

const WANTED: [Said<'static>; 1] = [(Kind::ResourceQuota, "kubekcloud", 1)];
const SEEN: [Said<'static>; 1] = [(Kind::ResourceQuota, "kubekcloud", 10)];

/// Whether they are applied in a pass, which does what is to be done.
fn pass(memory: &mut GuardrailMemory, recorded: Option<&str>, seen: Option<&[Said<'_>]>) -> bool {
    let now = Instant::now();
    memory.adopt(recorded, &WANTED, seen);
    let (overdue, _) = memory.overdue(&WANTED, seen, now);
    overdue.iter().for_each(|place| memory.note_applied(WANTED[*place], 10, now));
    !overdue.is_empty()
}

#[tokio::test(start_paused = true)]
async fn they_are_applied_once_and_after_a_walk_only_where_no_watch_shows_them() {
    for (seen, again) in [(None, true), (Some(&SEEN[..]), false)] {
        let mut memory = GuardrailMemory::default();
        assert!(pass(&mut memory, None, seen) && !pass(&mut memory, None, seen), "{seen:?}");
        let recorded = memory.unrecorded(&WANTED).unwrap();
        memory.note_recorded(recorded.clone());
        assert_eq!(memory.unrecorded(&WANTED), None);
        memory.distrust();
        assert!(memory.must_prune());
        assert_eq!(pass(&mut memory, Some(&recorded), seen), again, "{seen:?}");
        assert!(!pass(&mut memory, Some(&recorded), seen), "{seen:?}");
        assert!(!pass(&mut GuardrailMemory::default(), Some(&recorded), seen), "who takes over writes nothing: {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_namespace_has_none_and_nothing_to_prune() {
    let mut memory = GuardrailMemory::default();
    pass(&mut memory, None, None);
    memory.note_namespace_created();
    assert!(!memory.must_prune() && pass(&mut memory, None, None));
}

#[test]
fn a_quota_that_refuses_what_has_room_counts_anew() {
    let mut memory = GuardrailMemory::default();
    memory.note_refusal(&forbidden("pods \"a\" is forbidden: exceeded quota: kubekcloud, requested: pods=1"));
    assert_eq!(memory.recounts(), 1);
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
