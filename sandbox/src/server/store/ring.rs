//! Recent changes of one table: for watches that start or resume at a version, and for lists of a former version.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Entry, Key};

/// How many changes are kept, and how many bytes of objects: whichever is reached first.
const KEPT: usize = 8_192;
const KEPT_BYTES: usize = 12 << 20;

/// One change: the object before it (none at creation) and after it, or at its removal.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) before: Option<Arc<Entry>>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) deleted: bool,
}

/// What a watch gets.
#[derive(Debug)]
pub(crate) enum Replay {
    /// Changes in order, and the version up to which there are no others.
    Changes(Vec<Change>, u64),
    /// The version is older than what is kept.
    TooOld,
}

#[derive(Debug, Default)]
pub(crate) struct Ring {
    changes: VecDeque<Change>,
    bytes: usize,
    /// The oldest version from which nothing is missing.
    start: u64,
}

impl Ring {
    pub(crate) fn start_at(&mut self, version: u64) {
        self.start = version;
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.bytes += change.entry.held();
        self.changes.push_back(change);
        while self.changes.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.changes.pop_front() else { break };
            self.bytes -= oldest.entry.held();
            self.start = oldest.entry.version;
        }
    }

    pub(crate) fn after(&self, version: u64, newest: u64, limit: usize) -> Replay {
        if version < self.start {
            return Replay::TooOld;
        }
        let from = self.first_after(version);
        let found: Vec<Change> = self.changes.range(from..).take(limit).cloned().collect();
        let complete = found.len() == self.changes.len() - from;
        let upto = if complete { newest.max(version) } else { found.last().map_or(version, |c| c.entry.version) };
        Replay::Changes(found, upto)
    }

    /// How the objects that changed after a version were at it: absent, or so. `None` when that is no longer known.
    pub(crate) fn undone(&self, version: u64) -> Option<BTreeMap<&Key, Option<&Arc<Entry>>>> {
        if version < self.start {
            return None;
        }
        let mut was = BTreeMap::new();
        for change in self.changes.range(self.first_after(version)..) {
            was.entry(&change.entry.key).or_insert(change.before.as_ref());
        }
        Some(was)
    }

    fn first_after(&self, version: u64) -> usize {
        self.changes.partition_point(|c| c.entry.version <= version)
    }
}
