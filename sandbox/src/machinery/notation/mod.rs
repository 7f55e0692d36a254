//! How Kubernetes writes things: values at paths, times, quantities.

pub(crate) mod clock;
pub(crate) mod quantity;
pub(crate) mod value;
