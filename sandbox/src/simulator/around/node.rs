//! The node for a Pod: `name`, or the scheduler's `message` why there is none.
//!
//! Looked at are claims, cordons, taints, node selectors, required node affinity, and whether a node is big enough for
//! the Pod alone. What other Pods use is not counted, nor is anything weighed: of the nodes that fit, the Pod's uid
//! chooses one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{config, quantity};
use crate::machinery::notation::fnv::fnv1a;
use crate::machinery::notation::value::{at, list, plain, text};
use crate::simulator::scene::Scene;

const PREEMPTION: &str = "Preemption is not helpful for scheduling.";

pub(in crate::simulator) fn fitting(scene: &Scene<'_>) -> Value {
    let nodes = scene.cluster.lister().list("nodes", "");
    if scene.fails() == "unschedulable" {
        return json!({"message": format!("0/{0} nodes are available: {0} Insufficient cpu. no new claims to deallocate, preemption: 0/{0} nodes are available: {0} {PREEMPTION}", nodes.len())});
    }
    if let Some(claim) = config::missing_claim(scene) {
        return json!({"message": format!("0/{} nodes are available: {claim}", nodes.len())});
    }
    let wanted = quantity::of_pod(&scene.object["spec"], "requests");
    let mut fit = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for node in nodes.iter().map(|n| n.value()) {
        match against(&scene.object["spec"], &wanted, &node) {
            None => fit.push(text(&node, "metadata.name").to_owned()),
            Some(reason) => *reasons.entry(reason).or_default() += 1,
        }
    }
    if fit.is_empty() {
        scene.wait_for("nodes", "", "");
        return json!({"message": explain(nodes.len(), &reasons)});
    }
    let turn = usize::try_from(fnv1a(scene.uid().as_bytes())).unwrap_or(0);
    json!({"name": fit[turn % fit.len()]})
}

fn explain(nodes: usize, reasons: &BTreeMap<String, usize>) -> String {
    if nodes == 0 {
        return "no nodes available to schedule pods".to_owned();
    }
    let each: Vec<String> = reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    format!(
        "0/{nodes} nodes are available: {}. no new claims to deallocate, preemption: 0/{nodes} nodes are available: {nodes} {PREEMPTION}",
        each.join(", ")
    )
}

/// Why a Pod can't be on a node; the first reason in the scheduler's order.
fn against(pod: &Value, wanted: &BTreeMap<String, i128>, node: &Value) -> Option<String> {
    let tolerated = |key: &str, value: &str, effect: &str| list(pod, "tolerations").iter().any(|t| tolerates(t, key, value, effect));
    if node["spec"]["unschedulable"] == true && !tolerated("node.kubernetes.io/unschedulable", "", "NoSchedule") {
        return Some("node(s) were unschedulable".to_owned());
    }
    let taints = list(node, "spec.taints").iter().filter(|t| text(t, "effect") != "PreferNoSchedule");
    let mut left = taints.filter(|t| !tolerated(text(t, "key"), text(t, "value"), text(t, "effect")));
    // The cordon's own taint was looked at above.
    if left.any(|t| text(t, "key") != "node.kubernetes.io/unschedulable") {
        return Some("node(s) had untolerated taint(s)".to_owned());
    }
    if !selected(pod, node) {
        return Some("node(s) didn't match Pod's node affinity/selector".to_owned());
    }
    let short = wanted.iter().find(|(name, ask)| {
        let has = node["status"]["allocatable"].get(name.as_str()).and_then(quantity::parse).unwrap_or(0);
        **ask > has && **ask > 0
    });
    short.map(|(name, _)| format!("Insufficient {name}"))
}

fn tolerates(toleration: &Value, key: &str, value: &str, effect: &str) -> bool {
    let (of, exists) = (text(toleration, "key"), text(toleration, "operator") == "Exists");
    (of == key || (of.is_empty() && exists))
        && (exists || text(toleration, "value") == value)
        && (text(toleration, "effect").is_empty() || text(toleration, "effect") == effect)
}

fn selected(pod: &Value, node: &Value) -> bool {
    let label = |key: &str| node["metadata"]["labels"].get(key).map(plain);
    let simple = at(pod, "nodeSelector").and_then(Value::as_object).into_iter().flatten().all(|(k, v)| label(k) == Some(plain(v)));
    let terms = list(pod, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    let name = |key: &str| (key == "metadata.name").then(|| text(node, "metadata.name").to_owned());
    let fits = |term: &Value| {
        list(term, "matchExpressions").iter().all(|e| holds(e, label(text(e, "key"))))
            && list(term, "matchFields").iter().all(|e| holds(e, name(text(e, "key"))))
    };
    simple && (terms.is_empty() || terms.iter().any(fits))
}

fn holds(requirement: &Value, found: Option<String>) -> bool {
    let among = || found.as_ref().is_some_and(|f| list(requirement, "values").iter().any(|v| plain(v) == *f));
    let than = || Some((found.as_ref()?.parse::<i64>().ok()?, list(requirement, "values").first().map(plain)?.parse::<i64>().ok()?));
    match text(requirement, "operator") {
        "In" => among(),
        "NotIn" => !among(),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        "Gt" => than().is_some_and(|(a, b)| a > b),
        "Lt" => than().is_some_and(|(a, b)| a < b),
        _ => false,
    }
}

/// The nodes that a DaemonSet's Pods go to.
pub(in crate::simulator) fn for_every_node(scene: &Scene<'_>, template: &Value) -> Vec<String> {
    let none = BTreeMap::new();
    let mut spec = template["spec"].clone();
    let mut tolerations = list(&spec, "tolerations").to_vec();
    tolerations.push(json!({"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}));
    spec["tolerations"] = Value::Array(tolerations);
    scene.wait_for("nodes", "", "");
    let nodes = scene.cluster.lister().list("nodes", "").into_iter().map(|n| n.value());
    nodes.filter(|node| against(&spec, &none, node).is_none()).map(|node| text(&node, "metadata.name").to_owned()).collect()
}
