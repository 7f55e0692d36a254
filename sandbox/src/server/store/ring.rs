//! Recent changes of one table: for watches that start or resume at a version, and for lists of a former version.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Entry, Key};

/// How many changes are kept, and how many bytes of objects that only they hold: whichever is reached first.
const KEPT: usize = 8_192;
const KEPT_BYTES: usize = 8 << 20;

/// One change: the object before it (none at creation) and after it, or at its removal.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) before: Option<Arc<Entry>>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) deleted: bool,
}

impl Change {
    /// What it takes in memory. An object after a change is there anyway: in the table, or as the one before a later change.
    fn held(&self) -> usize {
        let last = if self.deleted { self.entry.held() } else { 0 };
        size_of::<Change>() + last + self.before.as_ref().map_or(0, |before| before.held())
    }
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
        self.bytes += change.held();
        self.changes.push_back(change);
        while self.changes.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.changes.pop_front() else { break };
            self.bytes -= oldest.held();
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Versions of an object of a mebibyte that can hardly be packed.
    fn versions() -> impl Iterator<Item = Arc<Entry>> {
        let noise: String = (0..1 << 20).map(|_| char::from(b'#' + rand::random::<u8>() % 56)).collect();
        let entry = Entry::unstored(&[].into(), &json!({"metadata": {"name": "a"}, "data": {"k": noise}}), 0);
        (1..).map(move |version| Arc::new(Entry { version, ..entry.clone() }))
    }

    #[test]
    fn what_only_the_ring_holds_has_a_limit_and_what_is_forgotten_is_said() {
        let mut ring = Ring::default();
        let (mut versions, mut before) = (versions(), None);
        for entry in versions.by_ref().take(40) {
            ring.push(Change { before: before.replace(entry.clone()), entry, deleted: false });
        }
        let alone = |ring: &Ring| ring.changes.iter().filter_map(|c| c.before.as_ref()).map(|e| e.text.held()).sum::<usize>();
        assert!((KEPT_BYTES - (2 << 20)..KEPT_BYTES).contains(&alone(&ring)), "{}", alone(&ring));
        assert!(matches!(ring.after(ring.start - 1, 40, 100), Replay::TooOld));
        assert!(matches!(ring.after(ring.start, 40, 100), Replay::Changes(found, 40) if found.len() == 7));
        for entry in versions.take(40) {
            ring.push(Change { before: None, entry, deleted: true });
        }
        assert_eq!(ring.changes.len(), 7, "of a removed object nobody else has the last state");
    }
}
