//! What every request needs.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::behind::{Aggregated, Kubelet};
use crate::server::cluster::Cluster;

/// What is served, and who is behind it.
pub(crate) struct Served {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) kubelet: Arc<dyn Kubelet>,
    pub(crate) virtual_machines: Arc<dyn Aggregated>,
    pub(crate) token: String,
    /// Ends connections and watches.
    pub(crate) stop: CancellationToken,
}
