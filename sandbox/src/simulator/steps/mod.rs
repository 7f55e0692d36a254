//! The named actions of stages: what a patch of one object can't say. Some are generic and take their parameters from the
//! stage; the others are what one real controller does, and have the name of what it reconciles. Each leaves things alone
//! that are as they should be.

mod containers;
mod cron_job;
mod daemon_set;
mod debuggers;
mod definition;
mod deployment;
mod deployment_status;
mod endpoints;
mod hash;
mod job;
mod namespace;
mod pods;
mod quota;
mod revisions;
mod stateful_set;
pub(super) mod write;

use serde_json::{Value, json};

use super::gc;
use super::scene::Scene;
use super::stage::{Stage, Step};
use crate::machinery::notation::value::text;
use crate::machinery::{notation::clock, registry::Kind, status::Refusal};
use crate::node::{container, host::Ended};
use crate::server::cluster::{DeleteOptions, Patch, Write};
use crate::server::store::Key;
use write::{create, patch};

pub(super) fn carry_out(scene: &Scene<'_>, kind: &Kind, stage: &Stage, step: &Step) -> Result<(), Refusal> {
    let key = Key::of(&scene.object);
    match step {
        Step::Create { table, object, free } => create(scene, stage, table, scene.fill(object), *free).map(drop),
        Step::DeleteChildren { table } => delete_children(scene, table),
        Step::Finish {} => {
            let options = DeleteOptions { grace: Some(0), uid: Some(scene.uid().to_owned()), ..DeleteOptions::default() };
            scene.cluster.delete(kind, &key, &options).map(drop)
        }
        Step::Containers { state, last, restarts, ready, started, status } => {
            let to = containers::To { state, last, restarts: *restarts, ready: *ready, started: *started, status };
            containers::put(scene, kind, stage, &to)
        }
        Step::KeepDebuggers {} => debuggers::keep(scene, kind, stage),
        Step::DropFinalizer { name } => gc::without_finalizer(scene.cluster, &kind.table(), &key, name),
        Step::KeepPods { template, count } => pods::keep(scene, stage, template, count),
        Step::StatefulSet {} => stateful_set::reconcile(scene, kind, stage),
        Step::DaemonSet {} => daemon_set::reconcile(scene, kind, stage),
        Step::Job {} => job::reconcile(scene, kind, stage),
        Step::CronJob {} => cron_job::reconcile(scene, kind, stage),
        Step::CountPods { fields } => pods::count(scene, kind, stage, fields),
        Step::Deployment {} => deployment::reconcile(scene, kind, stage),
        Step::Quota {} => quota::reconcile(scene, kind, stage),
        Step::KeepEndpoints {} => endpoints::reconcile(scene, stage),
        Step::ClaimVolume {} => claim_volume(scene, stage),
        Step::RenewLease {} => renew_lease(scene),
        Step::Namespace {} => namespace::reconcile(scene, kind, stage),
        Step::Definition {} => definition::reconcile(scene, kind, stage),
    }
}

/// Writes, as a kubelet, that the process of a Pod's container has ended, unless it is another life's by now.
pub(super) fn container_ended(scene: &Scene<'_>, kind: &Kind, ended: &Ended) -> Result<(), Refusal> {
    let (name, code) = (ended.container.as_str(), ended.code);
    let same = |status: &Value| status["state"].get("running").is_some() && text(status, "containerID") == ended.id;
    if !container::status(&scene.object, name).is_some_and(same) || debuggers::end(scene, kind, "kubelet", name, code)? {
        return Ok(());
    }
    let state = json!({"terminated": {"exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }}});
    let none = Value::Null;
    let to = containers::To { state: &state, last: &none, restarts: false, ready: true, started: true, status: &none };
    containers::put_some(scene, kind, "kubelet", &to, |one| one == name)
}

/// A volume that is bound by name learns by whom.
fn claim_volume(scene: &Scene<'_>, stage: &Stage) -> Result<(), Refusal> {
    let object = &scene.object;
    let reference = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"],
        "uid": object["metadata"]["uid"]});
    patch(scene, "persistentvolumes", &Key::new("", text(object, "spec.volumeName")), stage, json!({"spec": {"claimRef": reference}}))
}

fn renew_lease(scene: &Scene<'_>) -> Result<(), Refusal> {
    let name = text(&scene.object, "metadata.name");
    let kind = scene.cluster.kind("leases.coordination.k8s.io")?;
    let key = Key::new("kube-node-lease", name);
    let (write, now) = (Write::by("kubelet"), json!({"renewTime": clock::now_micro()}));
    if scene.cluster.lister().get(&kind.table(), &key).is_some() {
        return scene.cluster.patch(&kind, &key, &Patch::Merge(json!({"spec": now})), &write).map(drop);
    }
    let owner = json!({"apiVersion": "v1", "kind": "Node", "name": name, "uid": scene.uid()});
    let lease = json!({"metadata": {"name": name, "ownerReferences": [owner]},
        "spec": {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": clock::now_micro()}});
    scene.cluster.create(&kind, &key.namespace, lease, &write).map(drop)
}

fn delete_children(scene: &Scene<'_>, table: &str) -> Result<(), Refusal> {
    let kind = scene.cluster.kind(table)?;
    for child in scene.children(table).into_iter().filter(|c| !c.deleting) {
        let options = DeleteOptions { uid: Some(child.uid.to_string()), ..DeleteOptions::default() };
        scene.cluster.delete(&kind, &child.key, &options)?;
    }
    Ok(())
}
