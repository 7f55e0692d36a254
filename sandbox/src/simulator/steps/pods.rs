//! Keeping and counting the Pods of a ReplicaSet.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::{events, scene::Scene, stage::Stage};
use super::write::{create, write_status};
use crate::machinery::notation::value::{number, set, text};
use crate::machinery::{registry::Kind, status::Refusal};
use crate::server::{cluster::DeleteOptions, store::Entry};

/// More Pods than this are not made, whatever a workload asks for.
pub(super) const MOST: usize = 10_000;

/// The Pods that count: those neither finished nor on their way out.
pub(super) fn alive(scene: &Scene<'_>) -> Vec<Arc<Entry>> {
    scene.children("pods").into_iter().filter(|p| !p.deleting && !finished(p)).collect()
}

pub(super) fn finished(pod: &Entry) -> bool {
    matches!(pod.field("status.phase"), "Succeeded" | "Failed")
}

/// Since when a Pod is ready, if it is. Reads no more of it than that.
pub(super) fn ready_since(pod: &Entry) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Pod<'p> {
        #[serde(borrow)]
        status: Status<'p>,
    }
    #[derive(Deserialize)]
    struct Status<'p> {
        #[serde(borrow, default)]
        conditions: Vec<Condition<'p>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Condition<'p> {
        r#type: &'p str,
        status: &'p str,
        #[serde(default)]
        last_transition_time: Option<&'p str>,
    }
    if pod.field("status.phase") != "Running" {
        return None;
    }
    let text = pod.text.bytes();
    let pod: Pod<'_> = serde_json::from_slice(&text).ok()?;
    let ready = pod.status.conditions.into_iter().find(|c| c.r#type == "Ready" && c.status == "True")?;
    ready.last_transition_time?.parse().ok()
}

/// How many Pods are ready, and how many have been for `minReadySeconds`. Comes back when more will be.
pub(super) fn count_ready(scene: &Scene<'_>, pods: &[Arc<Entry>]) -> (usize, usize) {
    let least = number(&scene.object, "spec.minReadySeconds").unwrap_or(0);
    let now = Timestamp::now().as_second();
    let since: Vec<i64> = pods.iter().filter_map(|p| ready_since(p)).map(Timestamp::as_second).collect();
    let available = since.iter().filter(|s| **s + least <= now).count();
    if available < since.len() {
        let next = since.iter().map(|s| s + least - now).filter(|left| *left > 0).min().unwrap_or(1);
        scene.come_back(Duration::from_secs(u64::try_from(next).unwrap_or(1)));
    }
    (since.len(), available)
}

/// Makes the Pods that are missing and deletes those that are too many: first the ones that aren't ready, then the newest.
pub(super) fn keep(scene: &Scene<'_>, stage: &Stage, template: &str, count: &str) -> Result<(), Refusal> {
    let mut pods = alive(scene);
    let wanted = usize::try_from(number(&scene.object, count).unwrap_or(1)).unwrap_or(0).min(MOST);
    for _ in pods.len()..wanted {
        make(scene, stage, pod(scene, &scene.look(template).unwrap_or_default()))?;
    }
    let surplus = pods.len().saturating_sub(wanted);
    if surplus > 0 {
        pods.sort_by_key(|p| (ready_since(p).is_some(), std::cmp::Reverse(p.version)));
    }
    pods.iter().take(surplus).try_for_each(|p| drop_one(scene, p))
}

/// A Pod of a template, named at random after its owner.
pub(super) fn pod(scene: &Scene<'_>, template: &Value) -> Value {
    let prefix: String = text(&scene.object, "metadata.name").chars().take(57).collect();
    let mut pod = json!({"metadata": {"generateName": format!("{prefix}-"), "namespace": scene.namespace()}, "spec": template["spec"]});
    for part in ["labels", "annotations"] {
        set(&mut pod, &format!("metadata.{part}"), template["metadata"][part].clone());
    }
    pod
}

/// The component that the real events about this object's Pods come from.
pub(super) fn controller(scene: &Scene<'_>) -> String {
    format!("{}-controller", text(&scene.object, "kind").to_lowercase())
}

/// Creates a Pod and says so; that a template is no good is said too.
pub(super) fn make(scene: &Scene<'_>, stage: &Stage, pod: Value) -> Result<(), Refusal> {
    match create(scene, stage, "pods", pod, false) {
        Ok(made) => {
            if let Some(made) = made {
                let name = &made.key.name;
                let message = match text(&scene.object, "kind") {
                    "StatefulSet" => format!("create Pod {name} in StatefulSet {} successful", text(&scene.object, "metadata.name")),
                    _ => format!("Created pod: {name}"),
                };
                events::say(scene, &controller(scene), "Normal", "SuccessfulCreate", &message);
            }
            Ok(())
        }
        Err(refusal) if refusal.code == 422 => {
            events::say(scene, &controller(scene), "Warning", "FailedCreate", &format!("Error creating: {}", refusal.message));
            Ok(())
        }
        Err(refusal) => Err(refusal),
    }
}

pub(super) fn drop_one(scene: &Scene<'_>, pod: &Entry) -> Result<(), Refusal> {
    let kind = scene.cluster.kind("pods")?;
    let options = DeleteOptions { uid: Some(pod.uid.to_string()), ..DeleteOptions::default() };
    scene.cluster.delete(&kind, &pod.key, &options)?;
    let message = match text(&scene.object, "kind") {
        "StatefulSet" => format!("delete Pod {} in StatefulSet {} successful", pod.key.name, text(&scene.object, "metadata.name")),
        _ => format!("Deleted pod: {}", pod.key.name),
    };
    events::say(scene, &controller(scene), "Normal", "SuccessfulDelete", &message);
    Ok(())
}

/// Writes counts into the status: `all`, `ready`, `available`, or the `generation` they belong to. Zeros are left out
/// where the real one leaves them out.
pub(super) fn count(scene: &Scene<'_>, kind: &Kind, stage: &Stage, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let pods = alive(scene);
    let (ready, available) = count_ready(scene, &pods);
    let or_none = |n: usize| if n == 0 { Value::Null } else { json!(n) };
    let mut status = Map::new();
    for (field, what) in fields {
        let value = match what.as_str().unwrap_or_default() {
            "all" => json!(pods.len()),
            "some" => or_none(pods.len()),
            "ready" => or_none(ready),
            "available" => or_none(available),
            "none" => json!(0),
            _ => scene.object["metadata"]["generation"].clone(),
        };
        status.insert(field.clone(), value);
    }
    write_status(scene, kind, stage, Value::Object(status))
}
