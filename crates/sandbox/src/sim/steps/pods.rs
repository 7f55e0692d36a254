//! Keeping and counting the Pods of a workload.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::super::events;
use super::super::scene::Scene;
use super::super::stage::{EventTemplate, Naming, Stage};
use super::{create, write_status};
use crate::cluster::DeleteOptions;
use crate::registry::Kind;
use crate::status::Refusal;
use crate::store::Entry;
use crate::value::{number, set, text};

/// More Pods than this are not made, whatever a workload asks for.
const MOST: usize = 10_000;

/// The Pods that count: those neither finished nor on their way out.
fn alive(scene: &Scene<'_>) -> Vec<Arc<Entry>> {
    let pods = scene.children("pods").into_iter();
    pods.filter(|p| !p.deleting && !matches!(p.field("status.phase"), "Succeeded" | "Failed")).collect()
}

/// Makes the Pods that are missing and deletes those that are too many.
pub(super) fn keep(scene: &Scene<'_>, stage: &Stage, template: &str, count: &str, names: Naming) -> Result<(), Refusal> {
    let owner = text(&scene.object, "metadata.name");
    let mut pods = alive(scene);
    let wanted = match names {
        Naming::Nodes => scene.cluster.store.all("nodes", "").len(),
        _ => usize::try_from(number(&scene.object, count).unwrap_or(1)).unwrap_or(0).min(MOST),
    };
    let named = |index: usize| format!("{owner}-{index}");
    if names == Naming::Ordinal {
        let expected: Vec<String> = (0..wanted).map(named).collect();
        for (index, name) in expected.iter().enumerate().filter(|(_, name)| !pods.iter().any(|p| *p.key.name == ***name)) {
            let mut pod = pod(scene, template);
            set(&mut pod, "metadata.name", json!(name));
            for (label, value) in [("statefulset.kubernetes.io/pod-name", name.clone()), ("apps.kubernetes.io/pod-index", index.to_string())] {
                crate::value::object(&mut pod["metadata"], "labels").insert(label.to_owned(), json!(value));
            }
            make(scene, stage, pod)?;
        }
        pods.retain(|p| !expected.iter().any(|name| *p.key.name == **name));
        return pods.iter().try_for_each(|p| drop_one(scene, p));
    }
    for _ in pods.len()..wanted {
        let mut pod = pod(scene, template);
        let prefix: String = owner.chars().take(57).collect();
        set(&mut pod, "metadata.generateName", json!(format!("{prefix}-")));
        make(scene, stage, pod)?;
    }
    pods.sort_by_key(|p| std::cmp::Reverse(p.version));
    let surplus = pods.len().saturating_sub(wanted);
    pods.iter().take(surplus).try_for_each(|p| drop_one(scene, p))
}

fn pod(scene: &Scene<'_>, template: &str) -> Value {
    let template = scene.look(template).unwrap_or_default();
    let mut pod =
        json!({"metadata": {"labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"]}, "spec": template["spec"]});
    set(&mut pod, "metadata.namespace", scene.object["metadata"]["namespace"].clone());
    pod
}

fn make(scene: &Scene<'_>, stage: &Stage, pod: Value) -> Result<(), Refusal> {
    match create(scene, stage, "pods", pod, false) {
        Err(refusal) if refusal.code == 422 => {
            let event = EventTemplate {
                reason: "FailedCreate".to_owned(),
                message: format!("Error creating: {}", refusal.message),
                kind: "Warning".to_owned(),
                from: "replicaset-controller".to_owned(),
                action: None,
                container: false,
            };
            events::write(scene, &event);
            Ok(())
        }
        other => other,
    }
}

fn drop_one(scene: &Scene<'_>, pod: &Entry) -> Result<(), Refusal> {
    let kind = scene.cluster.kind("pods")?;
    let options = DeleteOptions { uid: Some(pod.uid.to_string()), ..DeleteOptions::default() };
    scene.cluster.delete(&kind, &pod.key, &options).map(drop)
}

/// Writes counts into the status: `all`, `ready`, `nodes`, or the `generation` they belong to.
pub(super) fn count(scene: &Scene<'_>, kind: &Kind, stage: &Stage, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let pods = alive(scene);
    let ready =
        || pods.iter().filter(|p| p.field("status.phase") == "Running" && text(&p.value(), "status.conditions.Ready.status") == "True").count();
    let ready = json!(ready());
    let mut status = Map::new();
    for (field, what) in fields {
        let value = match what.as_str().unwrap_or_default() {
            "all" => json!(pods.len()),
            "ready" => ready.clone(),
            "nodes" => json!(scene.cluster.store.all("nodes", "").len()),
            _ => scene.object["metadata"]["generation"].clone(),
        };
        status.insert(field.clone(), value);
    }
    write_status(scene, kind, stage, Value::Object(status))
}
