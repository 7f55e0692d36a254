//! Objects by table (`pods`, `virtualmachines.kubevirt.io`), namespace and name, with one monotonic version for all.
//!
//! Objects are kept as the JSON that goes over the wire, packed ([`text`]), with the few parts that selectors and garbage
//! collection need beside it: a list is a concatenation. A write is a compare-and-swap on the version that the writer saw;
//! it is in the log ([`log`]) before it is visible. Watches read a ring of recent changes ([`ring`]) each with a cursor of
//! its own, so that a slow watcher costs nothing and learns from a 410 that it was too slow.
//! The store knows nothing of HTTP, kinds or rules, those are [`crate::server::cluster`]'s: who writes says to which table,
//! and which fields of the object a selector may name (one of them is called otherwise than it is found: [`entry`]).

mod entry;
mod list;
pub(crate) mod log;
mod ring;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;
use tokio::sync::{mpsc, watch};

pub(crate) use entry::{Entry, Key};
pub(crate) use list::{Page, Query};
pub(crate) use ring::{Change, Replay};

use crate::machinery::notation::value::set;
use log::{Held, Log, Stored};
use ring::Ring;

/// What the simulator and the garbage collector are told of every change.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) table: Arc<str>,
    pub(crate) entry: Arc<Entry>,
    pub(crate) deleted: bool,
}

/// What a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expect {
    Absent,
    Version(u64),
}

/// Why a write did not happen.
#[derive(Debug)]
pub(crate) enum Miss {
    /// Somebody else was faster; or the object is there already, or gone.
    Changed,
    /// The log could not be written.
    Log(std::io::Error),
}

#[derive(Default)]
struct Table {
    objects: BTreeMap<Key, Arc<Entry>>,
    ring: Ring,
    changed: watch::Sender<u64>,
}

struct Inner {
    version: u64,
    /// The version at the start: no ring knows what was before.
    started: u64,
    tables: HashMap<Arc<str>, Table>,
    uids: HashMap<Arc<str>, (Arc<str>, Key)>,
    dependents: HashMap<Arc<str>, HashSet<(Arc<str>, Key)>>,
    log: Option<Log>,
    notes: Option<mpsc::UnboundedSender<Note>>,
}

/// The store. All methods are quick and take one lock.
pub(crate) struct Store {
    inner: RwLock<Inner>,
}

impl Store {
    /// An empty store that starts at version 1, without a log.
    pub(crate) fn new(log: Option<Log>) -> Self {
        let inner = Inner { version: 1, started: 1, tables: HashMap::new(), uids: HashMap::new(), dependents: HashMap::new(), log, notes: None };
        Store { inner: RwLock::new(inner) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the log held; nobody is told, and rings start after it. Says of a table which fields a selector may
    /// name; objects of a table that nobody knows are left out.
    pub(crate) fn load(&self, held: Held, fields: impl Fn(&str) -> Option<Arc<[String]>>) {
        let mut inner = self.write();
        inner.version = held.version.max(inner.version);
        inner.started = inner.version;
        let mut known = HashMap::new();
        for Stored { table, version, text, .. } in held.objects {
            let Some(names) = known.entry(table.clone()).or_insert_with(|| fields(&table)) else { continue };
            inner.index(&table, &Arc::new(Entry::with_text(names, &text.value(), version, text)));
        }
        let version = inner.version;
        inner.tables.values_mut().for_each(|t| t.ring.start_at(version));
    }

    /// Every object that is here, then every change to come.
    pub(crate) fn feed(&self) -> mpsc::UnboundedReceiver<Note> {
        let (send, receive) = mpsc::unbounded_channel();
        let mut inner = self.write();
        for (table, held) in &inner.tables {
            for entry in held.objects.values() {
                let _ = send.send(Note { table: table.clone(), entry: entry.clone(), deleted: false });
            }
        }
        inner.notes = Some(send);
        receive
    }

    /// Ends the feed; its receiver then ends too.
    pub(crate) fn end_feed(&self) {
        self.write().notes = None;
    }

    pub(crate) fn version(&self) -> u64 {
        self.read().version
    }

    pub(crate) fn get(&self, table: &str, key: &Key) -> Option<Arc<Entry>> {
        self.read().tables.get(table)?.objects.get(key).cloned()
    }

    pub(crate) fn by_uid(&self, uid: &str) -> Option<(Arc<str>, Key)> {
        self.read().uids.get(uid).cloned()
    }

    /// The objects whose owner references name this uid.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<(Arc<str>, Key)> {
        self.read().dependents.get(uid).map(|set| set.iter().cloned().collect()).unwrap_or_default()
    }

    /// Every object of every table in a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<(Arc<str>, Arc<Entry>)> {
        let inner = self.read();
        let each = inner.tables.iter().flat_map(|(name, table)| list::range(table, namespace).map(move |e| (name.clone(), e.clone())));
        each.collect()
    }

    /// Every object of a table, in a namespace or in all (`""`).
    pub(crate) fn all(&self, table: &str, namespace: &str) -> Vec<Arc<Entry>> {
        let inner = self.read();
        inner.tables.get(table).map(|t| list::range(t, namespace).cloned().collect()).unwrap_or_default()
    }

    /// The objects of a table in a namespace whose names begin in the same way.
    pub(crate) fn beginning(&self, table: &str, namespace: &str, with: &str) -> Vec<Arc<Entry>> {
        let inner = self.read();
        let Some(table) = inner.tables.get(table) else { return vec![] };
        let from = table.objects.range(Key::new(namespace, with)..);
        from.take_while(|(key, _)| *key.namespace == *namespace && key.name.starts_with(with)).map(|(_, entry)| entry.clone()).collect()
    }

    /// Writes an object of which a selector may name some fields, giving it the next version.
    pub(crate) fn put(&self, table: &str, fields: &Arc<[String]>, mut object: Value, expect: Expect) -> Result<Arc<Entry>, Miss> {
        let mut inner = self.write();
        let key = Key::of(&object);
        let present = inner.tables.get(table).and_then(|t| t.objects.get(&key)).cloned();
        if !met(expect, present.as_deref()) {
            return Err(Miss::Changed);
        }
        let version = inner.version + 1;
        set(&mut object, "metadata.resourceVersion", Value::String(version.to_string()));
        let entry = Arc::new(Entry::new(fields, &object, version, present.as_deref()));
        inner.log(|log| log.put(table, &entry.key, version, &entry.text))?;
        inner.commit(&table.into(), present, entry.clone(), false);
        Ok(entry)
    }

    /// Removes an object. What is returned carries the version of the removal.
    pub(crate) fn remove(&self, table: &str, key: &Key, expect: u64) -> Result<Arc<Entry>, Miss> {
        let last = self.get(table, key).ok_or(Miss::Changed)?.value();
        self.remove_with(table, last, expect)
    }

    /// Removes an object whose last state is given, as when its last finalizer goes.
    pub(crate) fn remove_with(&self, table: &str, mut last: Value, expect: u64) -> Result<Arc<Entry>, Miss> {
        let mut inner = self.write();
        let present = inner.tables.get(table).and_then(|t| t.objects.get(&Key::of(&last))).cloned();
        let present = present.filter(|present| present.version == expect).ok_or(Miss::Changed)?;
        let version = inner.version + 1;
        set(&mut last, "metadata.resourceVersion", Value::String(version.to_string()));
        let entry = Arc::new(Entry::new(&present.index.names, &last, version, Some(&present)));
        inner.log(|log| log.remove(table, &entry.key, version))?;
        inner.commit(&table.into(), Some(present), entry.clone(), true);
        Ok(entry)
    }

    /// Changes of a table after a version, and the version up to which they are complete.
    pub(crate) fn replay(&self, table: &str, after: u64, limit: usize) -> Replay {
        let inner = self.read();
        match inner.tables.get(table) {
            Some(table) => table.ring.after(after, inner.version, limit),
            None => Replay::Changes(vec![], inner.version.max(after)),
        }
    }

    /// Wakes at each change of a table.
    pub(crate) fn changes(&self, table: &str) -> watch::Receiver<u64> {
        self.write().table(&table.into()).changed.subscribe()
    }

    /// Writes what is buffered to the disk.
    pub(crate) fn flush(&self) -> std::io::Result<()> {
        self.write().log.as_mut().map_or(Ok(()), Log::flush)
    }
}

fn met(expect: Expect, present: Option<&Entry>) -> bool {
    match (expect, present) {
        (Expect::Absent, None) => true,
        (Expect::Version(version), Some(entry)) => entry.version == version,
        _ => false,
    }
}

impl Inner {
    fn table(&mut self, name: &Arc<str>) -> &mut Table {
        let started = self.started;
        self.tables.entry(name.clone()).or_insert_with(|| {
            let mut table = Table::default();
            table.ring.start_at(started);
            table
        })
    }

    /// Has the log take a change that is about to happen, and compacts it before when it is time. Failing to is no reason
    /// to refuse the write as long as the old log is whole.
    fn log(&mut self, change: impl FnOnce(&mut Log) -> std::io::Result<()>) -> Result<(), Miss> {
        let Inner { version, tables, log: Some(log), .. } = self else { return Ok(()) };
        if log.is_due() {
            let objects = tables.iter().flat_map(|(name, table)| table.objects.values().map(move |e| (&**name, &e.key, e.version, &e.text)));
            if let Err(error) = log.shorten(*version, objects) {
                tracing::warn!(%error, "the sandbox's log could not be compacted");
            }
        }
        change(log).map_err(Miss::Log)
    }

    fn commit(&mut self, table: &Arc<str>, before: Option<Arc<Entry>>, after: Arc<Entry>, deleted: bool) {
        self.table(table);
        if let Some(before) = &before {
            self.forget(table, before);
        }
        self.version = after.version;
        if !deleted {
            self.index(table, &after);
        }
        let held = self.table(table);
        held.ring.push(Change { before, entry: after.clone(), deleted });
        held.changed.send_replace(after.version);
        if let Some(notes) = &self.notes {
            let _ = notes.send(Note { table: table.clone(), entry: after, deleted });
        }
    }

    fn index(&mut self, table: &Arc<str>, entry: &Arc<Entry>) {
        let key = entry.key.clone();
        self.uids.insert(entry.uid.clone(), (table.clone(), key.clone()));
        for owner in &entry.owners {
            self.dependents.entry(owner.clone()).or_default().insert((table.clone(), key.clone()));
        }
        self.table(table).objects.insert(key, entry.clone());
    }

    fn forget(&mut self, table: &Arc<str>, entry: &Entry) {
        self.uids.remove(&entry.uid);
        for owner in &entry.owners {
            if let Some(set) = self.dependents.get_mut(owner) {
                set.remove(&(table.clone(), entry.key.clone()));
                if set.is_empty() {
                    self.dependents.remove(owner);
                }
            }
        }
        self.table(table).objects.remove(&entry.key);
    }
}
