//! A StatefulSet: Pods by number, made from the lowest, taken from the highest, replaced from the highest down to the
//! partition; each with claims of its own, which stay.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{scene::Scene, stage::Stage};
use super::write::{create, write_status};
use super::{pods, revisions};
use crate::machinery::notation::value::{list, number, set, text};
use crate::machinery::{registry::Kind, status::Refusal};
use crate::server::store::Entry;

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let object = &scene.object;
    let name = text(object, "metadata.name");
    let update = format!("{name}-{}", revisions::keep(scene, stage)?);
    let current = match text(object, "status.currentRevision") {
        "" => update.clone(),
        current => current.to_owned(),
    };
    let acted = act(scene, stage, &current, &update);
    status(scene, kind, stage, &current, &update)?;
    acted
}

/// The first thing that is to be done; the rest waits until the Pod is as it should be, unless order doesn't matter.
fn act(scene: &Scene<'_>, stage: &Stage, current: &str, update: &str) -> Result<(), Refusal> {
    let object = &scene.object;
    let first = number(object, "spec.ordinals.start").unwrap_or(0);
    let wanted = number(object, "spec.replicas").unwrap_or(1).min(i64::try_from(pods::MOST).unwrap_or(i64::MAX));
    let ordered = text(object, "spec.podManagementPolicy") != "Parallel";
    let partition = number(object, "spec.updateStrategy.rollingUpdate.partition").unwrap_or(0);
    let found = scene.children("pods");
    let of = |ordinal: i64| found.iter().find(|p| *p.key.name == *named(object, ordinal));
    for ordinal in first..first + wanted {
        match of(ordinal) {
            None => {
                let revision = if ordinal < partition { current } else { update };
                make(scene, stage, ordinal, revision)?;
            }
            Some(pod) if pods::finished(pod) && !pod.deleting => pods::drop_one(scene, pod)?,
            Some(pod) if !pod.deleting && pods::ready_since(pod).is_some() => continue,
            Some(_) => {}
        }
        if ordered {
            return Ok(());
        }
    }
    let mut surplus: Vec<&Arc<Entry>> = found.iter().filter(|p| !(first..first + wanted).any(|o| *p.key.name == *named(object, o))).collect();
    surplus.sort_by_key(|p| std::cmp::Reverse(ordinal(p)));
    for pod in &surplus {
        if !pod.deleting {
            pods::drop_one(scene, pod)?;
        }
        if ordered {
            return Ok(());
        }
    }
    if text(object, "spec.updateStrategy.type") == "OnDelete" {
        return Ok(());
    }
    for pod in (first.max(partition)..first + wanted).rev().filter_map(of) {
        if pod.label(revisions::HASH) != Some(update) && !pod.deleting {
            return pods::drop_one(scene, pod);
        }
        if pod.deleting || pods::ready_since(pod).is_none() {
            return Ok(());
        }
    }
    Ok(())
}

fn named(object: &Value, ordinal: i64) -> String {
    format!("{}-{ordinal}", text(object, "metadata.name"))
}

fn ordinal(pod: &Entry) -> i64 {
    pod.key.name.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(0)
}

fn make(scene: &Scene<'_>, stage: &Stage, ordinal: i64, revision: &str) -> Result<(), Refusal> {
    let name = named(&scene.object, ordinal);
    let mut pod = pods::pod(scene, &revisions::template(scene, revision));
    crate::machinery::notation::value::remove(&mut pod, "metadata.generateName");
    set(&mut pod, "metadata.name", json!(name));
    set(&mut pod, "spec.hostname", json!(name));
    set(&mut pod, "spec.subdomain", scene.object["spec"]["serviceName"].clone());
    let labels = [
        ("statefulset.kubernetes.io/pod-name", name.clone()),
        ("apps.kubernetes.io/pod-index", ordinal.to_string()),
        (revisions::HASH, revision.to_owned()),
    ];
    for (label, value) in labels {
        crate::machinery::notation::value::object(&mut pod["metadata"], "labels").insert(label.to_owned(), json!(value));
    }
    for template in list(&scene.object, "spec.volumeClaimTemplates") {
        let volume = text(template, "metadata.name");
        let claim = format!("{volume}-{name}");
        let object = json!({"metadata": {"name": claim, "namespace": scene.namespace(), "labels": scene.object["spec"]["selector"]["matchLabels"],
            "annotations": template["metadata"]["annotations"]}, "spec": template["spec"]});
        create(scene, stage, "persistentvolumeclaims", object, true)?;
        let mut volumes: Vec<Value> = list(&pod, "spec.volumes").iter().filter(|v| text(v, "name") != volume).cloned().collect();
        volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}}));
        set(&mut pod, "spec.volumes", Value::Array(volumes));
    }
    pods::make(scene, stage, pod)
}

fn status(scene: &Scene<'_>, kind: &Kind, stage: &Stage, current: &str, update: &str) -> Result<(), Refusal> {
    let all: Vec<Arc<Entry>> = scene.children("pods").into_iter().filter(|p| !pods::finished(p)).collect();
    let alive: Vec<Arc<Entry>> = all.iter().filter(|p| !p.deleting).cloned().collect();
    let (ready, available) = pods::count_ready(scene, &alive);
    let of = |revision: &str| alive.iter().filter(|p| p.label(revisions::HASH) == Some(revision)).count();
    let wanted = usize::try_from(number(&scene.object, "spec.replicas").unwrap_or(1)).unwrap_or(0);
    let done = of(update) == wanted && all.len() == wanted && ready == wanted;
    let current = if done { update } else { current };
    let or_none = |n: usize| if n == 0 { Value::Null } else { json!(n) };
    let status = json!({"observedGeneration": scene.object["metadata"]["generation"], "replicas": all.len(), "readyReplicas": or_none(ready),
        "availableReplicas": available, "currentReplicas": or_none(of(current)), "updatedReplicas": or_none(of(update)), "currentRevision": current,
        "updateRevision": update, "collisionCount": 0});
    write_status(scene, kind, stage, status)
}
