//! What a kubelet writes of a Pod: the states of its containers, and all that follows from them.
//!
//! Only the containers at hand ([`crate::node::order`]) change. The last word, that a Pod succeeded or
//! failed, is not said here: a kubelet says it in a write of its own.

use rand::Rng;
use serde_json::{Value, json};

use super::super::scene::{Scene, settle};
use super::super::{around::quantity, made, stage::Stage};
use crate::machinery::notation::value::{at, default, list, number, set, text};
use crate::machinery::{notation::clock, registry::Kind, status::Refusal};
use crate::node::container::status_in;
use crate::server::{cluster::Write, store::Key};

/// The state that containers are put into, as a template.
pub(super) struct To<'s> {
    pub(super) state: &'s Value,
    pub(super) last: &'s Value,
    pub(super) restarts: bool,
    pub(super) ready: bool,
    pub(super) started: bool,
    pub(super) status: &'s Value,
}

pub(super) fn put(scene: &Scene<'_>, kind: &Kind, stage: &Stage, to: &To<'_>) -> Result<(), Refusal> {
    put_some(scene, kind, &stage.writer, to, |_| true)
}

/// Only the containers of some names.
pub(super) fn put_some(scene: &Scene<'_>, kind: &Kind, writer: &str, to: &To<'_>, meant: impl Fn(&str) -> bool) -> Result<(), Refusal> {
    let mut pod = scene.object.clone();
    let mut changed: Vec<(String, Value)> = Vec::new();
    scene.each_container(|container| {
        let name = text(container, "name");
        if meant(name) {
            changed.push((name.to_owned(), one(scene, container, to)));
        }
    });
    for (specs, statuses) in [("initContainers", "initContainerStatuses"), ("containers", "containerStatuses")] {
        let specs = list(&scene.object, &format!("spec.{specs}"));
        if specs.is_empty() {
            continue;
        }
        let entry = |spec: &Value| {
            let name = text(spec, "name");
            let new = changed.iter().find(|(of, _)| of == name).map(|(_, status)| status.clone());
            new.unwrap_or_else(|| status_in(&scene.object, statuses, name).cloned().unwrap_or_else(|| fresh(&scene.object, spec)))
        };
        let mut all: Vec<Value> = specs.iter().map(entry).collect();
        if statuses == "containerStatuses" {
            all.sort_by(|a, b| text(a, "name").cmp(text(b, "name")));
        }
        pod["status"][statuses] = Value::Array(all);
    }
    follow(scene, &mut pod);
    for (field, value) in to.status.as_object().into_iter().flatten() {
        pod["status"][field] = scene.fill(value);
    }
    if pod["status"]["phase"] == "Failed" {
        failed(&mut pod);
    }
    settle(&scene.object, &mut pod);
    scene.cluster.update(kind, &Key::of(&scene.object), pod, &Write::by(writer).to("status")).map(drop)
}

/// A container that nothing has happened to.
fn fresh(pod: &Value, spec: &Value) -> Value {
    let reason = if list(pod, "spec.initContainers").is_empty() { "ContainerCreating" } else { "PodInitializing" };
    let mut status = json!({"name": spec["name"], "image": spec["image"], "imageID": "", "lastState": {}, "ready": false, "started": false,
        "restartCount": 0, "state": {"waiting": {"reason": reason}}});
    let mounts: Vec<Value> = list(spec, "volumeMounts").iter().map(mount).collect();
    if !mounts.is_empty() {
        status["volumeMounts"] = Value::Array(mounts);
    }
    status
}

fn mount(mount: &Value) -> Value {
    let mut shown = json!({"name": mount["name"], "mountPath": mount["mountPath"]});
    if mount["readOnly"] == true {
        shown["readOnly"] = json!(true);
        shown["recursiveReadOnly"] = json!("Disabled");
    }
    shown
}

/// The new status of one container.
fn one(scene: &Scene<'_>, container: &Value, to: &To<'_>) -> Value {
    let main = container["kind"] == "main";
    let of = if main { "containerStatuses" } else { "initContainerStatuses" };
    let status = status_in(&scene.object, of, text(container, "name")).cloned();
    let mut status = status.unwrap_or_else(|| fresh(&scene.object, &container["spec"]));
    let was = status["state"].clone();
    let mut state = if to.state.is_null() { was.clone() } else { scene.fill(to.state) };
    crate::machinery::notation::value::prune(&mut state);
    let runs = state.get("running").is_some();
    let mut last = scene.fill(to.last);
    let before = text(&status, "containerID").to_owned();
    // One that could not be started was created all the same.
    if runs || text(&state, "waiting.reason") == "RunContainerError" {
        created(&scene.object, &container["spec"], &mut status);
    }
    // The one that runs is another than the one before.
    let ended_id = if runs { before } else { text(&status, "containerID").to_owned() };
    if runs {
        set(&mut state, "running.startedAt", json!(clock::now()));
    }
    if let Some(ended) = was.get("terminated").filter(|_| state.get("terminated").is_none()) {
        last = json!({"terminated": ended});
    }
    for ended in [&mut state, &mut last].into_iter().filter_map(|s| s.get_mut("terminated")) {
        default(ended, "finishedAt", clock::now());
        default(ended, "startedAt", was["running"]["startedAt"].as_str().map_or_else(clock::now, str::to_owned));
        if !ended_id.is_empty() {
            default(ended, "containerID", ended_id.clone());
        }
    }
    if !last.is_null() {
        status["lastState"] = last;
    }
    let complete = number(&state, "terminated.exitCode") == Some(0);
    status["ready"] = json!(if container["kind"] == "init" { complete } else { runs && to.ready });
    status["started"] = json!(runs && to.started);
    if to.restarts {
        status["restartCount"] = json!(number(&status, "restartCount").unwrap_or(0) + 1);
    }
    status["state"] = state;
    status
}

/// What is known of a container once the runtime has made it.
pub(super) fn created(pod: &Value, spec: &Value, status: &mut Value) {
    let id: [u128; 2] = [rand::rng().random(), rand::rng().random()];
    let image = full_name(text(spec, "image"));
    let resources = spec.get("resources").cloned().unwrap_or_else(|| json!({}));
    if let Some(requests) = resources.get("requests") {
        default(status, "allocatedResources", requests.clone());
    }
    default(status, "resources", resources);
    status["containerID"] = json!(format!("containerd://{:032x}{:032x}", id[0], id[1]));
    status["imageID"] = json!(format!("sandbox/{image}"));
    status["image"] = json!(image);
    let wanted = |field: &str| number(spec, &format!("securityContext.{field}")).or_else(|| number(pod, &format!("spec.securityContext.{field}")));
    let gid = wanted("runAsGroup").unwrap_or(0);
    let more = list(pod, "spec.securityContext.supplementalGroups").iter().filter_map(Value::as_i64);
    let mut groups: Vec<i64> = std::iter::once(gid).chain(wanted("fsGroup")).chain(more).collect();
    groups.sort_unstable();
    groups.dedup();
    status["user"] = json!({"linux": {"uid": wanted("runAsUser").unwrap_or(0), "gid": gid, "supplementalGroups": groups}});
}

/// An image's name with the registry and tag that go without saying.
fn full_name(image: &str) -> String {
    let (first, rest) = image.split_once('/').unwrap_or(("", image));
    let full = match first {
        "" => format!("docker.io/library/{rest}"),
        host if host.contains(['.', ':']) || host == "localhost" => image.to_owned(),
        _ => format!("docker.io/{image}"),
    };
    let tagged = image.contains('@') || full.rsplit('/').next().is_some_and(|last| last.contains(':'));
    if tagged { full } else { full + ":latest" }
}

/// Phase, conditions and addresses, as they follow from the containers.
pub(super) fn follow(scene: &Scene<'_>, pod: &mut Value) {
    let begun = |status: &Value| {
        let reason = text(status, "state.waiting.reason");
        !matches!(reason, "ContainerCreating" | "PodInitializing")
    };
    let touched = ["containerStatuses", "initContainerStatuses"].into_iter().any(|of| list(pod, &format!("status.{of}")).iter().any(begun));
    let host = json!(made::HOST);
    for (path, value) in [("hostIP", host.clone()), ("hostIPs", json!([{"ip": host}])), ("startTime", json!(clock::now()))] {
        default(pod, &format!("status.{path}"), value);
    }
    if touched {
        if let Some(ip) = scene.addresses.filter(|_| at(pod, "status.podIP").is_none()).and_then(|addresses| addresses.allocate(scene.uid())) {
            set(pod, "status.podIP", json!(ip));
        }
        let ip = pod["status"]["podIP"].clone();
        default(pod, "status.podIPs", json!([{"ip": ip}]));
    }
    let requests = quantity::of_pod(&pod["spec"], "requests");
    if !requests.is_empty() {
        let shown = requests.into_iter().map(|(name, amount)| (name.clone(), json!(quantity::show(amount, name != "cpu"))));
        default(pod, "status.allocatedResources", Value::Object(shown.collect()));
    }
    let generation = pod["metadata"]["generation"].clone();
    set(pod, "status.observedGeneration", generation);
    set(pod, "status.phase", json!(phase(pod)));
    let conditions = conditions(pod, touched);
    set(pod, "status.conditions", Value::Array(conditions));
}

fn phase(pod: &Value) -> &'static str {
    let waits = |s: &Value| s["state"].get("waiting").is_some() && at(s, "lastState.terminated").is_none();
    let main = list(pod, "status.containerStatuses");
    if initialised(pod).is_empty() && !main.iter().any(waits) { "Running" } else { "Pending" }
}

/// A Pod that is stopped for good, whatever its restart policy.
fn failed(pod: &mut Value) {
    let now = clock::now();
    for condition in pod.pointer_mut("/status/conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        let kind = text(condition, "type").to_owned();
        if matches!(kind.as_str(), "PodReadyToStartContainers" | "Ready" | "ContainersReady") {
            *condition = json!({"type": kind, "status": "False", "lastProbeTime": null, "lastTransitionTime": now,
                "observedGeneration": condition["observedGeneration"]});
            if kind != "PodReadyToStartContainers" {
                condition["reason"] = json!("PodFailed");
            }
        }
    }
}

/// The init containers that are not done, or the sidecars not started.
fn initialised(pod: &Value) -> Vec<&str> {
    let sidecar = |name: &str| list(pod, "spec.initContainers").iter().any(|c| text(c, "name") == name && c["restartPolicy"] == "Always");
    // Sidecars end after all others.
    let started = |s: &Value| s["started"] == true || s["state"].get("terminated").is_some();
    let done = |s: &Value| if sidecar(text(s, "name")) { started(s) } else { number(s, "state.terminated.exitCode") == Some(0) };
    list(pod, "status.initContainerStatuses").iter().filter(|s| !done(s)).map(|s| text(s, "name")).collect()
}

fn conditions(pod: &Value, sandbox: bool) -> Vec<Value> {
    let now = clock::now();
    let condition = |kind: &str, holds: bool, reason: &str, message: String| {
        let mut condition = json!({"type": kind, "status": if holds { "True" } else { "False" }, "lastProbeTime": null, "lastTransitionTime": now,
            "observedGeneration": pod["metadata"]["generation"]});
        if !reason.is_empty() {
            condition["reason"] = json!(reason);
        }
        if !message.is_empty() {
            condition["message"] = json!(message);
        }
        condition
    };
    let main = list(pod, "status.containerStatuses");
    let unready: Vec<&str> = main.iter().filter(|s| s["ready"] != true).map(|s| text(s, "name")).collect();
    let incomplete = initialised(pod);
    let over = text(pod, "spec.restartPolicy") != "Always" && !main.is_empty() && main.iter().all(|s| s["state"].get("terminated").is_some());
    let failed = main.iter().any(|s| number(s, "state.terminated.exitCode").is_some_and(|code| code != 0));
    let given_up = list(pod, "status.initContainerStatuses").iter().any(|s| number(s, "state.terminated.exitCode").is_some_and(|code| code != 0))
        && !incomplete.is_empty();
    let over = match (over || given_up, failed || given_up, text(pod, "spec.restartPolicy")) {
        (true, false, _) => "PodCompleted",
        (true, true, "Never") => "PodFailed",
        _ => "",
    };
    let list_of = |what: &str, names: &[&str]| format!("containers with {what} status: [{}]", names.join(" "));
    let ready = |kind: &str| match over {
        "" if unready.is_empty() => condition(kind, true, "", String::new()),
        "" => condition(kind, false, "ContainersNotReady", list_of("unready", &unready)),
        over => condition(kind, false, over, String::new()),
    };
    let gate = list(pod, "spec.readinessGates").iter().map(|g| text(g, "conditionType"));
    let closed = gate.map(|g| (g, text(pod, &format!("status.conditions.{g}.status")))).find(|(_, status)| *status != "True");
    let mut all = vec![
        condition("PodReadyToStartContainers", sandbox, "", String::new()),
        match incomplete.as_slice() {
            [] => condition("Initialized", true, if over == "PodCompleted" { over } else { "" }, String::new()),
            names => condition("Initialized", false, "ContainersNotInitialized", list_of("incomplete", names)),
        },
        match closed {
            Some((gate, status)) if unready.is_empty() => condition("Ready", false, "ReadinessGatesNotReady", gate_message(gate, status)),
            _ => ready("Ready"),
        },
        ready("ContainersReady"),
    ];
    let own = |c: &Value| all.iter().any(|a| a["type"] == c["type"]);
    let mut others: Vec<Value> = list(pod, "status.conditions").iter().filter(|c| !own(c)).cloned().collect();
    if let Some(scheduled) = others.iter_mut().find(|c| c["type"] == "PodScheduled") {
        scheduled["observedGeneration"] = pod["metadata"]["generation"].clone();
    }
    all.extend(others);
    all
}

fn gate_message(gate: &str, status: &str) -> String {
    if status.is_empty() {
        format!("corresponding condition of pod readiness gate {gate:?} does not exist.")
    } else {
        format!("corresponding condition of pod readiness gate {gate:?} does not equal to \"True\".")
    }
}
