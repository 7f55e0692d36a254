//! What kube-apiserver is: objects and their versions, the rules of the verbs, and the HTTP side.

pub(crate) mod cluster;
pub(crate) mod http;
pub(crate) mod store;
