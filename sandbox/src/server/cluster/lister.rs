//! What those read who watch the whole cluster, as controllers read from an informer's cache: objects by name, by owner, by
//! namespace. It only reads, and unlike a cache it is never behind.

use std::sync::Arc;

use tokio::sync::watch;

use super::Cluster;
use crate::server::store::{Entry, Key, Store};

/// The objects of a cluster, to read.
#[derive(Clone, Copy)]
pub(crate) struct Lister<'c> {
    store: &'c Store,
}

impl Cluster {
    pub(crate) fn lister(&self) -> Lister<'_> {
        Lister { store: &self.store }
    }
}

impl Lister<'_> {
    pub(crate) fn get(&self, table: &str, key: &Key) -> Option<Arc<Entry>> {
        self.store.get(table, key)
    }

    /// Every object of a table, in a namespace or in all (`""`).
    pub(crate) fn list(&self, table: &str, namespace: &str) -> Vec<Arc<Entry>> {
        self.store.all(table, namespace)
    }

    /// The objects of a table in a namespace whose names begin in the same way.
    pub(crate) fn beginning(&self, table: &str, namespace: &str, with: &str) -> Vec<Arc<Entry>> {
        self.store.beginning(table, namespace, with)
    }

    /// Every object of every table in a namespace.
    pub(crate) fn in_namespace(&self, namespace: &str) -> Vec<(Arc<str>, Arc<Entry>)> {
        self.store.in_namespace(namespace)
    }

    /// Where the object with this uid is.
    pub(crate) fn by_uid(&self, uid: &str) -> Option<(Arc<str>, Key)> {
        self.store.by_uid(uid)
    }

    /// Wakes at each change of a table.
    pub(crate) fn changes(&self, table: &str) -> watch::Receiver<u64> {
        self.store.changes(table)
    }

    /// The objects whose owner references name this uid.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<(Arc<str>, Key)> {
        self.store.dependents(uid)
    }
}
