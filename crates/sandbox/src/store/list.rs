//! Lists, whole or in pages. The pages of one list show one version: the rest is remembered with the first page, for a
//! few lists at a time; a `continue` that is forgotten is a 410, and clients start over.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Entry, Key, Store, Table};
use crate::select::Selector;

/// Lists under way that are remembered.
const REMEMBERED: usize = 16;

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) entries: Vec<Arc<Entry>>,
    pub(crate) version: u64,
    /// Objects that are left, and the token for the next page.
    pub(crate) rest: Option<(usize, String)>,
}

/// Its number, its version, and all that it shows.
type Held = (u64, u64, Arc<Vec<Arc<Entry>>>);

#[derive(Default)]
pub(super) struct Pages {
    next: u64,
    held: VecDeque<Held>,
}

/// The objects of a table in a namespace, or in all of them.
pub(super) fn range<'t>(table: &'t Table, namespace: &str) -> Box<dyn Iterator<Item = &'t Arc<Entry>> + 't> {
    if namespace.is_empty() {
        return Box::new(table.objects.values());
    }
    let own: Box<str> = namespace.into();
    let from = table.objects.range(Key::new(namespace, "")..);
    Box::new(from.take_while(move |(key, _)| key.namespace == own).map(|(_, entry)| entry))
}

impl Store {
    /// The first page, or everything when `limit` is 0.
    pub(crate) fn list(&self, table: &str, namespace: &str, selector: &Selector, limit: usize) -> Page {
        let (entries, version) = {
            let inner = self.read();
            let held = inner.tables.get(table);
            let found = held.into_iter().flat_map(|t| range(t, namespace)).filter(|e| selector.matches(e)).cloned();
            (found.collect::<Vec<_>>(), inner.version)
        };
        if limit == 0 || entries.len() <= limit {
            return Page { entries, version, rest: None };
        }
        let all = Arc::new(entries);
        let mut inner = self.write();
        inner.pages.next += 1;
        let id = inner.pages.next;
        inner.pages.held.push_back((id, version, all.clone()));
        while inner.pages.held.len() > REMEMBERED {
            inner.pages.held.pop_front();
        }
        page(id, version, &all, 0, limit)
    }

    /// The page that a token stands for; `None` when it is forgotten or not one of ours.
    pub(crate) fn list_on(&self, token: &str, limit: usize) -> Option<Page> {
        let (id, from) = token.split_once('-')?;
        let (id, from): (u64, usize) = (id.parse().ok()?, from.parse().ok()?);
        let mut inner = self.write();
        let at = inner.pages.held.iter().position(|(held, ..)| *held == id)?;
        let (_, version, all) = inner.pages.held.get(at)?.clone();
        let limit = if limit == 0 { usize::MAX } else { limit };
        let page = page(id, version, &all, from, limit);
        if page.rest.is_none() {
            inner.pages.held.remove(at);
        }
        Some(page)
    }
}

fn page(id: u64, version: u64, all: &[Arc<Entry>], from: usize, limit: usize) -> Page {
    let from = from.min(all.len());
    let to = from.saturating_add(limit).min(all.len());
    let rest = (to < all.len()).then(|| (all.len() - to, format!("{id}-{to}")));
    Page { entries: all[from..to].to_vec(), version, rest }
}
