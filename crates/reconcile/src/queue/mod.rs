//! The work queue of one member: which subject to reconcile next, and when.
//!
//! A subject is in here once, however often it was named, and is worked on by one worker at a time. What arrives
//! during a pass starts another after it, a little later, so that a thousand Pod events make a handful of passes.
//!
//! What is due waits in lanes (`lanes`), within a lane owners take turns (`turns`), and a class of subjects that hangs
//! has only some of the workers (`traits`). Whose a subject is cannot be told from its name, so one that is new here is
//! handed out once to be looked up, with others, before it takes its place.
//!
//! All workers are alike: whether there is anything to do depends on what others do, never on who asks. So each
//! change has to wake one of them only.

mod entry;
mod lanes;
mod traits;
mod turns;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use types::Subject;

pub(crate) use self::{
    entry::Cause,
    traits::{Class, Traits},
};
use self::{
    entry::{Entry, Place, Taken},
    lanes::{Lane, Lanes},
};
use crate::requeue::Outcome;

/// Subjects that are looked up at a time.
const LOOKED_UP_MOST: usize = 100;
/// Wait after looking up has failed.
const LOOK_UP_RETRY: Duration = Duration::from_secs(1);

/// What a worker is to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Find out what is known of these, then [`Queue::looked_up`].
    LookUp(Vec<Subject>),
    /// Make a pass, then [`Queue::done`].
    Reconcile(Subject),
}

/// Which subject to reconcile next, and when.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    entries: HashMap<Subject, Entry>,
    /// What is planned for later.
    later: BTreeSet<(Instant, Subject)>,
    /// What is due.
    lanes: Lanes,
}

impl Queue {
    /// For that many workers.
    pub(crate) fn new(workers: usize) -> Self {
        let state = State { entries: HashMap::new(), later: BTreeSet::new(), lanes: Lanes::new(workers) };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a subject reconciled.
    pub(crate) fn add(&self, subject: Subject, cause: Cause) {
        let now = Instant::now();
        let mut state = self.lock();
        let (at, lane) = state.entries.entry(subject).or_default().note_named(cause, now);
        state.schedule(subject, at, lane, now);
        self.changed.notify_one();
    }

    /// Waits for something to do. It stays with the caller until it is done.
    pub(crate) async fn next(&self) -> Job {
        loop {
            let changed = self.changed.notified();
            let later = {
                let mut state = self.lock();
                if let Some(job) = state.pop(Instant::now()) {
                    if state.lanes.len() > 0 {
                        self.changed.notify_one();
                    }
                    return job;
                }
                state.later.first().map(|(at, _)| *at)
            };
            match later {
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
    pub(crate) fn done(&self, subject: Subject, outcome: Outcome) -> Option<Duration> {
        let now = Instant::now();
        let state = &mut *self.lock();
        let entry = state.entries.get_mut(&subject)?;
        let taken = entry.taken.take()?;
        let wait = entry.note_done(outcome, now.saturating_duration_since(taken.since), now);
        // Named during the pass, when it was not known how long that would take.
        let again = entry.named_meanwhile(now);
        if let Some((lane, class)) = taken.counts {
            state.lanes.give_back(lane, class);
        }
        if outcome == Outcome::Gone && again.is_none() {
            state.entries.remove(&subject);
        }
        if let Some((at, lane)) = again {
            state.schedule(subject, at, lane, now);
        }
        if let Some(wait) = wait {
            state.schedule(subject, now + wait, Lane::Routine, now);
        }
        self.changed.notify_one();
        wait
    }

    /// Says what was found of those that were to be looked up. What was not found is none of this member's subjects.
    pub(crate) fn looked_up(&self, asked: &[Subject], found: &[(Subject, Traits)]) {
        let found: HashMap<_, _> = found.iter().copied().collect();
        let now = Instant::now();
        let state = &mut *self.lock();
        for subject in asked {
            let Some(entry) = state.entries.get_mut(subject) else { continue };
            if entry.taken.take().is_none() {
                continue;
            }
            let again = entry.named_meanwhile(now);
            entry.traits = found.get(subject).copied();
            if entry.traits.is_some() {
                let lane = entry.lane.unwrap_or(Lane::Routine);
                state.schedule(*subject, now, lane, now);
            } else if let Some((at, lane)) = again {
                state.schedule(*subject, at, lane, now);
            } else {
                state.entries.remove(subject);
            }
        }
        self.changed.notify_one();
    }

    /// They could not be looked up.
    pub(crate) fn not_looked_up(&self, asked: &[Subject]) {
        let now = Instant::now();
        let state = &mut *self.lock();
        for subject in asked {
            let Some(entry) = state.entries.get_mut(subject) else { continue };
            if entry.taken.take().is_none() {
                continue;
            }
            let lane = entry.lane.unwrap_or(Lane::Routine);
            state.schedule(*subject, now + LOOK_UP_RETRY, lane, now);
        }
        self.changed.notify_one();
    }

    /// Number of subjects that are due.
    pub(crate) fn depth(&self) -> usize {
        let mut state = self.lock();
        state.fall_due(Instant::now());
        state.lanes.len()
    }
}

impl State {
    /// Plans a pass, keeping an earlier plan and a better lane.
    fn schedule(&mut self, subject: Subject, at: Instant, lane: Lane, now: Instant) {
        let Some(entry) = self.entries.get_mut(&subject) else { return };
        let better = entry.lane.is_none_or(|before| lane < before);
        if better {
            entry.lane = Some(lane);
        }
        if entry.taken.is_some() {
            entry.named_at = Some(entry.named_at.map_or(at, |before| before.min(at)));
            return;
        }
        match entry.place {
            Place::Due(spot) if better => {
                self.lanes.remove(subject, spot);
                entry.place = Place::Due(self.lanes.insert(subject, lane, entry.traits));
                return;
            }
            Place::Due(_) => return,
            Place::Later(planned) if planned <= at => return,
            Place::Later(planned) => _ = self.later.remove(&(planned, subject)),
            Place::Nowhere => {}
        }
        entry.place = Place::Later(at);
        self.later.insert((at, subject));
        self.fall_due(now);
    }

    /// Puts into its lane what was planned for a time that has come.
    fn fall_due(&mut self, now: Instant) {
        while let Some(&(at, subject)) = self.later.first().filter(|(at, _)| *at <= now) {
            self.later.remove(&(at, subject));
            if let Some(entry) = self.entries.get_mut(&subject) {
                let lane = entry.lane_at(now);
                entry.place = Place::Due(self.lanes.insert(subject, lane, entry.traits));
            }
        }
    }

    fn pop(&mut self, now: Instant) -> Option<Job> {
        self.fall_due(now);
        let unknown = self.lanes.pop_unknown(LOOKED_UP_MOST);
        for subject in &unknown {
            if let Some(entry) = self.entries.get_mut(subject) {
                entry.place = Place::Nowhere;
                entry.taken = Some(Taken { since: now, counts: None });
            }
        }
        if !unknown.is_empty() {
            return Some(Job::LookUp(unknown));
        }
        let (subject, lane, class) = self.lanes.pop()?;
        if let Some(entry) = self.entries.get_mut(&subject) {
            entry.note_taken(Taken { since: now, counts: Some((lane, class)) });
        }
        Some(Job::Reconcile(subject))
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
