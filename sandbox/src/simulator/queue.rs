//! What is about to happen, and who waits for what.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::server::store::Key;

/// One object in one group.
pub(super) type Place = (Arc<str>, Key, usize);
/// One object. An empty name means every object of its table.
pub(super) type Named = (Arc<str>, Key);

/// A stage that will be carried out.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) stage: usize,
    pub(super) uid: Arc<str>,
    turn: u64,
    at: Instant,
}

/// At most one pending stage for each place, by time.
#[derive(Default)]
pub(super) struct Queue {
    pending: HashMap<Place, Pending>,
    due: BinaryHeap<Reverse<(Instant, u64, Place)>>,
    turn: u64,
}

impl Queue {
    pub(super) fn has(&self, place: &Place) -> bool {
        self.pending.contains_key(place)
    }

    pub(super) fn holds(&self, place: &Place, stage: usize, uid: &Arc<str>) -> bool {
        self.pending.get(place).is_some_and(|p| p.stage == stage && p.uid == *uid)
    }

    /// Puts a stage in; one that is in already stays, unless the new one comes earlier.
    pub(super) fn put(&mut self, place: Place, stage: usize, uid: &Arc<str>, at: Instant) {
        if self.pending.get(&place).is_some_and(|p| p.stage == stage && p.uid == *uid && p.at <= at) {
            return;
        }
        self.turn += 1;
        self.pending.insert(place.clone(), Pending { stage, uid: uid.clone(), turn: self.turn, at });
        self.due.push(Reverse((at, self.turn, place)));
    }

    pub(super) fn drop(&mut self, place: &Place) {
        self.pending.remove(place);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out the first that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Place, Pending)> {
        while self.next().is_some_and(|at| at <= now) {
            let Reverse((_, turn, place)) = self.due.pop()?;
            if self.pending.get(&place).is_some_and(|p| p.turn == turn) {
                return self.pending.remove(&place).map(|pending| (place, pending));
            }
        }
        None
    }
}

/// Objects that matter to others which name them: who asked for one is told of its next change, once.
#[derive(Default)]
pub(super) struct Interests {
    of: HashMap<Named, HashSet<Named>>,
    sweep_at: usize,
}

impl Interests {
    pub(super) fn add(&mut self, object: Named, who: &Named, alive: impl Fn(&Named) -> bool) {
        self.of.entry(object).or_default().insert(who.clone());
        if self.of.len() > self.sweep_at.max(1_024) {
            self.of.retain(|_, who| {
                who.retain(&alive);
                !who.is_empty()
            });
            self.sweep_at = self.of.len() * 2;
        }
    }

    /// Whoever waits for this object, or for any of its table.
    pub(super) fn take(&mut self, table: &Arc<str>, key: &Key) -> Vec<Named> {
        let any = self.of.remove(&(table.clone(), Key::new("", "")));
        let one = self.of.remove(&(table.clone(), key.clone()));
        any.into_iter().chain(one).flatten().collect()
    }
}
