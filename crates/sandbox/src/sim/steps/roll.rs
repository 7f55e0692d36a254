//! A Deployment's rollout, simply: a ReplicaSet for the present template at full size, and when it is ready the others
//! at zero. Surge and unavailability limits are not simulated; `Recreate` empties the others first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::scene::Scene;
use super::super::stage::Stage;
use super::{create, patch, write_status};
use crate::clock;
use crate::registry::Kind;
use crate::status::Refusal;
use crate::store::Entry;
use crate::value::{number, set, text};

const SETS: &str = "replicasets.apps";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

pub(super) fn roll(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let wanted = number(&scene.object, "spec.replicas").unwrap_or(1);
    let hash = hash(&scene.object["spec"]["template"]);
    let sets = scene.children(SETS);
    let (new, old): (Vec<Arc<Entry>>, Vec<Arc<Entry>>) = sets.into_iter().partition(|s| s.label(HASH) == Some(&hash));
    let old: Vec<Value> = old.iter().map(|e| e.value()).collect();
    let revision = old.iter().filter_map(|s| s["metadata"]["annotations"][REVISION].as_str()?.parse::<i64>().ok()).max().unwrap_or(0) + 1;

    let recreate = text(&scene.object, "spec.strategy.type") == "Recreate";
    let left: i64 = old.iter().filter_map(|s| number(s, "status.replicas")).sum();
    let new = new.first().map(|e| e.value());
    let ready = new.as_ref().and_then(|n| number(n, "status.readyReplicas")).unwrap_or(0);
    match &new {
        None if recreate && left > 0 => {}
        None => create(scene, stage, SETS, replica_set(scene, &hash, revision, wanted), false)?,
        Some(set) if number(set, "spec.replicas") != Some(wanted) => resize(scene, stage, set, wanted)?,
        Some(_) => {}
    }
    if recreate || ready >= wanted {
        for set in old.iter().filter(|s| number(s, "spec.replicas") != Some(0)) {
            resize(scene, stage, set, 0)?;
        }
    }
    report(scene, kind, stage, &hash, wanted, new.as_ref(), &old)
}

fn resize(scene: &Scene<'_>, stage: &Stage, set: &Value, replicas: i64) -> Result<(), Refusal> {
    patch(scene, SETS, &crate::store::Key::of(set), stage, json!({"spec": {"replicas": replicas}}))
}

/// Ten letters that differ when templates do.
fn hash(template: &Value) -> String {
    const LETTERS: &[u8] = b"bcdf456789ghjklmnpqrstvwxz2";
    let mut hash = template.to_string().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let letters = (0..10).map(|_| {
        let letter = LETTERS[usize::try_from(hash % LETTERS.len() as u64).unwrap_or(0)];
        hash /= LETTERS.len() as u64;
        char::from(letter)
    });
    letters.collect()
}

fn replica_set(scene: &Scene<'_>, hash: &str, revision: i64, replicas: i64) -> Value {
    let object = &scene.object;
    let mut template = object["spec"]["template"].clone();
    crate::value::object(&mut template, "metadata");
    crate::value::object(&mut template["metadata"], "labels").insert(HASH.to_owned(), json!(hash));
    let mut selector = object["spec"]["selector"].clone();
    crate::value::object(&mut selector, "matchLabels").insert(HASH.to_owned(), json!(hash));
    let mut set_of = json!({"metadata": {"name": format!("{}-{hash}", text(object, "metadata.name")), "namespace": object["metadata"]["namespace"],
        "labels": template["metadata"]["labels"]}, "spec": {"replicas": replicas, "selector": selector, "template": template}});
    set(
        &mut set_of,
        "metadata.annotations",
        json!({REVISION: revision.to_string(), "deployment.kubernetes.io/desired-replicas": replicas.to_string()}),
    );
    set_of
}

fn report(scene: &Scene<'_>, kind: &Kind, stage: &Stage, hash: &str, wanted: i64, new: Option<&Value>, old: &[Value]) -> Result<(), Refusal> {
    let of = |set: &Value, field: &str| number(set, &format!("status.{field}")).unwrap_or(0);
    let sum = |field: &str| new.map_or(0, |n| of(n, field)) + old.iter().map(|s| of(s, field)).sum::<i64>();
    let updated = new.map_or(0, |n| of(n, "replicas"));
    let (all, ready) = (sum("replicas"), sum("readyReplicas"));
    let available = ready >= wanted;
    let done = available && updated >= wanted && all == updated;
    let now = clock::now();
    let condition = |kind: &str, status: bool, reason: &str, message: String| json!({"type": kind, "status": if status { "True" } else { "False" }, "reason": reason, "message": message, "lastUpdateTime": now, "lastTransitionTime": now});
    let name = format!("{}-{hash}", text(&scene.object, "metadata.name"));
    let conditions = json!([
        if available {
            condition("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.".to_owned())
        } else {
            condition("Available", false, "MinimumReplicasUnavailable", "Deployment does not have minimum availability.".to_owned())
        },
        if done {
            condition("Progressing", true, "NewReplicaSetAvailable", format!("ReplicaSet {name:?} has successfully progressed."))
        } else {
            condition("Progressing", true, "ReplicaSetUpdated", format!("ReplicaSet {name:?} is progressing."))
        }
    ]);
    let or_none = |n: i64| if n == 0 { Value::Null } else { json!(n) };
    let status = json!({"observedGeneration": scene.object["metadata"]["generation"], "replicas": or_none(all), "updatedReplicas": or_none(updated),
        "readyReplicas": or_none(ready), "availableReplicas": or_none(ready), "unavailableReplicas": or_none((wanted - ready).max(0)), "conditions": conditions});
    write_status(scene, kind, stage, status)
}
