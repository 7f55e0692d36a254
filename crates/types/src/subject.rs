//! What reconciling works on.

use std::fmt;

use crate::{ClusterId, VirtualClusterId};

/// A row that reconciling makes real on a member. Closed on purpose: each kind has a controller of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A tenant's group of instances.
    Cluster(ClusterId),
    /// A virtual cluster.
    VirtualCluster(VirtualClusterId),
}

impl Subject {
    /// The word for its kind, as SQL and metrics have it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Cluster(_) => "cluster",
            Self::VirtualCluster(_) => "virtual_cluster",
        }
    }

    /// Its row id, unique within its kind only.
    pub const fn id(self) -> i64 {
        match self {
            Self::Cluster(id) => id.0,
            Self::VirtualCluster(id) => id.0,
        }
    }

    /// The subject of a kind's word and an id; `None` for any other word.
    pub fn of(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "cluster" => Some(Self::Cluster(ClusterId(id))),
            "virtual_cluster" => Some(Self::VirtualCluster(VirtualClusterId(id))),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_found_by_what_it_is_called() {
        for subject in [Subject::Cluster(ClusterId(7)), Subject::VirtualCluster(VirtualClusterId(7))] {
            assert_eq!(Subject::of(subject.kind(), subject.id()), Some(subject));
        }
        assert_eq!(Subject::of("pod", 7), None);
    }
}
