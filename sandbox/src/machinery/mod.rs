//! What an object is, and nothing else: how Kubernetes writes things, which kinds there are, what their fields mean and
//! who owns them. Pure: no lock, no task, no socket, and no knowledge of who serves or simulates.

/// The version that it says it is; the suffix says that it is none.
pub(crate) const VERSION: &str = "v1.36.3+sandbox";

pub(crate) mod admit;
pub(crate) mod crd;
pub(crate) mod fields;
pub(crate) mod notation;
pub(crate) mod registry;
pub(crate) mod select;
pub(crate) mod status;
