//! `metrics.k8s.io`: what running Pods and the node seem to use. Computed when asked for, never stored.
//!
//! A container uses a part of what it requests (or a little, where it requests nothing), in a slow wave of its own that
//! depends on its Pod and the time only: two answers of the same moment agree, and a later one differs.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::machinery::notation::quantity::Quantity;
use crate::machinery::notation::value::{at, list, text};
use crate::machinery::registry::Kind;
use crate::server::{cluster::Cluster, store::Entry};

/// Seconds between two measurements.
const WINDOW: i64 = 15;
/// Seconds of one wave.
const WAVE: i64 = 600;
/// Nanocores and bytes that a node uses by itself.
const NODE: (f64, f64) = (150e6, 2e9);

/// Nanocores and bytes.
type Usage = (f64, f64);

/// The objects of a computed kind in a namespace, or in all.
pub(super) fn entries(cluster: &Cluster, kind: &Kind, namespace: &str) -> Vec<Entry> {
    let at = Timestamp::now().as_second() / WINDOW * WINDOW;
    let values = match kind.kind.as_str() {
        "NodeMetrics" => nodes(cluster, at),
        _ => cluster.lister().list("pods", namespace).iter().filter_map(|entry| pod(&entry.value(), at)).collect(),
    };
    let complete = |mut value: Value| {
        value["kind"] = json!(kind.kind);
        value["apiVersion"] = json!(kind.api_version());
        Entry::unstored(&kind.fields, &value, 0)
    };
    values.into_iter().map(complete).collect()
}

fn nodes(cluster: &Cluster, at: i64) -> Vec<Value> {
    let pods: Vec<Value> = cluster.lister().list("pods", "").iter().map(|entry| entry.value()).collect();
    let node = |node: Value| {
        let name = text(&node, "metadata.name");
        let own = pods.iter().filter(|pod| text(pod, "spec.nodeName") == name);
        let each = own.flat_map(|pod| running(pod).map(move |container| container_usage(pod, container, at)));
        let sum = each.fold(NODE, |sum, usage| (sum.0 + usage.0, sum.1 + usage.1));
        measured(&node, at, "usage", shown(sum))
    };
    cluster.lister().list("nodes", "").iter().map(|entry| node(entry.value())).collect()
}

/// A Pod's containers; `None` when none runs.
fn pod(pod: &Value, at: i64) -> Option<Value> {
    let containers: Vec<Value> = running(pod).map(|c| json!({"name": text(c, "name"), "usage": shown(container_usage(pod, c, at))})).collect();
    (!containers.is_empty()).then(|| measured(pod, at, "containers", json!(containers)))
}

fn running(pod: &Value) -> impl Iterator<Item = &Value> {
    let runs = |c: &&Value| super::container::status(pod, text(c, "name")).is_some_and(|s| at(s, "state.running").is_some());
    list(pod, "spec.containers").iter().filter(move |c| text(pod, "status.phase") == "Running" && runs(c))
}

fn measured(object: &Value, at: i64, field: &str, content: Value) -> Value {
    let time = Timestamp::from_second(at).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut meta = json!({"name": text(object, "metadata.name"), "creationTimestamp": crate::machinery::notation::clock::now()});
    for key in ["namespace", "labels"] {
        if let Some(value) = object["metadata"].get(key) {
            meta[key] = value.clone();
        }
    }
    json!({"metadata": meta, "timestamp": time, "window": format!("{WINDOW}s"), field: content})
}

fn container_usage(pod: &Value, container: &Value, at: i64) -> Usage {
    let name = format!("{}{}", text(pod, "metadata.uid"), text(container, "name"));
    let phase = (crate::machinery::notation::fnv::fnv1a(name.as_bytes()) % 1_000) as f64 / 1_000.0;
    let turn = (at % WAVE) as f64 / WAVE as f64 + phase;
    let wave = (turn * std::f64::consts::TAU).sin();
    let amount = |resource: &str, unit: f64, otherwise: f64| {
        let of = |side: &str| container["resources"][side].get(resource).and_then(Quantity::of).map(|q| q.as_f64() * unit);
        let (request, limit) = (of("requests").or_else(|| of("limits")), of("limits").unwrap_or(f64::MAX));
        (request.unwrap_or(otherwise * (1.0 + phase)), limit)
    };
    let ((cpu, most_cpu), (memory, most_memory)) = (amount("cpu", 1e9, 4e6), amount("memory", 1.0, 32e6));
    ((cpu * (0.4 + 0.2 * wave)).min(most_cpu), (memory * (0.6 + 0.05 * wave)).min(most_memory))
}

/// As metrics-server writes them.
fn shown((nanocores, bytes): Usage) -> Value {
    json!({"cpu": format!("{}n", nanocores.round()), "memory": format!("{}Ki", (bytes / 1024.0).round())})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_follows_requests_within_limits_and_depends_on_the_moment_only() {
        let pod = json!({"metadata": {"uid": "u"}});
        let container = json!({"name": "c", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "250m"}}});
        for at in (0..WAVE).step_by(15) {
            let (cpu, memory) = container_usage(&pod, &container, at);
            assert!(cpu <= 250e6 && (0.5e9..0.8e9).contains(&memory), "{cpu} {memory}");
        }
        assert_eq!(container_usage(&pod, &container, 30), container_usage(&pod, &container, 30));
        assert_ne!(container_usage(&pod, &container, 30).1, container_usage(&pod, &container, 300).1);
    }
}
