//! The machine that containers are on: what all parts of a node share.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::outcome::{Outcome, Outcomes};
use super::runtime::Containers;
use crate::server::{cluster::Cluster, store::Key};

/// One host for the Pods of all nodes: their containers take no room that would have to be told apart.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) cluster: Arc<Cluster>,
    pub(super) containers: Arc<Containers>,
    pub(super) outcomes: Arc<Outcomes>,
    pub(super) ended: UnboundedSender<Ended>,
    /// Ends followed logs and processes.
    pub(super) stop: CancellationToken,
}

/// What a kubelet hears from its runtime and from nobody else: that the process of a container has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) pod: Key,
    pub(crate) uid: String,
    pub(crate) container: String,
    /// Of this life of the container; the next one has another.
    pub(crate) id: String,
    pub(crate) code: i32,
}

impl Host {
    /// A host, and where it says that a process has ended. No such word is lost while somebody listens: there is one for a
    /// client's session at most, so that the channel needs no bound.
    pub(crate) fn new(cluster: Arc<Cluster>, stop: CancellationToken) -> (Self, UnboundedReceiver<Ended>) {
        let (ended, heard) = unbounded_channel();
        (Host { cluster, containers: Arc::default(), outcomes: Arc::default(), ended, stop }, heard)
    }

    /// What the process of a container that runs comes to, if that can be told.
    pub(crate) fn outcome(&self, pod: &Value, container: &str) -> Option<Arc<Outcome>> {
        self.outcomes.of(&self.cluster, pod, container)
    }
}
