//! How a cluster begins and ends: read from its directory, told to whoever runs it, brought to the disk.

use std::path::Path;

use tokio::sync::mpsc::UnboundedReceiver;

use super::Cluster;
use crate::error::Error;
use crate::machinery::registry::builtin::CRDS;
use crate::server::store::log::{Held, Log};
use crate::server::store::{Note, Store};

impl Cluster {
    /// The cluster as it was left in a directory, or a new one.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, Error> {
        let Some(dir) = dir else { return Ok(Cluster::new(Store::new(None))) };
        let (log, Held { version, objects }) = Log::open(&dir.join("objects.jsonl"))?;
        let cluster = Cluster::new(Store::new(Some(log)));
        // Definitions come first: they say how the objects of their kinds are indexed.
        let (definitions, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| *object.table == *CRDS);
        for objects in [definitions, others] {
            let registry = cluster.registry();
            cluster.store.load(Held { version, objects }, |table| Some(registry.of_table(table)?.fields.clone()));
            cluster.refresh_registry();
        }
        Ok(cluster)
    }

    /// Every object that is here, then every change to come, until [`Cluster::end_feed`].
    pub(crate) fn feed(&self) -> UnboundedReceiver<Note> {
        self.store.feed()
    }

    pub(crate) fn end_feed(&self) {
        self.store.end_feed();
    }

    /// Brings everything to the disk.
    pub(crate) fn flush(&self) -> std::io::Result<()> {
        self.store.flush()
    }
}
