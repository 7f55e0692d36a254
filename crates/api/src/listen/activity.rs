//! What a connection is doing, and whether it has had its time.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Most time from accepting a connection to its first byte.
const FIRST_BYTE: Duration = Duration::from_secs(10);
/// Most time from the first byte of a request's head to its last.
const HEAD: Duration = Duration::from_secs(10);
/// Most time between two requests. Longer than the minute for which proxies keep their connections, or they would send
/// requests into one that is being closed.
const IDLE: Duration = Duration::from_secs(75);
/// Most time for which a client may take nothing of its answer.
const STALLED: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Accepted; nothing has come.
    Fresh,
    /// Part of a request's head has come.
    Head,
    /// A request is read, carried out or answered.
    Busy,
    /// Between two requests.
    Idle,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// Since when the client takes nothing of what is to be written.
    stalled: Option<Instant>,
}

/// What one connection is doing. Told by its stream and its service, read by the register of all connections.
#[derive(Debug)]
pub(super) struct Activity(Mutex<State>);

impl Activity {
    /// Of a connection that was accepted now.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { phase: Phase::Fresh, since: Instant::now(), stalled: None }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have come.
    pub(super) fn heard(&self) {
        let mut state = self.state();
        if matches!(state.phase, Phase::Fresh | Phase::Idle) {
            *state = State { phase: Phase::Head, since: Instant::now(), stalled: None };
        }
    }

    /// A request's head is complete.
    pub(super) fn asked(&self) {
        *self.state() = State { phase: Phase::Busy, since: Instant::now(), stalled: None };
    }

    /// The answer is handed over, or given up.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        *state = State { phase: Phase::Idle, since: Instant::now(), stalled: state.stalled };
    }

    /// The client takes nothing at the moment.
    pub(super) fn blocked(&self) {
        self.state().stalled.get_or_insert_with(Instant::now);
    }

    /// The client takes something.
    pub(super) fn flowing(&self) {
        self.state().stalled = None;
    }

    /// Since when it occupies a place without asking for anything; `None` while a request is under way.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.phase != Phase::Busy).then_some(state.since)
    }

    /// Whether it has had its time.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let state = self.state();
        let most = match state.phase {
            Phase::Fresh => FIRST_BYTE,
            Phase::Head => HEAD,
            Phase::Idle => IDLE,
            Phase::Busy => Duration::MAX,
        };
        now.duration_since(state.since) > most || state.stalled.is_some_and(|since| now.duration_since(since) > STALLED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overdue_after(activity: &Activity, seconds: u64) -> bool {
        activity.is_overdue(Instant::now() + Duration::from_secs(seconds))
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_a_time_of_its_own() {
        let activity = Activity::new();
        assert!(!overdue_after(&activity, 10) && overdue_after(&activity, 11), "nothing came");
        tokio::time::advance(Duration::from_secs(9)).await;
        activity.heard();
        assert!(!overdue_after(&activity, 10) && overdue_after(&activity, 11), "a head that does not end");
        tokio::time::advance(Duration::from_secs(9)).await;
        activity.heard();
        assert!(overdue_after(&activity, 2), "a byte now and then does not help");
        activity.asked();
        assert!(!overdue_after(&activity, 3_600), "an answer may take its time: requests have deadlines of their own");
        activity.answered();
        assert!(!overdue_after(&activity, 75) && overdue_after(&activity, 76), "between two requests");
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_overdue_and_who_takes_it_slowly_is_not() {
        let activity = Activity::new();
        activity.asked();
        activity.blocked();
        tokio::time::advance(Duration::from_secs(29)).await;
        activity.blocked();
        assert!(overdue_after(&activity, 2));
        activity.flowing();
        activity.blocked();
        assert!(!overdue_after(&activity, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_asks_for_something_is_not_silent() {
        let activity = Activity::new();
        assert!(activity.silent_since().is_some());
        activity.heard();
        assert!(activity.silent_since().is_some());
        activity.asked();
        assert!(activity.silent_since().is_none());
        activity.answered();
        assert!(activity.silent_since().is_some());
    }
}
