//! What the queue keeps of one subject: when it may be reconciled again, and how much that matters.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    lanes::{Lane, Spot},
    traits::{Class, Traits},
};
use crate::{backoff::backoff, requeue::Outcome};

/// Least time between two passes of one subject. A pass that takes longer doubles the pause with it.
pub(super) const PAUSE_MIN: Duration = Duration::from_millis(60);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Wait after the first failure of a pass, and at most.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MOST: Duration = Duration::from_secs(30);
/// At most, while the namespace's controllers have not caught up with it.
pub(super) const NOT_READY_MOST: Duration = Duration::from_secs(5);
/// At most, whatever the other side asks for, and whatever a pass plans: a wait is never the end.
const ASKED_MOST: Duration = Duration::from_secs(30);
const PLANNED_MOST: Duration = Duration::from_secs(3_600);
/// For so long after a change of its owner's, whatever a subject is named for is urgent: somebody waits for what comes of it.
const URGENT_FOR: Duration = Duration::from_secs(30);

/// Why a subject is to be reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its owner changed something: at once, whatever failed before.
    Wake,
    /// Something changed in the member: not before a failure's wait is over.
    Watch,
    /// The store says that it is not done: not before the next pass that was planned anyway.
    Poll,
    /// None but that it was long ago: like a poll, when there is nothing better to do.
    Walk,
}

/// Where a subject waits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Place {
    /// Nothing is planned, or a worker has it.
    #[default]
    Nowhere,
    /// Until then.
    Later(Instant),
    /// For a worker.
    Due(Spot),
}

/// With a worker.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) since: Instant,
    /// As what it counts; `None` while it is looked up.
    pub(super) counts: Option<(Lane, Class)>,
}

#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) traits: Option<Traits>,
    pub(super) place: Place,
    pub(super) taken: Option<Taken>,
    /// The best lane that it was named for since it was last taken.
    pub(super) lane: Option<Lane>,
    /// For when it was named while a worker had it.
    pub(super) named_at: Option<Instant>,
    /// A wake-up came since it was last taken: it waits for nothing.
    woken: bool,
    urgent_until: Option<Instant>,
    /// Causes other than `Wake` wait until then.
    watch_after: Option<Instant>,
    poll_after: Option<Instant>,
    /// Nor do they come sooner after the last pass.
    pause_until: Option<Instant>,
    /// A pass has ended: since then, what watches tell is news.
    looked_at: bool,
    failures: u32,
}

impl Entry {
    /// It was named. Answers when it is due, and in which lane.
    pub(super) fn note_named(&mut self, cause: Cause, now: Instant) -> (Instant, Lane) {
        if cause == Cause::Wake {
            self.woken = true;
            self.urgent_until = Some(now + URGENT_FOR);
        }
        let lane = match cause {
            Cause::Wake => Lane::Urgent,
            _ if self.is_urgent(now) => Lane::Urgent,
            // The first list names all that there is.
            Cause::Watch if !self.looked_at => Lane::Walk,
            Cause::Watch | Cause::Poll => Lane::Routine,
            Cause::Walk => Lane::Walk,
        };
        let held = match cause {
            Cause::Wake => None,
            Cause::Watch => self.watch_after.max(self.pause_until),
            Cause::Poll | Cause::Walk => self.watch_after.max(self.poll_after).max(self.pause_until),
        };
        (held.map_or(now, |held| held.max(now)), lane)
    }

    /// The lane for which it falls due now.
    pub(super) fn lane_at(&self, now: Instant) -> Lane {
        if self.is_urgent(now) { Lane::Urgent } else { self.lane.unwrap_or(Lane::Routine) }
    }

    fn is_urgent(&self, now: Instant) -> bool {
        self.urgent_until.is_some_and(|until| now < until)
    }

    /// A pass begins: what was named until now is in it.
    pub(super) fn note_taken(&mut self, taken: Taken) {
        self.place = Place::Nowhere;
        self.taken = Some(taken);
        self.lane = None;
        self.woken = false;
    }

    /// A pass has ended. Answers how long to wait for the next one, if one is planned.
    pub(super) fn note_done(&mut self, outcome: Outcome, took: Duration, now: Instant) -> Option<Duration> {
        self.looked_at = true;
        self.pause_until = Some(now + took.saturating_mul(2).clamp(PAUSE_MIN, PAUSE_MAX));
        let failures = self.failures.saturating_add(1);
        let (wait, failures) = match outcome {
            Outcome::Gone => (None, 0),
            Outcome::Reconciled(requeue) => (requeue.wait(), 0),
            Outcome::Failed { at_least } => {
                let asked = at_least.unwrap_or_default().min(ASKED_MOST);
                (Some(backoff(failures, RETRY_FIRST, RETRY_MOST).max(asked)), failures)
            }
            Outcome::NotReady => (Some(backoff(failures, RETRY_FIRST, NOT_READY_MOST)), failures),
        };
        let wait = wait.map(|wait| wait.min(PLANNED_MOST));
        self.failures = failures;
        self.watch_after = wait.filter(|_| failures > 0).map(|wait| now + wait);
        self.poll_after = wait.map(|wait| now + wait);
        wait
    }

    /// Forgets that it was named while a worker had it; answers when it is due for that, and in which lane.
    pub(super) fn named_meanwhile(&mut self, now: Instant) -> Option<(Instant, Lane)> {
        let at = self.named_at.take()?;
        let held = if self.woken { None } else { self.watch_after.max(self.pause_until) };
        Some((held.map_or(at, |held| held.max(at)), self.lane_at(now)))
    }
}
