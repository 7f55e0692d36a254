//! The bounds of a cluster's namespace: all that its guardrails depend on.

use store::ClusterIntent;
use types::{Bytes, InstanceType, MilliCpu};

/// All that the guardrails depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) namespace: String,
    pub(super) instance_type: InstanceType,
    pub(super) cpu: MilliCpu,
    pub(super) memory: Bytes,
    pub(super) disk: Option<Bytes>,
    /// Rows, those on their way out included: their Pods still count.
    pub(super) instances: i64,
    /// How often a recount was asked for.
    pub(super) recounts: u32,
}

impl Bounds {
    pub(super) fn of(cluster: &ClusterIntent, recounts: u32) -> Self {
        Self {
            recounts,
            namespace: cluster.namespace.clone(),
            instance_type: cluster.instance_type,
            cpu: cluster.cpu,
            memory: cluster.memory,
            disk: cluster.disk,
            instances: i64::try_from(cluster.instances.len()).unwrap_or(i64::MAX),
        }
    }
}
