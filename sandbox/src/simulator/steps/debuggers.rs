//! Containers that were added to a running Pod to debug it: they start at once, never restart, and nothing waits for them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::scene::{Scene, settle};
use super::super::{events, stage::Stage};
use super::containers;
use crate::machinery::notation::value::{list, text};
use crate::machinery::{notation::clock, registry::Kind, status::Refusal};
use crate::node::runtime;
use crate::server::{cluster::Write, store::Key};

const STATUSES: &str = "ephemeralContainerStatuses";

/// Starts those that have no status yet, and ends those whose program has ended.
pub(super) fn keep(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let mut statuses = list(&scene.object, &format!("status.{STATUSES}")).to_vec();
    let was = statuses.len();
    for spec in list(&scene.object, "spec.ephemeralContainers") {
        match statuses.iter_mut().find(|status| status["name"] == spec["name"]) {
            None => statuses.push(started(&scene.object, spec)),
            Some(status) => end_in_time(scene, spec, status),
        }
    }
    let started = statuses.len() - was;
    write(scene, kind, &stage.writer, statuses)?;
    for spec in list(&scene.object, "spec.ephemeralContainers").iter().rev().take(started) {
        let pulled = format!("Container image {:?} already present on machine and can be accessed by the pod", text(spec, "image"));
        for (reason, message) in [("Pulled", pulled.as_str()), ("Created", "Container created"), ("Started", "Container started")] {
            events::say(scene, "kubelet", "Normal", reason, message);
        }
    }
    Ok(())
}

/// Ends one of them, if it is one.
pub(super) fn end(scene: &Scene<'_>, kind: &Kind, writer: &str, name: &str, code: i32) -> Result<bool, Refusal> {
    let mut statuses = list(&scene.object, &format!("status.{STATUSES}")).to_vec();
    let Some(status) = statuses.iter_mut().find(|status| text(status, "name") == name) else { return Ok(false) };
    terminate(status, i64::from(code));
    write(scene, kind, writer, statuses).map(|()| true)
}

fn write(scene: &Scene<'_>, kind: &Kind, writer: &str, statuses: Vec<Value>) -> Result<(), Refusal> {
    let mut pod = scene.object.clone();
    pod["status"][STATUSES] = Value::Array(statuses);
    containers::follow(scene, &mut pod);
    settle(&scene.object, &mut pod);
    scene.cluster.update(kind, &Key::of(&scene.object), pod, &Write::by(writer).to("status")).map(drop)
}

fn started(pod: &Value, spec: &Value) -> Value {
    let mut status = json!({"name": spec["name"], "lastState": {}, "ready": false, "restartCount": 0,
        "state": {"running": {"startedAt": clock::now()}}});
    containers::created(pod, spec, &mut status);
    status
}

fn end_in_time(scene: &Scene<'_>, spec: &Value, status: &mut Value) {
    let Ok(from) = text(status, "state.running.startedAt").parse::<Timestamp>() else { return };
    let end = scene.outcome(text(spec, "name"));
    let end = end.map(|end| (i64::try_from(end.seconds).unwrap_or(i64::MAX), i64::from(end.code)));
    // A shell without input has nothing to do.
    let Some((seconds, code)) = end.or_else(|| runtime::is_idle_shell(spec).then_some((0, 0))) else { return };
    match u64::try_from(seconds - Timestamp::now().duration_since(from).as_secs()) {
        Ok(left) if left > 0 => scene.come_back(std::time::Duration::from_secs(left)),
        _ => terminate(status, code),
    }
}

fn terminate(status: &mut Value, code: i64) {
    let started = status["state"]["running"]["startedAt"].clone();
    if started.is_null() {
        return;
    }
    let reason = if code == 0 { "Completed" } else { "Error" };
    let id = status["containerID"].clone();
    status["state"] =
        json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": clock::now(), "containerID": id}});
}
