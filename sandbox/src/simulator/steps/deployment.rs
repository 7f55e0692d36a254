//! A Deployment's rollout: a ReplicaSet for each template, scaled up and down within surge and unavailability, numbered
//! by revisions, and judged by the progress deadline. Scaling in the middle of a rollout is not spread over ReplicaSets.

use serde_json::{Value, json};

use super::super::around::quantity::share;
use super::super::{events, scene::Scene, stage::Stage};
use super::deployment_status::{Rollout, report};
use super::hash::hash;
use super::write::{create, patch};
use crate::machinery::notation::value::{at, number, plain, set, text};
use crate::machinery::{registry::Kind, status::Refusal};
use crate::server::{cluster::DeleteOptions, store::Key};

const SETS: &str = "replicasets.apps";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const CONTROLLER: &str = "deployment-controller";

/// How many of its Pods a Deployment may have too many and too few.
struct Limits {
    wanted: i64,
    surge: i64,
    unavailable: i64,
}

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let object = &scene.object;
    let hash = hash(&object["spec"]["template"]);
    let sets = scene.children(SETS).into_iter().map(|e| e.value());
    let (mut new, mut old): (Vec<Value>, Vec<Value>) = sets.partition(|s| s["metadata"]["labels"][HASH] == *hash);
    old.sort_by_key(revision);
    let new = new.pop();
    let limits = limits(object);
    let next = old.iter().map(revision).max().unwrap_or(0) + 1;
    let paused = object["spec"]["paused"] == true;
    if !paused {
        move_on(scene, stage, &limits, &hash, next, new.as_ref(), &old)?;
    }
    let number = new.as_ref().map_or(next, revision).max(next);
    if (new.is_some() || !paused) && object["metadata"]["annotations"][REVISION] != *number.to_string() {
        let key = Key::of(object);
        patch(scene, &kind.table(), &key, stage, json!({"metadata": {"annotations": {REVISION: number.to_string()}}}))?;
    }
    let name = format!("{}-{hash}", text(object, "metadata.name"));
    report(scene, kind, stage, &Rollout { name: &name, wanted: limits.wanted, unavailable: limits.unavailable, paused, new: new.as_ref(), old: &old })
}

fn move_on(scene: &Scene<'_>, stage: &Stage, limits: &Limits, hash: &str, next: i64, new: Option<&Value>, old: &[Value]) -> Result<(), Refusal> {
    let recreate = text(&scene.object, "spec.strategy.type") == "Recreate";
    let pods: i64 = old.iter().filter_map(|s| number(s, "status.replicas")).sum();
    let kept: i64 = old.iter().map(replicas).sum();
    let has = new.map_or(0, replicas);
    // Pods that their ReplicaSet is yet to take away still count.
    let held: i64 = old.iter().map(|set| replicas(set).max(number(set, "status.replicas").unwrap_or(0))).sum();
    let room = (limits.wanted + limits.surge - held - has).max(0);
    let size = match recreate {
        true if pods > 0 || kept > 0 => 0,
        true => limits.wanted,
        false if has > limits.wanted => limits.wanted,
        false => has + room.min(limits.wanted - has),
    };
    match new {
        None if recreate && (pods > 0 || kept > 0) => {}
        None => {
            create(scene, stage, SETS, replica_set(scene, hash, next, limits, size), false)?;
            scaled(scene, "up", &format!("{}-{hash}", text(&scene.object, "metadata.name")), 0, size);
        }
        Some(set) => {
            if revision(set) < next {
                renumber(scene, stage, set, next)?;
            }
            if has != size {
                return resize(scene, stage, set, size);
            }
        }
    }
    let complete = new.is_some_and(|set| available(set) >= limits.wanted && has == limits.wanted);
    if recreate {
        old.iter().filter(|s| replicas(s) > 0).try_for_each(|set| resize(scene, stage, set, 0))
    } else if kept > 0 {
        shrink(scene, stage, limits, new, old)
    } else if complete {
        forget(scene, old)
    } else {
        Ok(())
    }
}

/// Takes old Pods away: first those that are of no use anyway, then as many as availability allows.
fn shrink(scene: &Scene<'_>, stage: &Stage, limits: &Limits, new: Option<&Value>, old: &[Value]) -> Result<(), Refusal> {
    let least = limits.wanted - limits.unavailable;
    let all: i64 = old.iter().chain(new).map(replicas).sum();
    let coming = new.map_or(0, |n| replicas(n) - available(n));
    let mut may_go = all - least - coming;
    let mut spare = old.iter().chain(new).map(available).sum::<i64>() - least;
    for set in old.iter().filter(|s| replicas(s) > 0) {
        let useless = (replicas(set) - available(set)).clamp(0, may_go.max(0));
        may_go -= useless;
        let useful = available(set).clamp(0, spare.max(0)).min(may_go.max(0));
        spare -= useful;
        may_go -= useful;
        if useless + useful > 0 {
            resize(scene, stage, set, replicas(set) - useless - useful)?;
        }
    }
    Ok(())
}

/// Deletes the oldest of the empty ReplicaSets that are more than the history may hold.
fn forget(scene: &Scene<'_>, old: &[Value]) -> Result<(), Refusal> {
    let limit = usize::try_from(number(&scene.object, "spec.revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
    let empty: Vec<&Value> = old.iter().filter(|s| replicas(s) == 0 && number(s, "status.replicas").unwrap_or(0) == 0).collect();
    let kind = scene.cluster.kind(SETS)?;
    for set in empty.iter().take(empty.len().saturating_sub(limit)) {
        scene.cluster.delete(&kind, &Key::of(set), &DeleteOptions::default())?;
    }
    Ok(())
}

fn limits(object: &Value) -> Limits {
    let wanted = number(object, "spec.replicas").unwrap_or(1);
    let of = |field: &str, up| at(object, &format!("spec.strategy.rollingUpdate.{field}")).and_then(|v| share(v, wanted, up)).unwrap_or(0);
    let (surge, unavailable) = (of("maxSurge", true), of("maxUnavailable", false));
    Limits { wanted, surge, unavailable: if surge == 0 && unavailable == 0 { 1 } else { unavailable } }
}

fn replicas(set: &Value) -> i64 {
    number(set, "spec.replicas").unwrap_or(0)
}

fn available(set: &Value) -> i64 {
    number(set, "status.availableReplicas").unwrap_or(0)
}

fn revision(set: &Value) -> i64 {
    set["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0)
}

fn resize(scene: &Scene<'_>, stage: &Stage, set: &Value, size: i64) -> Result<(), Refusal> {
    patch(scene, SETS, &Key::of(set), stage, json!({"spec": {"replicas": size}}))?;
    let was = replicas(set);
    scaled(scene, if size > was { "up" } else { "down" }, text(set, "metadata.name"), was, size);
    Ok(())
}

fn scaled(scene: &Scene<'_>, way: &str, set: &str, from: i64, to: i64) {
    if from != to {
        events::say(scene, CONTROLLER, "Normal", "ScalingReplicaSet", &format!("Scaled {way} replica set {set} from {from} to {to}"));
    }
}

/// An old template is the present one again: its ReplicaSet gets the next number.
fn renumber(scene: &Scene<'_>, stage: &Stage, set: &Value, next: i64) -> Result<(), Refusal> {
    const HISTORY: &str = "deployment.kubernetes.io/revision-history";
    let annotations = &set["metadata"]["annotations"];
    let history = [plain(&annotations[HISTORY]), plain(&annotations[REVISION])].into_iter().filter(|h| !h.is_empty()).collect::<Vec<_>>().join(",");
    patch(scene, SETS, &Key::of(set), stage, json!({"metadata": {"annotations": {REVISION: next.to_string(), HISTORY: history}}}))
}

fn replica_set(scene: &Scene<'_>, hash: &str, revision: i64, limits: &Limits, size: i64) -> Value {
    let object = &scene.object;
    let mut template = object["spec"]["template"].clone();
    crate::machinery::notation::value::object(&mut template, "metadata");
    crate::machinery::notation::value::object(&mut template["metadata"], "labels").insert(HASH.to_owned(), json!(hash));
    let mut selector = object["spec"]["selector"].clone();
    crate::machinery::notation::value::object(&mut selector, "matchLabels").insert(HASH.to_owned(), json!(hash));
    let mut annotations = at(object, "metadata.annotations").cloned().unwrap_or(json!({}));
    if let Some(map) = annotations.as_object_mut() {
        map.retain(|key, _| key != REVISION && key != "kubectl.kubernetes.io/last-applied-configuration");
        map.insert(REVISION.to_owned(), json!(revision.to_string()));
        map.insert("deployment.kubernetes.io/desired-replicas".to_owned(), json!(limits.wanted.to_string()));
        map.insert("deployment.kubernetes.io/max-replicas".to_owned(), json!((limits.wanted + limits.surge).to_string()));
    }
    let mut replica_set = json!({"metadata": {"name": format!("{}-{hash}", text(object, "metadata.name")), "namespace": object["metadata"]["namespace"],
        "labels": template["metadata"]["labels"], "annotations": annotations},
        "spec": {"replicas": size, "selector": selector, "template": template}});
    if let Some(seconds) = at(object, "spec.minReadySeconds") {
        set(&mut replica_set, "spec.minReadySeconds", seconds.clone());
    }
    replica_set
}
