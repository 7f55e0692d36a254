//! What we keep of each watched object: exactly the fields that reconciling uses, texts cut to a bounded length.

mod guardrail;
mod namespace;
mod pod;
mod vm;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use types::{InstanceId, Subject, labels};

pub use self::{
    guardrail::GuardrailView,
    namespace::NamespaceView,
    pod::{PodPhase, PodView},
    vm::{VmView, VmiView},
};
pub(crate) use self::{
    guardrail::{SlimGuardrail, content},
    namespace::SlimNamespace,
    pod::SlimPod,
    vm::{SlimVm, SlimVmi},
};
use crate::text::{bounded, name as bounded_name, seconds};

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
        Self { kind: bounded_name(Some(kind.to_owned())), reason: bounded(reason), message: bounded(message) }
    }
}

/// What is kept of an object.
pub(crate) trait View: Send + Sync + 'static {
    /// Changes when the view says something new; `None`: with the object's version.
    fn version(&self) -> Option<u64> {
        None
    }
}

impl View for NamespaceView {}
impl View for PodView {}
impl View for VmView {}
impl View for VmiView {}

/// Names an object within its kind, together with the subject that its label says it belongs to.
pub(crate) struct ObjectRef {
    /// `None`: the label is missing or no number.
    pub(crate) subject: Option<Subject>,
    /// Namespace and name.
    pub(crate) name: String,
    /// Differs when the object says something new.
    pub(crate) version: u64,
}

impl ObjectRef {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        let part = |text: &Option<String>| bounded_name(text.clone());
        Self {
            subject: subject(meta),
            name: format!("{}/{}", part(&meta.namespace), part(&meta.name)),
            version: version(&[meta.uid.as_deref(), meta.resource_version.as_deref()]),
        }
    }
}

fn version(parts: &[Option<&str>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// Guests of a virtual cluster choose the labels of what its syncer makes, so the label that the syncer adds comes first.
fn subject(meta: &ObjectMeta) -> Option<Subject> {
    let id = |name| label(meta, name)?.parse::<i64>().ok();
    let virtual_cluster = id(labels::VIRTUAL_CLUSTER_ID).map(|id| Subject::VirtualCluster(id.into()));
    virtual_cluster.or_else(|| id(labels::CLUSTER_ID).map(|id| Subject::Cluster(id.into())))
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

/// More than any object has, but for one that means harm.
const FINALIZERS_MAX: usize = 16;

fn finalizers(meta: &ObjectMeta) -> Vec<String> {
    meta.finalizers.iter().flatten().take(FINALIZERS_MAX).map(|name| bounded_name(Some(name.clone()))).collect()
}

fn terminating(meta: &ObjectMeta) -> Option<i64> {
    meta.deletion_timestamp.as_ref().map(|time| seconds(time.0.as_second()))
}

#[cfg(test)]
mod tests {
    use types::{ClusterId, VirtualClusterId};

    use super::*;

    #[test]
    fn an_object_belongs_to_whom_its_label_names() {
        let of = |labels: &[(&str, &str)]| {
            let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            ObjectRef::of(&ObjectMeta { labels: Some(labels), ..ObjectMeta::default() }).subject
        };
        assert_eq!(of(&[(labels::CLUSTER_ID, "7")]), Some(Subject::Cluster(ClusterId(7))));
        assert_eq!(of(&[(labels::VIRTUAL_CLUSTER_ID, "7")]), Some(Subject::VirtualCluster(VirtualClusterId(7))));
        assert_eq!(of(&[(labels::CLUSTER_ID, "1"), (labels::VIRTUAL_CLUSTER_ID, "7")]), Some(Subject::VirtualCluster(VirtualClusterId(7))));
        for nobody in [&[(labels::CLUSTER_ID, "seven")][..], &[(labels::INSTANCE_ID, "7")], &[]] {
            assert_eq!(of(nobody), None);
        }
    }
}
