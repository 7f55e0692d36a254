//! A cluster's namespace: made by us, or not used.
//!
//! It is ours by its labels and its UID, which is recorded once it was created. Before that, the claim decides: random
//! text stored before the create and annotated by it, so that a create whose answer we did not live to see is found
//! again, and nobody else's namespace is ever taken for ours. There is no other way to get one: no adoption.

use members::{Creation, Kind, NamespaceView};
use serde_json::{Value, json};
use store::ClusterIntent;
use types::{Step, labels};

use super::{context::Pass, label, memory::NamespaceMemory};
use crate::error::PassError;

/// Pod Security levels, each pinned to a version that all supported Kubernetes know.
const POD_SECURITY_VERSION: &str = "v1.33";

/// How often a name may turn out to be taken within one pass.
const RENAMES_MAX: usize = 3;

/// Whether it can be used.
pub(super) enum Readiness {
    /// It is there and ours.
    Ready {
        /// What it says of its guardrails.
        guardrails: Option<String>,
    },
    /// This pass made it.
    Created,
    /// It cannot be used now.
    Blocked {
        /// A word.
        reason: &'static str,
        /// A sentence.
        message: String,
    },
}

impl Readiness {
    fn blocked(reason: &'static str, message: String) -> Self {
        Self::Blocked { reason, message }
    }
}

/// The recorded UID. An empty one is recorded before a vanished namespace is made again.
pub(super) fn recorded(cluster: &ClusterIntent) -> Option<&str> {
    cluster.namespace_uid.as_deref().filter(|uid| !uid.is_empty())
}

fn labels_of(installation: &str, cluster: &ClusterIntent) -> Value {
    let mut labels = label::of_cluster(installation, cluster);
    for (mode, level) in [("enforce", "baseline"), ("audit", "restricted"), ("warn", "restricted")] {
        labels[format!("pod-security.kubernetes.io/{mode}")] = json!(level);
        labels[format!("pod-security.kubernetes.io/{mode}-version")] = json!(POD_SECURITY_VERSION);
    }
    labels
}

/// Builds it, for the create.
pub(super) fn build(installation: &str, cluster: &ClusterIntent) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": cluster.namespace,
            "labels": labels_of(installation, cluster),
            "annotations": {labels::CLAIM: cluster.claim},
        },
    })
}

/// Builds all that we apply to one that is there. The UID keeps the apply from making another namespace.
fn build_applied(installation: &str, cluster: &ClusterIntent, uid: &str, guardrails: Option<&str>) -> Value {
    let annotations = guardrails.map_or_else(|| json!({}), |text| json!({labels::GUARDRAILS: text}));
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": cluster.namespace, "uid": uid, "labels": labels_of(installation, cluster), "annotations": annotations},
    })
}

/// Has it say what its guardrails are.
pub(super) async fn record_guardrails(pass: &Pass<'_>, cluster: &ClusterIntent, text: &str) -> Result<(), PassError> {
    if let Some(uid) = recorded(cluster) {
        let object = build_applied(&pass.context.installation, cluster, uid, Some(text));
        pass.writer().apply(Step::GuardrailApply, Kind::Namespace, None, &cluster.namespace, &object).await?;
    }
    Ok(())
}

/// Whether a namespace was made by this installation for this cluster, whatever its UID.
pub(super) fn is_claimed(installation: &str, cluster: &ClusterIntent, found: &NamespaceView) -> bool {
    let has = |name: &str, value: &str| found.labels.get(name).is_some_and(|v| v == value);
    has(labels::INSTALLATION, installation)
        && has(labels::CLUSTER_ID, &cluster.id.to_string())
        && found.claim.as_deref() == Some(cluster.claim.as_str())
}

/// Whether a namespace is the cluster's own.
pub(super) fn is_ours(installation: &str, cluster: &ClusterIntent, found: &NamespaceView) -> bool {
    match recorded(cluster) {
        Some(uid) => found.uid == uid,
        None => is_claimed(installation, cluster, found),
    }
}

fn has_labels(installation: &str, cluster: &ClusterIntent, found: &NamespaceView) -> bool {
    let wanted = labels_of(installation, cluster);
    let wanted = wanted.as_object().into_iter().flatten();
    wanted.into_iter().all(|(name, value)| found.labels.get(name).map(String::as_str) == value.as_str())
}

/// Sees to it that the namespace is there, and that it is ours.
pub(super) async fn ensure(pass: &Pass<'_>, cluster: &mut ClusterIntent, memory: &mut NamespaceMemory) -> Result<Readiness, PassError> {
    let installation = &pass.context.installation;
    if let Some(uid) = recorded(cluster) {
        let seen = pass.context.cache.namespaces(cluster.id);
        // A namespace that was made a moment ago may not be in the cache yet, one that vanished still be: ask.
        let found = match seen.iter().find(|n| n.name == cluster.namespace && n.uid == uid && n.terminating.is_none()) {
            Some(found) => Some(NamespaceView::clone(found)),
            None => pass.member().namespace(&cluster.namespace).await?,
        };
        match found {
            Some(found) if !is_ours(installation, cluster, &found) => {
                let sentence = format!("namespace '{}' is there, but it is not the one that was made for this cluster", cluster.namespace);
                return Ok(Readiness::blocked("NamespaceReplaced", sentence));
            }
            Some(found) if found.terminating.is_some() => {
                let sentence = format!("namespace '{}' was deleted; it is made again once it is gone", cluster.namespace);
                return Ok(Readiness::blocked("NamespaceTerminating", sentence));
            }
            Some(found) => {
                if !has_labels(installation, cluster, &found) {
                    let object = build_applied(installation, cluster, uid, found.guardrails.as_deref());
                    pass.writer().apply(Step::GuardrailApply, Kind::Namespace, None, &cluster.namespace, &object).await?;
                }
                return Ok(Readiness::Ready { guardrails: found.guardrails });
            }
            // It was deleted behind our back. Without the old UID the claim decides, as at the first time.
            None => {
                tracing::warn!(cluster = %cluster.id, namespace = cluster.namespace, "the namespace vanished; making it again");
                pass.context.store.namespace_record(&pass.context.lease, cluster.id, "").await?;
                cluster.namespace_uid = None;
            }
        }
    }
    memory.note_create();
    create(pass, cluster).await
}

async fn create(pass: &Pass<'_>, cluster: &mut ClusterIntent) -> Result<Readiness, PassError> {
    let (installation, store, lease) = (&pass.context.installation, &pass.context.store, &pass.context.lease);
    for _ in 0..RENAMES_MAX {
        let object = build(installation, cluster);
        let uid = match pass.writer().create_namespace(Step::NamespaceCreate, &object).await? {
            Creation::Created { uid } => uid,
            Creation::Exists => match pass.member().namespace(&cluster.namespace).await? {
                None => continue,
                Some(found) if is_claimed(installation, cluster, &found) => {
                    if found.terminating.is_some() {
                        let sentence = format!("namespace '{}' is being deleted", cluster.namespace);
                        return Ok(Readiness::blocked("NamespaceTerminating", sentence));
                    }
                    found.uid
                }
                Some(_) => {
                    cluster.namespace = store.namespace_rename(lease, cluster.id).await?;
                    cluster.namespace_uid = None;
                    continue;
                }
            },
        };
        store.namespace_record(lease, cluster.id, &uid).await?;
        cluster.namespace_uid = Some(uid);
        return Ok(Readiness::Created);
    }
    Ok(Readiness::blocked("NamespaceTaken", format!("no free name was found for namespace '{}'", cluster.namespace)))
}
