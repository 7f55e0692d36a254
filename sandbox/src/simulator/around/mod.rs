//! Facts about a Pod or a virtual machine that follow from its spec and from what is around it.

pub(super) mod config;
pub(super) mod machine;
pub(super) mod node;
pub(super) mod probe;
pub(super) mod quantity;
