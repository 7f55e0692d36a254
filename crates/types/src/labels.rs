//! Labels and annotations on everything that we create in a member.

/// Says who manages an object; the original design's own label.
pub const MANAGED_BY: &str = "managed-by";
/// Value of [`MANAGED_BY`].
pub const MANAGED_BY_VALUE: &str = "cmp";
/// `container` or `vm`; the original design's own label.
pub const INSTANCE_TYPE: &str = "instance-type";
/// Which installation of the control plane an object belongs to: two may share one Kubernetes.
pub const INSTALLATION: &str = "kubekcloud.io/installation";
/// The cluster's id within its installation.
pub const CLUSTER_ID: &str = "kubekcloud.io/cluster-id";
/// The virtual cluster's id within its installation.
pub const VIRTUAL_CLUSTER_ID: &str = "kubekcloud.io/virtual-cluster-id";
/// The instance's id within its installation.
pub const INSTANCE_ID: &str = "kubekcloud.io/instance-id";
/// Annotation on a namespace: the random claim that was stored before the namespace was created.
/// Only a namespace with our claim is ours, so a create that crashed before it recorded the UID can be resumed
/// without ever adopting somebody else's namespace.
pub const CLAIM: &str = "kubekcloud.io/claim";
/// Annotation on a namespace: what its guardrails were when they were last applied.
pub const GUARDRAILS: &str = "kubekcloud.io/guardrails";
/// Annotation on a Pod: the start generation of the instance it was made for. An older one is replaced.
pub const START_GENERATION: &str = "kubekcloud.io/start-generation";
/// Server-side apply field manager.
pub const FIELD_MANAGER: &str = "kubekcloud";
