//! What we keep of each watched object: exactly the fields that reconciling uses, texts cut to a bounded length.

mod namespace;
mod pod;
mod vm;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use types::{ClusterId, InstanceId, labels};

pub use self::{
    namespace::NamespaceView,
    pod::{PodPhase, PodView},
    vm::{VmView, VmiView},
};
pub(crate) use self::{
    namespace::SlimNamespace,
    pod::SlimPod,
    vm::{SlimVm, SlimVmi},
};
use crate::text::bounded;

/// A condition, a container's state: a word and a sentence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Type of a condition; empty for a container's state.
    pub kind: String,
    /// A word.
    pub reason: String,
    /// A sentence; may be empty.
    pub message: String,
}

impl Condition {
    pub(crate) fn new(kind: &str, reason: Option<String>, message: Option<String>) -> Self {
        Self { kind: kind.to_owned(), reason: bounded(reason), message: bounded(message) }
    }
}

/// Names an object within its kind, together with the cluster that its label says it belongs to.
pub(crate) struct ObjectRef {
    /// `None`: the label is missing or no number.
    pub(crate) cluster: Option<ClusterId>,
    /// Empty for a Namespace itself.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl ObjectRef {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self {
            cluster: label(meta, labels::CLUSTER_ID).and_then(|id| id.parse().ok()),
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
        }
    }
}

fn label<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.labels.as_ref()?.get(name).map(String::as_str)
}

fn annotation<'a>(meta: &'a ObjectMeta, name: &str) -> Option<&'a str> {
    meta.annotations.as_ref()?.get(name).map(String::as_str)
}

fn instance(meta: &ObjectMeta) -> Option<InstanceId> {
    label(meta, labels::INSTANCE_ID)?.parse().ok()
}

fn terminating(meta: &ObjectMeta) -> Option<i64> {
    meta.deletion_timestamp.as_ref().map(|time| time.0.as_second())
}
