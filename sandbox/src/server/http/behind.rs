//! Who answers what the API server only passes on, as in Kubernetes itself: the kubelet of a Pod's node what concerns its
//! containers, and an aggregated API server its own group. Both are plugged in by whoever starts the server, which knows
//! nothing of them but these traits.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Method;

use super::reply::Reply;
use super::request::Request;
use super::target::Target;
use crate::machinery::{registry::Kind, status::Answer};
use crate::server::store::Entry;

/// The kubelets of all nodes, and what their metrics are made into.
pub(crate) trait Kubelet: Send + Sync {
    /// Runs a command in a container, over the connection that the request brings along.
    fn exec(&self, target: &Target, request: &Request) -> Answer<Reply>;

    /// Joins a container's own process.
    fn attach(&self, target: &Target, request: &Request) -> Answer<Reply>;

    fn log<'a>(&'a self, target: &'a Target, request: &'a Request) -> BoxFuture<'a, Answer<Reply>>;

    /// `metrics.k8s.io`: the objects of a kind in a namespace, or in all.
    fn usage(&self, kind: &Kind, namespace: &str) -> Vec<Entry>;
}

/// An API group that somebody else serves: `subresources.kubevirt.io`.
pub(crate) trait Aggregated: Send + Sync {
    /// Answers a request for what is below the group's version.
    fn call(&self, method: &Method, path: &[&str], body: &Bytes) -> Answer<Reply>;
}
