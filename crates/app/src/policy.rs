//! What an installation decides for itself.

use std::time::Duration;

use types::{Bytes, MilliCpu};

/// What an installation decides for itself.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Anybody may create a user. For trying only.
    pub open_sign_up: bool,
    /// Least characters of a token that somebody chooses.
    pub token_min: usize,
    /// What containers run when their cluster doesn't say.
    pub container_image: String,
    /// What VMs boot from when their cluster doesn't say.
    pub vm_image: String,
    /// Every namespace has a random part, so that a plain one tells nobody which names others have taken.
    pub hides_names: bool,
    /// How long operations wait for their end before they answer `pending`.
    pub operation_wait: Duration,
    /// How many clusters a user may have when nobody says.
    pub quota_clusters: i64,
    /// How many instances a user may have when nobody says.
    pub quota_instances: i64,
    /// How many virtual clusters a user may have when nobody says.
    pub quota_virtual_clusters: i64,
    /// CPU of the smallest instance: less than this costs its Kubernetes more than it gives anybody.
    pub min_cpu: MilliCpu,
    /// CPU of the largest instance.
    pub max_cpu: Option<MilliCpu>,
    /// Memory of the smallest instance.
    pub min_memory: Bytes,
    /// Memory of the largest instance.
    pub max_memory: Option<Bytes>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            open_sign_up: false,
            token_min: 20,
            container_image: "nginx:latest".into(),
            vm_image: "quay.io/containerdisks/fedora:latest".into(),
            hides_names: false,
            operation_wait: Duration::from_secs(10),
            quota_clusters: 100,
            quota_instances: 1_000,
            quota_virtual_clusters: 10,
            min_cpu: MilliCpu(10),
            max_cpu: None,
            min_memory: Bytes(16 << 20),
            max_memory: None,
        }
    }
}

impl Policy {
    /// For trying: anybody may sign up, with a token as short as the seeds' own.
    #[must_use]
    pub fn for_trying() -> Self {
        Self { open_sign_up: true, token_min: 1, ..Self::default() }
    }
}
