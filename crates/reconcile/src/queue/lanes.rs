//! What is due, in lanes: who waits for a person goes first, what nobody asked for goes last, and none takes all workers.

use std::collections::{BTreeMap, BTreeSet};

use types::Subject;

use super::{
    traits::{Class, Traits},
    turns::Turns,
};

/// Which of two goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Its owner changed something a moment ago.
    Urgent,
    /// Something changed, or is to be tried again.
    Routine,
    /// Nothing is known to have changed.
    Walk,
}

impl Lane {
    const ALL: [Self; 3] = [Self::Urgent, Self::Routine, Self::Walk];
}

/// Where a subject that is due waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) lane: Lane,
    serial: u64,
    traits: Option<Traits>,
}

#[derive(Debug)]
pub(super) struct Lanes {
    workers: usize,
    /// Counts arrivals.
    serial: u64,
    /// Whose these are is not known yet.
    unknown: BTreeSet<(Lane, u64, Subject)>,
    turns: BTreeMap<(Lane, Class), Turns>,
    /// Subjects that workers have.
    taken: BTreeMap<(Lane, Class), usize>,
    len: usize,
}

impl Lanes {
    pub(super) fn new(workers: usize) -> Self {
        Self { workers, serial: 0, unknown: BTreeSet::new(), turns: BTreeMap::new(), taken: BTreeMap::new(), len: 0 }
    }

    /// Subjects that are due and not with a worker.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, subject: Subject, lane: Lane, traits: Option<Traits>) -> Spot {
        self.serial += 1;
        self.len += 1;
        match traits {
            Some(Traits { owner, class }) => self.turns.entry((lane, class)).or_default().insert(owner, self.serial, subject),
            None => _ = self.unknown.insert((lane, self.serial, subject)),
        }
        Spot { lane, serial: self.serial, traits }
    }

    pub(super) fn remove(&mut self, subject: Subject, spot: Spot) {
        let Spot { lane, serial, traits } = spot;
        self.len -= 1;
        match traits {
            Some(Traits { owner, class }) => self.turns.entry((lane, class)).or_default().remove(owner, serial, subject),
            None => _ = self.unknown.remove(&(lane, serial, subject)),
        }
    }

    /// Takes out up to `most` of which nothing is known.
    pub(super) fn pop_unknown(&mut self, most: usize) -> Vec<Subject> {
        let subjects: Vec<_> = std::iter::from_fn(|| self.unknown.pop_first()).take(most).map(|(_, _, subject)| subject).collect();
        self.len -= subjects.len();
        subjects
    }

    /// Takes out the next for which a worker may be used. It counts until [`Lanes::give_back`].
    pub(super) fn pop(&mut self) -> Option<(Subject, Lane, Class)> {
        for lane in Lane::ALL {
            if !self.has_room(lane) {
                continue;
            }
            let mut classes = Class::ALL.map(|class| (self.taken_of(class), class));
            classes.sort_unstable();
            for (taken, class) in classes {
                let subject = self.turns.get_mut(&(lane, class)).filter(|_| taken < class.most(self.workers)).and_then(Turns::pop);
                if let Some(subject) = subject {
                    self.len -= 1;
                    *self.taken.entry((lane, class)).or_default() += 1;
                    return Some((subject, lane, class));
                }
            }
        }
        None
    }

    pub(super) fn give_back(&mut self, lane: Lane, class: Class) {
        let taken = self.taken.entry((lane, class)).or_default();
        *taken = taken.saturating_sub(1);
    }

    /// One worker is kept for what is urgent and one for what is not; the walk has a quarter.
    fn has_room(&self, lane: Lane) -> bool {
        let urgent = self.taken_in(Lane::Urgent);
        let walking = self.taken_in(Lane::Walk);
        let others = self.taken_in(Lane::Routine) + walking;
        let most = self.workers.saturating_sub(1).max(1);
        match lane {
            Lane::Urgent => urgent < most,
            Lane::Routine => others < most,
            Lane::Walk => others < most && walking < (self.workers / 4).max(1),
        }
    }

    fn taken_in(&self, lane: Lane) -> usize {
        Class::ALL.iter().filter_map(|class| self.taken.get(&(lane, *class))).sum()
    }

    fn taken_of(&self, class: Class) -> usize {
        Lane::ALL.iter().filter_map(|lane| self.taken.get(&(*lane, class))).sum()
    }
}
