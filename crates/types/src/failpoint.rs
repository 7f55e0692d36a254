//! Every write that reconciling does, by name, so that a test can kill the process before and after each.
//!
//! The write helpers of `store` and `members` take a [`Step`], so a write without a name does not compile.
//! Beside them stand the places where a transaction holds what others need ([`Held`]), so that a test can freeze the process
//! there. Without the `failpoints` feature [`hit`] is empty.

use std::future::Future;

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A named write on the way from intent to reality.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Step { $($(#[$doc])* $name,)* }

        impl Step {
            /// All of them, in the order in which a create and a delete meet them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name used in `KUBEKCLOUD_KILL_AT` and in metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

steps! {
    /// Create the Namespace.
    NamespaceCreate = "namespace_create",
    /// Record the Namespace's UID in the cluster's row.
    NamespaceRecord = "namespace_record",
    /// Give the cluster another namespace name, the first being somebody else's.
    NamespaceRename = "namespace_rename",
    /// Apply one of ResourceQuota, LimitRange, NetworkPolicy or the Namespace's labels.
    GuardrailApply = "guardrail_apply",
    /// Remove a guardrail object that is ours and no longer wanted.
    GuardrailPrune = "guardrail_prune",
    /// Apply a Secret (cloud-init, SSH key).
    SecretApply = "secret_apply",
    /// Apply a PersistentVolumeClaim.
    VolumeApply = "volume_apply",
    /// Create a Pod.
    PodCreate = "pod_create",
    /// Delete a Pod.
    PodDelete = "pod_delete",
    /// Apply a VirtualMachine.
    VmApply = "vm_apply",
    /// Pause a VirtualMachine.
    VmPause = "vm_pause",
    /// Unpause a VirtualMachine.
    VmUnpause = "vm_unpause",
    /// Delete a VirtualMachine.
    VmDelete = "vm_delete",
    /// Delete a scaled-down instance's volume or Secret.
    VolumeDelete = "volume_delete",
    /// Write observed status.
    StatusWrite = "status_write",
    /// Drop a scaled-down instance's row and its quota.
    InstanceRelease = "instance_release",
    /// Give back a deleted cluster's quota, its compute being confirmed gone.
    AllocationRelease = "allocation_release",
    /// Delete the Namespace.
    NamespaceDelete = "namespace_delete",
    /// Drop the cluster's row, its namespace being confirmed gone.
    ClusterRemove = "cluster_remove",
}

/// Runs a write with a failpoint on each side, named `<step>.before` and `<step>.after`.
pub async fn at<T>(step: Step, write: impl Future<Output = T>) -> T {
    hit(step.as_str(), "before");
    let result = write.await;
    hit(step.as_str(), "after");
    result
}

/// What an open transaction has, and others wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// A lease's row, shared: `fence.held`.
    Fence,
    /// An owner's row: `owner.held`.
    Owner,
}

/// A failpoint of a transaction that has just got this.
pub fn held(what: Held) {
    hit(if what == Held::Fence { "fence" } else { "owner" }, "held");
}

#[cfg(feature = "failpoints")]
fn hit(name: &str, side: &str) {
    fail::eval(&format!("{name}.{side}"), |_| ());
}

#[cfg(not(feature = "failpoints"))]
const fn hit(_: &str, _: &str) {}
