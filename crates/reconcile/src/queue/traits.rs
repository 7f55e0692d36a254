//! What the queue must know of a subject to be fair: whose it is, and of what class.

use types::{InstanceType, UserId};

/// Subjects that hang together: what serves one class may fail without the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// Clusters of Pods.
    Containers,
    /// Clusters of VMs: KubeVirt and its webhooks are in the way.
    Vms,
    /// Virtual clusters.
    VirtualClusters,
}

impl Class {
    pub(crate) const ALL: [Self; 3] = [Self::Containers, Self::Vms, Self::VirtualClusters];

    /// The class of a cluster of such instances.
    pub(crate) const fn of(instance_type: InstanceType) -> Self {
        match instance_type {
            InstanceType::Container => Self::Containers,
            InstanceType::Vm => Self::Vms,
        }
    }

    /// At most so many of `workers` are on this class at a time: a class that hangs leaves some to the others.
    pub(super) fn most(self, workers: usize) -> usize {
        match self {
            Self::Containers => workers,
            Self::Vms => (workers / 2).max(1),
            Self::VirtualClusters => (workers / 4).max(1),
        }
    }
}

/// What is known of a subject before it is reconciled. It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits {
    /// Owners take turns.
    pub(crate) owner: UserId,
    /// Classes have caps.
    pub(crate) class: Class,
}
