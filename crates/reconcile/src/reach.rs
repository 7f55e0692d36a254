//! Writing down whether a member answers, so that what is shown of it can say how old it is.

use std::{sync::Arc, time::Duration};

use members::Kind;
use store::Reach;

use crate::compute::Context;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// For so long it may be out of reach before it is called so: a watch that is opened again is none of it.
const PATIENCE: Duration = Duration::from_secs(5);
/// What it must be seen for.
const SHOWN: [Kind; 2] = [Kind::Namespace, Kind::Pod];

/// Follows the member of a lease for ever.
pub(crate) async fn follow(context: Arc<Context>) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut written: Option<Reach> = None;
    loop {
        ticks.tick().await;
        let blind_for = context.cache.blind_for(&SHOWN);
        let Some(reach) = judge(blind_for, context.cache.synced(), || trouble(&context)) else { continue };
        if written.as_ref().is_some_and(|written| same(written, &reach)) {
            continue;
        }
        match context.store.member_reach(&context.lease, &reach).await {
            Ok(()) => written = Some(reach),
            Err(error) => tracing::info!(member = context.writer.member().name(), %error, "cannot write whether the member answers"),
        }
    }
}

/// What does not work at present: a word and a sentence.
fn trouble(context: &Context) -> (String, String) {
    match context.writer.member().trouble() {
        Some(error) => (error.reason().to_owned(), error.to_string()),
        None => ("WatchFailed".to_owned(), context.cache.trouble().unwrap_or_default()),
    }
}

/// What to write; `None`: it is too early to tell.
fn judge(blind_for: Option<Duration>, synced: bool, trouble: impl FnOnce() -> (String, String)) -> Option<Reach> {
    match blind_for {
        Some(blind_for) => (blind_for >= PATIENCE).then(|| {
            let (reason, message) = trouble();
            Reach::Unreachable { reason, message }
        }),
        None => synced.then_some(Reach::Reachable),
    }
}

/// Whether two need not be told apart. The sentence changes too often.
fn same(one: &Reach, other: &Reach) -> bool {
    match (one, other) {
        (Reach::Reachable, Reach::Reachable) => true,
        (Reach::Unreachable { reason: one, .. }, Reach::Unreachable { reason: other, .. }) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_out_of_reach_once_it_was_for_a_while() {
        let trouble = || ("Timeout".to_owned(), "no answer".to_owned());
        assert_eq!(judge(None, false, trouble), None);
        assert_eq!(judge(None, true, trouble), Some(Reach::Reachable));
        assert_eq!(judge(Some(Duration::ZERO), true, trouble), None);
        let reach = judge(Some(PATIENCE), true, trouble).unwrap();
        assert!(matches!(&reach, Reach::Unreachable { reason, .. } if reason == "Timeout"), "{reach:?}");
        assert!(!same(&reach, &Reach::Reachable));
    }
}
