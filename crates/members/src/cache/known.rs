//! Which parts of a member are known.

/// Whether the member serves KubeVirt's API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KubeVirt {
    /// Not asked yet, or no answer.
    #[default]
    Unknown,
    /// It does not.
    Absent,
    /// It does.
    Served,
}

/// Which parts are known: what does not show there is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known {
    /// Whether the member serves KubeVirt.
    pub kubevirt: KubeVirt,
    /// Namespaces and Pods.
    pub containers: bool,
    /// ResourceQuotas, LimitRanges and NetworkPolicies.
    pub guardrails: bool,
    /// VirtualMachines and their instances, or that there are none.
    pub vms: bool,
}
