//! When a write that was refused is tried again.

use std::time::Duration;

use tokio::time::Instant;

use crate::{backoff::backoff, compute::plan::Action};

/// The longest that a member may ask for.
const ASKED_MOST: Duration = Duration::from_secs(30);

/// A write that is to be tried again, and when.
#[derive(Debug)]
pub(super) struct Retry {
    action: Action,
    failures: u32,
    at: Instant,
}

impl Retry {
    /// One failure more of the same, or the first. Answers how long to wait: longer each time, and at least as long as asked for.
    pub(super) fn again(retry: &mut Option<Self>, action: Action, now: Instant, range: (Duration, Duration), asked: Option<Duration>) -> Duration {
        let (first, most) = range;
        let before = retry.as_ref().filter(|retry| retry.action == action).map_or(0, |retry| retry.failures);
        let failures = before.saturating_add(1);
        let wait = backoff(failures, first, most).max(asked.unwrap_or_default().min(ASKED_MOST));
        *retry = Some(Self { action, failures, at: now + wait });
        wait
    }

    /// How long that action still waits.
    pub(super) fn wait(&self, action: Action, now: Instant) -> Option<Duration> {
        (self.action == action && self.at > now).then(|| self.at - now)
    }
}
