//! What happens to a machine's status when its guest boots, pauses or ends. Pure.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Chooses a fault; the same name as for Pods.
pub(super) const FAIL: &str = "sandbox.kubekcloud.io/fail";
/// Tells a running guest to `power-off` or to `crash`.
pub(super) const GUEST: &str = "sandbox.kubekcloud.io/guest";
/// Its presence gives the guest a guest agent.
const GUEST_AGENT: &str = "sandbox.kubekcloud.io/guest-agent";

/// What the node agent should do about a machine, seen as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Boot,
    FailToBoot,
    ShutDown,
    /// The guest itself ends, now.
    End(&'static str),
}

pub(super) fn next(machine: &Value) -> Next {
    let annotation = |name: &str| machine["metadata"]["annotations"][name].as_str();
    let deleted = machine["metadata"]["deletionTimestamp"].is_string();
    let fault = annotation(FAIL);
    match (phase(machine), deleted) {
        ("Scheduled" | "Running", true) if fault == Some("stuck") => Next::Nothing,
        ("Scheduled" | "Running", true) => Next::ShutDown,
        ("Scheduled", false) if fault == Some("crash-loop") => Next::FailToBoot,
        ("Scheduled", false) => Next::Boot,
        ("Running", false) => match annotation(GUEST) {
            Some("power-off") => Next::End("Succeeded"),
            Some("crash") => Next::End("Failed"),
            _ => Next::Nothing,
        },
        _ => Next::Nothing,
    }
}

pub(super) fn phase(object: &Value) -> &str {
    object["status"]["phase"].as_str().unwrap_or_default()
}

pub(super) fn ended(object: &Value) -> bool {
    matches!(phase(object), "Succeeded" | "Failed")
}

/// The guest is up: what virt-handler reports of it.
pub(super) fn boot(machine: &mut Value, address: Option<&str>, now: &str) {
    enter(machine, "Running", now);
    let spec = machine["spec"].clone();
    let uid = machine["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let annotations = machine["metadata"]["annotations"].clone();
    let status = &mut machine["status"];
    status["machine"] = json!({"type": "pc-q35-rhel9.6.0"});
    status["migrationMethod"] = json!("BlockMigration");
    if status["guestOSInfo"].is_null() {
        status["guestOSInfo"] = json!({});
    }
    let domain = &spec["domain"];
    let memory = [&domain["memory"]["guest"], &domain["resources"]["requests"]["memory"]];
    if let Some(memory) = memory.into_iter().find(|memory| !memory.is_null()) {
        status["memory"]["guestCurrent"] = memory.clone();
    }
    for volume in items(status, "volumeStatus") {
        if volume["target"].as_str().is_none_or(str::is_empty) {
            volume["target"] = json!("vda");
        }
    }
    let interfaces: Vec<Value> = domain["devices"]["interfaces"].as_array().cloned().unwrap_or_default();
    status["interfaces"] = interfaces.iter().map(|spec| interface(spec, &uid, address)).collect();

    if interfaces.iter().any(|interface| !interface["masquerade"].is_null()) {
        set_condition(machine, &condition("LiveMigratable", "True"));
    } else {
        let mut bound = condition("LiveMigratable", "False");
        bound["reason"] = json!("InterfaceNotLiveMigratable");
        bound["message"] = json!("the interface binding cannot migrate");
        set_condition(machine, &bound);
    }
    set_condition(machine, &condition("StorageLiveMigratable", "True"));
    if annotations[GUEST_AGENT].is_string() {
        set_condition(machine, &condition("AgentConnected", "True"));
    }
    if spec["startStrategy"] == "Paused" {
        pause(machine, now);
    }
}

pub(super) fn pause(machine: &mut Value, now: &str) {
    let mut paused = condition("Paused", "True");
    paused["reason"] = json!("PausedByUser");
    paused["message"] = json!("VMI was paused by user");
    paused["lastProbeTime"] = json!(now);
    paused["lastTransitionTime"] = json!(now);
    set_condition(machine, &paused);
}

/// virt-handler removes the condition; it never sets it to False.
pub(super) fn unpause(machine: &mut Value) {
    let conditions = machine.pointer_mut("/status/conditions");
    if let Some(conditions) = conditions.and_then(Value::as_array_mut) {
        conditions.retain(|condition| condition["type"] != "Paused");
    }
}

/// The list's items; a list that is not there stays so.
pub(super) fn items<'a>(object: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> {
    let items = object.get_mut(list).and_then(Value::as_array_mut);
    items.into_iter().flatten()
}

/// Moves the machine to a phase and notes when.
pub(super) fn enter(machine: &mut Value, phase: &str, now: &str) {
    machine["status"]["phase"] = json!(phase);
    let step = json!({"phase": phase, "phaseTransitionTimestamp": now});
    push(&mut machine["status"]["phaseTransitionTimestamps"], step);
}

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": null})
}

/// Adds the condition unless one of its type is there.
fn set_condition(machine: &mut Value, condition: &Value) {
    let conditions = &mut machine["status"]["conditions"];
    let there = conditions.as_array().into_iter().flatten().any(|old| old["type"] == condition["type"]);
    if !there {
        push(conditions, condition.clone());
    }
}

fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(list) => list.push(item),
        None => *list = json!([item]),
    }
}

fn interface(spec: &Value, uid: &str, address: Option<&str>) -> Value {
    let mut interface = json!({
        "name": spec["name"],
        "mac": spec["macAddress"].as_str().map_or_else(|| mac(uid), str::to_owned),
        "infoSource": "domain",
        "podInterfaceName": "eth0",
        "queueCount": 1,
        "linkState": "up",
    });
    if let Some(address) = address {
        interface["ipAddress"] = json!(address);
        interface["ipAddresses"] = json!([address]);
    }
    interface
}

/// The same for the same machine, in the range of QEMU's guests.
fn mac(uid: &str) -> String {
    let digest = Sha256::digest(uid);
    format!("52:54:00:{:02x}:{:02x}:{:02x}", digest[0], digest[1], digest[2])
}

#[cfg(test)]
#[path = "guest_tests.rs"]
mod tests;
