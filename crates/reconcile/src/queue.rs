//! The work queue: which cluster to reconcile next, and when.
//!
//! A cluster is in here once, however often it was named, and is worked on by one worker at a time. What arrives
//! during a pass starts another after it, a little later, so that a thousand Pod events make a handful of passes.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use types::ClusterId;

use crate::{backoff::backoff, requeue::Outcome};

/// Least time between two passes of one cluster. A pass that takes longer doubles the pause with it.
const PAUSE_MIN: Duration = Duration::from_millis(60);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// Wait after the first failure of a pass, and at most.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MOST: Duration = Duration::from_secs(30);
/// At most, while the namespace's controllers have not caught up with it.
const NOT_READY_MOST: Duration = Duration::from_secs(5);

/// Why a cluster is to be reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its owner changed something: at once, whatever failed before.
    Wake,
    /// Something changed in the member: not before a failure's wait is over.
    Watch,
    /// The store says that it is not done: not before the next pass that was planned anyway.
    Poll,
}

#[derive(Default)]
struct Entry {
    /// When it is due; also an element of `State::due`.
    due: Option<Instant>,
    /// Since when a worker has it.
    processing_since: Option<Instant>,
    /// Causes other than `Wake` wait until then.
    watch_after: Option<Instant>,
    poll_after: Option<Instant>,
    /// Nor do they come sooner after the last pass.
    pause_until: Option<Instant>,
    /// Somebody waits for it: a wake-up came since the last pass began.
    urgent: bool,
    failures: u32,
}

#[derive(Default)]
struct State {
    open: bool,
    entries: HashMap<ClusterId, Entry>,
    due: BTreeSet<(Instant, ClusterId)>,
}

/// The queue of one member. Closed while this process does not hold its lease: then it forgets what it is told.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts afresh.
    pub(crate) fn open(&self) {
        *self.lock() = State { open: true, ..State::default() };
    }

    /// Forgets everything.
    pub(crate) fn close(&self) {
        *self.lock() = State::default();
    }

    /// Has a cluster reconciled.
    pub(crate) fn add(&self, id: ClusterId, cause: Cause) {
        let now = Instant::now();
        let mut state = self.lock();
        if !state.open {
            return;
        }
        let entry = state.entries.entry(id).or_default();
        entry.urgent |= cause == Cause::Wake;
        let held = match cause {
            Cause::Wake => None,
            Cause::Watch => entry.watch_after.max(entry.pause_until),
            Cause::Poll => entry.watch_after.max(entry.poll_after).max(entry.pause_until),
        };
        let at = held.map_or(now, |held| held.max(now));
        state.schedule(id, at);
        self.changed.notify_one();
    }

    /// Has a cluster reconciled at some later time.
    pub(crate) fn add_after(&self, id: ClusterId, wait: Duration) {
        let mut state = self.lock();
        if state.open {
            state.schedule(id, Instant::now() + wait);
            self.changed.notify_one();
        }
    }

    /// Waits for the next cluster that is due. It stays with the caller until [`Queue::done`].
    pub(crate) async fn next(&self) -> ClusterId {
        loop {
            let changed = self.changed.notified();
            let now = Instant::now();
            let first = {
                let mut state = self.lock();
                match state.pop(now) {
                    Ok(id) => {
                        if !state.due.is_empty() {
                            self.changed.notify_one();
                        }
                        return id;
                    }
                    Err(first) => first,
                }
            };
            match first {
                Some(at) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Ends a pass. Returns how long to wait, for the log.
    pub(crate) fn done(&self, id: ClusterId, outcome: Outcome) -> Option<Duration> {
        let now = Instant::now();
        let mut state = self.lock();
        let entry = state.entries.get_mut(&id)?;
        let took = entry.processing_since.take().map_or(Duration::ZERO, |since| now - since);
        entry.pause_until = Some(now + (took * 2).clamp(PAUSE_MIN, PAUSE_MAX));
        let (wait, failures) = match outcome {
            Outcome::Gone => (None, 0),
            Outcome::Reconciled(requeue) => (requeue.wait(), 0),
            Outcome::Failed { at_least } => {
                let failures = entry.failures.saturating_add(1);
                (Some(backoff(failures, RETRY_FIRST, RETRY_MOST).max(at_least.unwrap_or_default())), failures)
            }
            Outcome::NotReady => {
                let failures = entry.failures.saturating_add(1);
                (Some(backoff(failures, RETRY_FIRST, NOT_READY_MOST)), failures)
            }
        };
        entry.failures = failures;
        entry.watch_after = wait.filter(|_| failures > 0).map(|wait| now + wait);
        entry.poll_after = wait.map(|wait| now + wait);
        let named_meanwhile = entry.due.take();
        let held = if entry.urgent { None } else { entry.watch_after.max(entry.pause_until) };
        if outcome == Outcome::Gone && named_meanwhile.is_none() {
            state.entries.remove(&id);
        }
        if let Some(due) = named_meanwhile {
            // Named during the pass, when it was not known how long that would take.
            state.due.remove(&(due, id));
            state.schedule(id, held.map_or(due, |held| held.max(due)));
        }
        if let Some(wait) = wait {
            state.schedule(id, now + wait);
        }
        self.changed.notify_one();
        wait
    }

    /// Number of clusters that are due.
    pub(crate) fn depth(&self) -> usize {
        let state = self.lock();
        let now = Instant::now();
        state.due.iter().take_while(|(at, _)| *at <= now).count()
    }
}

impl State {
    /// Plans a pass, keeping an earlier plan.
    fn schedule(&mut self, id: ClusterId, at: Instant) {
        let entry = self.entries.entry(id).or_default();
        match entry.due {
            Some(due) if due <= at => return,
            Some(due) => {
                self.due.remove(&(due, id));
            }
            None => {}
        }
        entry.due = Some(at);
        self.due.insert((at, id));
    }

    /// Takes out the first that is due and idle, or says when there may be one.
    fn pop(&mut self, now: Instant) -> Result<ClusterId, Option<Instant>> {
        let idle = |state: &Self, id| state.entries.get(&id).is_some_and(|entry| entry.processing_since.is_none());
        let first = self.due.iter().find(|(_, id)| idle(self, *id)).copied();
        match first {
            Some((at, id)) if at <= now => {
                self.due.remove(&(at, id));
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.due = None;
                    entry.urgent = false;
                    entry.processing_since = Some(now);
                }
                Ok(id)
            }
            Some((at, _)) => Err(Some(at)),
            None => Err(None),
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
