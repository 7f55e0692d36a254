//! Values that templates name: times, addresses, and the container states of a Pod.

use rand::Rng;
use serde_json::{Value, json};

use super::scene::{FAIL, Scene};
use crate::clock;
use crate::value::{list, number, text};

/// The one node.
pub(crate) const NODE: &str = "sandbox-node-0";

/// Makes the value that a template names.
pub(crate) fn make(scene: &Scene<'_>, name: &str) -> Value {
    let (name, argument) = name.split_once(':').unwrap_or((name, ""));
    match name {
        "now" => json!(clock::now()),
        "node" => json!(NODE),
        "pod-ip" => pod_ip(scene),
        "pod-ips" => json!([{"ip": pod_ip(scene)}]),
        "uuid" => json!(uuid::Uuid::new_v4().to_string()),
        "mac" => json!(mac(scene.uid())),
        "containers" => Value::Array(list(&scene.object, "spec.containers").iter().map(|c| container(scene, c, argument)).collect()),
        "unready" => json!(format!("containers with unready status: [{}]", names(scene))),
        "phases" => phases(scene, argument),
        "fail" => scene.object["metadata"]["annotations"].get(FAIL).cloned().unwrap_or(Value::Null),
        "vmi-conditions" => vmi_conditions(scene),
        "snapshots" => snapshots(scene),
        other => json!(format!("$unknown:{other}")),
    }
}

/// A loopback address of its own for each Pod: by its uid, another where two would meet.
fn pod_ip(scene: &Scene<'_>) -> Value {
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

fn names(scene: &Scene<'_>) -> String {
    list(&scene.object, "spec.containers").iter().map(|c| text(c, "name")).collect::<Vec<_>>().join(" ")
}

/// A container's status: `running`, `crashed`, `completed`, or `waiting/REASON`.
fn container(scene: &Scene<'_>, spec: &Value, state: &str) -> Value {
    let name = text(spec, "name");
    let image = text(spec, "image");
    let was = list(&scene.object, "status.containerStatuses").iter().find(|s| text(s, "name") == name).cloned().unwrap_or_default();
    let restarts = number(&was, "restartCount").unwrap_or(0);
    let now = clock::now();
    let mut status =
        json!({"name": name, "image": image, "imageID": "", "lastState": {}, "ready": false, "started": false, "restartCount": restarts});
    let id = was["containerID"]
        .as_str()
        .map_or_else(|| format!("containerd://{:032x}{:032x}", rand::rng().random::<u128>(), rand::rng().random::<u128>()), str::to_owned);
    let ended = |code: i64, reason: &str| json!({"containerID": id, "exitCode": code, "reason": reason, "startedAt": now, "finishedAt": now});
    match state {
        "running" => {
            let since = text(&was, "state.running.startedAt");
            let since = if since.is_empty() { &now } else { since };
            for (key, value) in [
                ("state", json!({"running": {"startedAt": since}})),
                ("ready", json!(true)),
                ("started", json!(true)),
                ("containerID", json!(id)),
                ("imageID", json!(format!("sandbox/{image}"))),
                ("resources", spec["resources"].clone()),
            ] {
                status[key] = value;
            }
        }
        "crashed" => {
            let pod = format!("{}_{}({})", text(&scene.object, "metadata.name"), text(&scene.object, "metadata.namespace"), scene.uid());
            let message = format!("back-off 10s restarting failed container={name} pod={pod}");
            status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
            status["lastState"] = json!({"terminated": ended(1, "Error")});
            status["restartCount"] = json!(restarts + 1);
            status["containerID"] = json!(id);
        }
        "failed" => status["state"] = json!({"terminated": ended(1, "Error")}),
        "completed" => status["state"] = json!({"terminated": ended(0, "Completed")}),
        "waiting/ErrImagePull" => status["state"] = json!({"waiting": {"reason": "ErrImagePull", "message": pull_error(image)}}),
        "waiting/ImagePullBackOff" => {
            let message = format!("Back-off pulling image {image:?}: ErrImagePull: {}", pull_error(image));
            status["state"] = json!({"waiting": {"reason": "ImagePullBackOff", "message": message}});
        }
        other => status["state"] = json!({"waiting": {"reason": other.trim_start_matches("waiting/")}}),
    }
    status
}

fn pull_error(image: &str) -> String {
    format!("rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve image: {image}: not found")
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
