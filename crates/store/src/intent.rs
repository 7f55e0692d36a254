//! What reconciling reads: a cluster as its owner wants it, and what was last seen of it.
//!
//! Intent is written by `app` only, observations by [`crate::status`] only.

use types::{Bytes, ClusterId, ClusterName, Desired, InstanceId, InstanceStatus, InstanceType, MemberId, MilliCpu, UserId};

/// A cluster with all its instances.
#[derive(Debug, Clone)]
pub struct ClusterIntent {
    /// Row id.
    pub id: ClusterId,
    /// Whose it is.
    pub owner: UserId,
    /// Where it lives.
    pub member: MemberId,
    /// The tenant's name for it.
    pub name: ClusterName,
    /// Name of its namespace; [`crate::Store::namespace_rename`] changes it while it is somebody else's.
    pub namespace: String,
    /// UID of the namespace once it was created by us.
    pub namespace_uid: Option<String>,
    /// Random text stored before the namespace is created; see [`types::labels::CLAIM`].
    pub claim: String,
    /// Pods or VMs.
    pub instance_type: InstanceType,
    /// Of each instance.
    pub cpu: MilliCpu,
    /// Of each instance.
    pub memory: Bytes,
    /// Persistent disk of each instance.
    pub disk: Option<Bytes>,
    /// Container image, or the VM's container disk image.
    pub image: String,
    /// OpenSSH public key for VMs and containers.
    pub ssh_public_key: Option<String>,
    /// Cloud-init user data for VMs.
    pub cloud_init: Option<String>,
    /// Grows with each change of intent.
    pub generation: i64,
    /// The generation that was last carried out.
    pub observed_generation: i64,
    /// Its owner deleted it.
    pub deleting: bool,
    /// Its instances, lowest ordinal first.
    pub instances: Vec<InstanceIntent>,
}

/// One instance of a cluster.
#[derive(Debug, Clone)]
pub struct InstanceIntent {
    /// Row id.
    pub id: InstanceId,
    /// Counts from 1 within its cluster.
    pub ordinal: i32,
    /// Name of its Pod or VirtualMachine.
    pub name: String,
    /// What it should be.
    pub desired: Desired,
    /// Grows with each change of `desired`.
    pub generation: i64,
    /// Grows with each start and resume: a Pod made for an older one is replaced.
    pub start_generation: i64,
    /// Scaled away (or its cluster deleted).
    pub deleting: bool,
    /// What was last seen.
    pub observed: InstanceObserved,
}

/// What was last seen of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceObserved {
    /// Its state.
    pub status: InstanceStatus,
    /// The intent generation at which it last settled.
    pub generation: i64,
    /// A word for the state's cause, as Kubernetes says it: `ImagePullBackOff`.
    pub reason: Option<String>,
    /// A sentence for it.
    pub message: Option<String>,
    /// Its address within the member.
    pub ip: Option<String>,
    /// The node it runs on.
    pub node: Option<String>,
}

/// A new observation of one instance.
#[derive(Debug, Clone)]
pub struct InstanceObservation {
    /// Which one.
    pub id: InstanceId,
    /// What is seen now.
    pub observed: InstanceObserved,
}

/// What a pass has to say of a cluster as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterObservation {
    /// The generation that this pass carried out completely; `None` while something is left to do.
    pub carried_out: Option<i64>,
    /// Why the cluster is not where it should be: a blocked delete, a refused guardrail.
    pub reason: Option<String>,
    /// A sentence for it.
    pub message: Option<String>,
}
