//! The kubelet's side of the API: which part of a node answers what.

use futures::{FutureExt, future::BoxFuture};

use super::host::Host;
use super::{exec, logs, usage};
use crate::machinery::{registry::Kind, status::Answer};
use crate::server::http::{behind::Kubelet, reply::Reply, request::Request, target::Target};
use crate::server::store::Entry;

impl Kubelet for Host {
    fn exec(&self, target: &Target, request: &Request) -> Answer<Reply> {
        exec::exec(self, target, request)
    }

    fn attach(&self, target: &Target, request: &Request) -> Answer<Reply> {
        exec::attach(self, target, request)
    }

    fn log<'a>(&'a self, target: &'a Target, request: &'a Request) -> BoxFuture<'a, Answer<Reply>> {
        logs::read(self, target, request).boxed()
    }

    fn usage(&self, kind: &Kind, namespace: &str) -> Vec<Entry> {
        usage::entries(&self.cluster, kind, namespace)
    }
}
