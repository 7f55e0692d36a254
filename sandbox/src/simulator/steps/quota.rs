//! What a ResourceQuota's namespace uses of each thing that the quota limits. Scopes are not looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::{around::quantity, scene::Scene, stage::Stage};
use super::pods;
use super::write::write_status;
use crate::machinery::notation::value::{at, text};
use crate::machinery::{registry::Kind, status::Refusal};
use crate::server::store::Entry;

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let hard = at(&scene.object, "spec.hard").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut asked: Option<(BTreeMap<String, i128>, BTreeMap<String, i128>)> = None;
    let mut used = Map::new();
    for name in hard.keys() {
        let value = match counted(scene, name) {
            Some(count) => json!(count.to_string()),
            None if name == "requests.storage" || name.ends_with(".storageclass.storage.k8s.io/requests.storage") => {
                let class = name.strip_suffix(".storageclass.storage.k8s.io/requests.storage");
                let size = |claim: &Arc<Entry>| at(&claim.value(), "spec.resources.requests.storage").and_then(quantity::parse);
                json!(quantity::show(claims(scene, class).iter().filter_map(size).sum(), true))
            }
            None => {
                let (requests, limits) = asked.get_or_insert_with(|| asked_for(scene));
                let (of, resource) = match (name.strip_prefix("limits."), name.strip_prefix("requests.")) {
                    (Some(resource), _) => (limits, resource),
                    (_, Some(resource)) => (requests, resource),
                    _ => (requests, name.as_str()),
                };
                let binary = matches!(resource, "memory" | "ephemeral-storage");
                json!(quantity::show(of.get(resource).copied().unwrap_or(0), binary))
            }
        };
        used.insert(name.clone(), value);
    }
    // What is no longer limited is no longer shown.
    let stale = ["hard", "used"]
        .iter()
        .any(|part| at(&scene.object, &format!("status.{part}")).and_then(Value::as_object).is_some_and(|m| m.keys().any(|k| !hard.contains_key(k))));
    if stale {
        write_status(scene, kind, stage, json!({"hard": null, "used": null}))?;
    }
    write_status(scene, kind, stage, json!({"hard": hard, "used": used}))
}

/// The number of objects that a name stands for; nothing if it stands for an amount.
fn counted(scene: &Scene<'_>, name: &str) -> Option<usize> {
    let all = |table: &str| scene.cluster.lister().list(table, scene.namespace());
    if let Some(table) = name.strip_prefix("count/") {
        return Some(all(table).len());
    }
    if let Some(class) = name.strip_suffix(".storageclass.storage.k8s.io/persistentvolumeclaims") {
        return Some(claims(scene, Some(class)).len());
    }
    match name {
        "pods" => Some(all("pods").iter().filter(|p| !pods::finished(p)).count()),
        "services.loadbalancers" => Some(all("services").iter().filter(|s| s.field("spec.type") == "LoadBalancer").count()),
        "services.nodeports" => Some(all("services").iter().filter(|s| matches!(s.field("spec.type"), "NodePort" | "LoadBalancer")).count()),
        "configmaps" | "secrets" | "services" | "persistentvolumeclaims" | "resourcequotas" | "replicationcontrollers" => Some(all(name).len()),
        _ => None,
    }
}

fn claims(scene: &Scene<'_>, class: Option<&str>) -> Vec<Arc<Entry>> {
    let all = scene.cluster.lister().list("persistentvolumeclaims", scene.namespace());
    all.into_iter().filter(|c| class.is_none_or(|class| text(&c.value(), "spec.storageClassName") == class)).collect()
}

/// Requests and limits of all Pods that aren't finished.
fn asked_for(scene: &Scene<'_>) -> (BTreeMap<String, i128>, BTreeMap<String, i128>) {
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    for pod in scene.cluster.lister().list("pods", scene.namespace()).iter().filter(|p| !pods::finished(p)) {
        let pod = pod.value();
        for (of, sum) in [("requests", &mut requests), ("limits", &mut limits)] {
            for (name, value) in quantity::of_pod(&pod["spec"], of) {
                *sum.entry(name).or_default() += value;
            }
        }
    }
    (requests, limits)
}
