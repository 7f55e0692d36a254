//! Lists, whole or in pages, as they are now or as they were at a version: what changed since is undone from the ring.
//! So the pages of one list show one version, and nothing has to be remembered for those who never fetch the next.

use std::ops::Bound;
use std::sync::Arc;

use super::{Entry, Key, Store, Table};
use crate::machinery::select::Selector;

/// What to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query<'q> {
    /// Empty: all of them.
    pub(crate) namespace: &'q str,
    pub(crate) selector: Selector,
    /// At most so many; 0 is all.
    pub(crate) limit: usize,
    /// Only what stands after this.
    pub(crate) after: Option<Key>,
    /// As it was at a version, instead of now.
    pub(crate) version: Option<u64>,
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) version: u64,
    /// How many objects follow those of this page.
    pub(crate) left: usize,
}

/// The objects of a table in a namespace, or in all of them.
pub(super) fn range<'t>(table: &'t Table, namespace: &str) -> Box<dyn Iterator<Item = &'t Arc<Entry>> + 't> {
    range_after(table, namespace, None)
}

fn range_after<'t>(table: &'t Table, namespace: &str, after: Option<&Key>) -> Box<dyn Iterator<Item = &'t Arc<Entry>> + 't> {
    let first = Key::new(namespace, "");
    let from = match after {
        Some(key) if *key >= first => Bound::Excluded(key),
        _ if namespace.is_empty() => Bound::Unbounded,
        _ => Bound::Included(&first),
    };
    let own = first.namespace.clone();
    let found = table.objects.range((from, Bound::Unbounded));
    Box::new(found.take_while(move |(key, _)| own.is_empty() || key.namespace == own).map(|(_, entry)| entry))
}

impl Selector {
    pub(crate) fn matches(&self, entry: &Entry) -> bool {
        self.holds(|key| entry.label(key), |key| entry.field(key))
    }
}

impl Store {
    /// Lists; `None` when the version asked for is no longer known.
    pub(crate) fn list(&self, table: &str, query: &Query<'_>) -> Option<Page> {
        let inner = self.read();
        let version = query.version.unwrap_or(inner.version).min(inner.version);
        let Some(table) = inner.tables.get(table) else {
            return (version >= inner.started).then(|| Page { entries: vec![], version, left: 0 });
        };
        let was = if version == inner.version { Default::default() } else { table.ring.undone(version)? };
        let present = range_after(table, query.namespace, query.after.as_ref()).filter(|e| !was.contains_key(&e.key));
        let mut entries: Vec<Arc<Entry>> = present.filter(|e| query.selector.matches(e)).cloned().collect();
        let before = was.values().copied().flatten();
        let before = before.filter(|e| query.namespace.is_empty() || *e.key.namespace == *query.namespace);
        let before = before.filter(|e| query.after.as_ref().is_none_or(|after| e.key > *after));
        let present = entries.len();
        entries.extend(before.filter(|e| query.selector.matches(e)).cloned());
        if entries.len() > present {
            entries.sort_by(|a, b| a.key.cmp(&b.key));
        }
        let limit = if query.limit == 0 { usize::MAX } else { query.limit };
        let left = entries.len().saturating_sub(limit);
        entries.truncate(limit);
        Some(Page { entries, version, left })
    }
}
