//! Values that templates name: times, addresses, and what KubeVirt makes up.

use serde_json::{Value, json};

use super::scene::Scene;
use crate::clock;
use crate::value::{list, text};

/// The one node.
pub(crate) const NODE: &str = "sandbox-node-0";
/// Its address.
pub(super) const HOST: &str = "127.0.0.1";

/// Makes the value that a template names.
pub(crate) fn make(scene: &Scene<'_>, name: &str) -> Value {
    let (name, argument) = name.split_once(':').unwrap_or((name, ""));
    match name {
        "now" => json!(clock::now()),
        "node" => json!(NODE),
        "now-micro" => json!(clock::now_micro()),
        "uuid" => json!(uuid::Uuid::new_v4().to_string()),
        "mac" => json!(mac(scene.uid())),
        "phases" => phases(scene, argument),
        // What fails at the launcher itself; the rest is the guest's.
        "launcher-fail" if matches!(scene.fails(), "image-pull" | "unschedulable" | "stuck") => json!(scene.fails()),
        "launcher-fail" => Value::Null,
        "vmi-conditions" => vmi_conditions(scene),
        "snapshots" => snapshots(scene),
        other => json!(format!("$unknown:{other}")),
    }
}

/// A loopback address of its own for each Pod: by its uid, another where two would meet.
pub(super) fn pod_ip(scene: &Scene<'_>) -> Value {
    if let Some(ip) = scene.look("status.podIP") {
        return ip;
    }
    let hash = scene.uid().bytes().fold(0xcbf2_9ce4_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    let mut number = hash & 0xffff;
    for _ in 0..0x1_0000 {
        let ip = format!("127.96.{}.{}", number >> 8, number & 0xff);
        let usable = (1..=254).contains(&(number & 0xff));
        if usable && scene.cluster.take_address(&ip, scene.uid()) {
            return json!(ip);
        }
        number = (number + 1) & 0xffff;
    }
    Value::Null
}

fn mac(uid: &str) -> String {
    let bytes: Vec<&str> = (0..3).filter_map(|i| uid.get(i * 2..i * 2 + 2)).collect();
    format!("52:54:00:{}", bytes.join(":"))
}

/// The phases that a VMI went through, and one more.
fn phases(scene: &Scene<'_>, phase: &str) -> Value {
    let mut phases = list(&scene.object, "status.phaseTransitionTimestamps").to_vec();
    if !phases.iter().any(|p| p["phase"] == phase) {
        phases.push(json!({"phase": phase, "phaseTransitionTimestamp": clock::now()}));
    }
    Value::Array(phases)
}

/// The conditions of a VM's instance; one that is no longer paused takes the VM's condition along.
fn vmi_conditions(scene: &Scene<'_>) -> Value {
    let found = scene.look("@virtualmachineinstances.kubevirt.io/status.conditions");
    let mut conditions = found.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    for kind in ["Paused", "PodScheduled", "Synchronized"] {
        if !conditions.iter().any(|c| c["type"] == kind) {
            conditions.push(json!({"type": kind, "$patch": "delete"}));
        }
    }
    for condition in &mut conditions {
        for field in ["reason", "message"] {
            if condition["$patch"].is_null() && condition[field].is_null() {
                condition[field] = Value::Null;
            }
        }
    }
    Value::Array(conditions)
}

fn snapshots(scene: &Scene<'_>) -> Value {
    let one = |volume: &Value| {
        let name = text(volume, "name");
        json!({"name": name, "enabled": false, "reason": format!("Snapshot is not supported for this volumeSource type [{name}]")})
    };
    Value::Array(list(&scene.object, "spec.template.spec.volumes").iter().map(one).collect())
}
