//! A DaemonSet: one Pod on every node that it may run on, replaced one after another when the template changes.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::around::{node, quantity::share};
use super::super::{scene::Scene, stage::Stage};
use super::write::write_status;
use super::{pods, revisions};
use crate::machinery::notation::value::{at, list, set, text};
use crate::machinery::{registry::Kind, status::Refusal};
use crate::server::store::Entry;

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let hash = revisions::keep(scene, stage)?;
    let template = &scene.object["spec"]["template"];
    let nodes = node::for_every_node(scene, template);
    let found = scene.children("pods");
    for pod in found.iter().filter(|p| !p.deleting) {
        let stray = target(pod).is_some_and(|node| !nodes.contains(&node));
        if stray || pods::finished(pod) {
            pods::drop_one(scene, pod)?;
        }
    }
    for node in &nodes {
        if !found.iter().any(|p| target(p).is_some_and(|t| t == *node)) {
            pods::make(scene, stage, pod(scene, template, &hash, node))?;
        }
    }
    replace(scene, &hash, nodes.len(), &found)?;
    status(scene, kind, stage, &hash, nodes.len())
}

/// The node that a Pod is meant for.
fn target(pod: &Entry) -> Option<String> {
    let value = pod.value();
    let terms = list(&value, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    let name = terms.iter().find_map(|t| Some(text(t, "matchFields.0.values.0").to_owned()).filter(|n| !n.is_empty()));
    name.or_else(|| Some(pod.field("spec.nodeName").to_owned()).filter(|n| !n.is_empty()))
}

fn pod(scene: &Scene<'_>, template: &Value, hash: &str, node: &str) -> Value {
    let mut pod = pods::pod(scene, template);
    crate::machinery::notation::value::object(&mut pod["metadata"], "labels").insert(revisions::HASH.to_owned(), json!(hash));
    let term = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]});
    set(&mut pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", json!({"nodeSelectorTerms": [term]}));
    let mut tolerations = list(&pod, "spec.tolerations").to_vec();
    for (key, effect) in [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ] {
        tolerations.push(json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": effect}));
    }
    set(&mut pod, "spec.tolerations", Value::Array(tolerations));
    pod
}

/// Deletes Pods of older templates, as many at a time as may be unavailable.
fn replace(scene: &Scene<'_>, hash: &str, nodes: usize, found: &[Arc<Entry>]) -> Result<(), Refusal> {
    if text(&scene.object, "spec.updateStrategy.type") == "OnDelete" {
        return Ok(());
    }
    let total = i64::try_from(nodes).unwrap_or(0);
    let most = at(&scene.object, "spec.updateStrategy.rollingUpdate.maxUnavailable").and_then(|v| share(v, total, true)).unwrap_or(1).max(1);
    let away = found.iter().filter(|p| p.deleting || pods::ready_since(p).is_none()).count();
    let free = usize::try_from(most).unwrap_or(1).saturating_sub(away);
    let old = found.iter().filter(|p| !p.deleting && p.label(revisions::HASH) != Some(hash));
    let (ready, unready): (Vec<_>, Vec<_>) = old.partition(|p| pods::ready_since(p).is_some());
    unready.into_iter().chain(ready.into_iter().take(free)).try_for_each(|pod| pods::drop_one(scene, pod))
}

fn status(scene: &Scene<'_>, kind: &Kind, stage: &Stage, hash: &str, nodes: usize) -> Result<(), Refusal> {
    let alive = pods::alive(scene);
    let (ready, available) = pods::count_ready(scene, &alive);
    let updated = alive.iter().filter(|p| p.label(revisions::HASH) == Some(hash)).count();
    let or_none = |n: usize| if n == 0 { Value::Null } else { json!(n) };
    let status = json!({"observedGeneration": scene.object["metadata"]["generation"], "desiredNumberScheduled": nodes, "currentNumberScheduled": alive.len(),
        "numberMisscheduled": 0, "numberReady": ready, "numberAvailable": or_none(available), "numberUnavailable": or_none(nodes.saturating_sub(available)),
        "updatedNumberScheduled": or_none(updated)});
    write_status(scene, kind, stage, status)
}
