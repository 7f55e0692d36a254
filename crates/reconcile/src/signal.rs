//! Hints without data, in and out.
//!
//! In: [`Wake`] says that a cluster's intent changed. Out: [`Changes`] says that some status was written. Neither
//! carries anything that could be lost with it.

use std::sync::Arc;

use tokio::sync::watch;
use types::ClusterId;

use crate::queue::{Cause, Queue};

/// Tells the reconciler that a cluster is to be reconciled now. Cheap, never waits, and may be called by replicas that do not
/// hold the lease: then it does nothing, and the holder's poll finds the change.
#[derive(Clone)]
pub struct Wake(pub(crate) Arc<Queue>);

impl Wake {
    /// Has a cluster reconciled as soon as possible.
    pub fn wake(&self, cluster: ClusterId) {
        self.0.add(cluster, Cause::Wake);
    }
}

/// Fires after each write of status by this process.
#[derive(Clone)]
pub struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    /// From now on. Subscribe first, then read, then wait: nothing between is missed. Other replicas' writes do not
    /// show here, so wait with a limit and look again.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    pub(crate) fn fire(&self) {
        self.0.send_modify(|count| *count += 1);
    }
}
