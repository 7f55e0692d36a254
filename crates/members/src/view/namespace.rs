//! Namespaces, with what proves that one is ours.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::NamespaceStatus;
use types::labels;

use super::{Condition, annotation, terminating};
use crate::{
    slim::{Skipped, Slim},
    text::name,
};

pub(crate) type SlimNamespace = Slim<Skipped, NamespaceStatus>;

/// More than a Namespace has, but for one that means harm.
const CONDITIONS_MAX: usize = 16;
/// More than we set.
const LABELS_MAX: usize = 32;

/// A Namespace with our installation's label.
#[derive(Debug, Clone, Default)]
pub struct NamespaceView {
    /// Unique in the member, at one time.
    pub name: String,
    /// Unique for ever: deletes carry it, so that they cannot hit a later object of the same name.
    pub uid: String,
    /// Our labels and those of Pod Security.
    pub labels: BTreeMap<String, String>,
    /// Annotation [`labels::CLAIM`].
    pub claim: Option<String>,
    /// Annotation [`labels::GUARDRAILS`].
    pub guardrails: Option<String>,
    /// When it was deleted, in seconds since 1970.
    pub terminating: Option<i64>,
    /// Conditions that are true: while terminating, what blocks it.
    pub conditions: Vec<Condition>,
}

impl From<SlimNamespace> for NamespaceView {
    fn from(namespace: SlimNamespace) -> Self {
        let Slim { metadata: mut meta, spec: _, status } = namespace;
        let conditions = status.conditions.into_iter().flatten().filter(|c| c.status == "True");
        let labels = meta.labels.take().into_iter().flatten();
        let wanted = |name: &str| {
            name.starts_with("kubekcloud.io/")
                || name.starts_with("pod-security.kubernetes.io/")
                || [labels::MANAGED_BY, labels::INSTANCE_TYPE].contains(&name)
        };
        Self {
            claim: annotation(&meta, labels::CLAIM).map(|claim| name(Some(claim.to_owned()))),
            guardrails: annotation(&meta, labels::GUARDRAILS).map(|hash| name(Some(hash.to_owned()))),
            terminating: terminating(&meta),
            conditions: conditions.take(CONDITIONS_MAX).map(|c| Condition::new(&c.type_, c.reason, c.message)).collect(),
            labels: labels.filter(|(name, _)| wanted(name)).take(LABELS_MAX).map(|(label, value)| (name(Some(label)), name(Some(value)))).collect(),
            name: name(meta.name),
            uid: name(meta.uid),
        }
    }
}
