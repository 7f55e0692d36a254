//! How a reconciler runs. Read by no environment: the binary decides.

use std::time::Duration;

use ipnet::IpNet;

/// Options of one [`crate::Supervisor`].
#[derive(Debug, Clone)]
pub struct Options {
    /// What others call this process.
    pub holder: String,
    /// How long a lease lasts without renewal: a dead replica's work is taken over after this.
    pub lease_ttl: Duration,
    /// How often the store is asked for clusters whose wake-up was lost.
    pub poll: Duration,
    /// How often every cluster is reconciled without a reason, its guardrails applied anew.
    pub resync: Duration,
    /// How long an instance may be in trouble (image, scheduling, crashes) before it is called failed.
    pub failure_grace: Duration,
    /// How long a delete may take before what blocks it is reported.
    pub delete_grace: Duration,
    /// Addresses that tenants must not reach besides private ones: the member's nodes and API servers, where they have
    /// public ones. Not read from the member: its account sees no Nodes.
    pub deny_cidrs: Vec<IpNet>,
    /// Clusters reconciled at the same time.
    pub passes: usize,
    /// Writes at the same time within a cluster.
    pub writes: usize,
}

impl Options {
    /// The usual ones.
    pub fn new(holder: impl Into<String>) -> Self {
        Self {
            holder: holder.into(),
            lease_ttl: Duration::from_secs(8),
            poll: Duration::from_secs(1),
            resync: Duration::from_secs(300),
            failure_grace: Duration::from_secs(180),
            delete_grace: Duration::from_secs(30),
            deny_cidrs: Vec::new(),
            passes: 8,
            writes: 16,
        }
    }
}
