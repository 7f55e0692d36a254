//! The named actions of stages: what a patch of one object can't say. They are generic and take their parameters from
//! the stage; each leaves things alone that are as they should be.

mod containers;
mod debuggers;
mod empty;
mod endpoints;
mod everywhere;
mod finite;
mod ordered;
mod pods;
mod report;
mod revisions;
mod roll;
mod schedule;
mod sweep;
mod usage;

use std::sync::Arc;

use serde_json::{Value, json};

use super::collect;
use super::made::NODE;
use super::scene::Scene;
use super::stage::{Stage, Step};
use crate::machinery::notation::clock;
use crate::machinery::notation::value::{set, text};
use crate::machinery::registry::Kind;
use crate::machinery::status::Refusal;
use crate::node::container;
use crate::node::host::Ended;
use crate::server::cluster::{Cluster, DeleteOptions, Patch, PatchOptions, Write};
use crate::server::store::{Entry, Key};

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
        Step::DropFinalizer { name } => collect::without_finalizer(scene.cluster, &kind.table(), &key, name),
        Step::KeepPods { template, count } => pods::keep(scene, stage, template, count),
        Step::KeepOrdered {} => ordered::keep(scene, kind, stage),
        Step::KeepEverywhere {} => everywhere::keep(scene, kind, stage),
        Step::RunToCompletion {} => finite::run(scene, kind, stage),
        Step::Schedule {} => schedule::keep(scene, kind, stage),
        Step::CountPods { fields } => pods::count(scene, kind, stage, fields),
        Step::Roll {} => roll::roll(scene, kind, stage),
        Step::CountUsage {} => usage::count(scene, kind, stage),
        Step::KeepEndpoints {} => endpoints::keep(scene, stage),
        Step::ClaimVolume {} => claim_volume(scene, stage),
        Step::RenewLease {} => renew_lease(scene),
        Step::Sweep {} => sweep::sweep(scene, kind, stage),
        Step::Empty {} => empty::empty(scene, kind, stage),
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

/// Creates an object that this one owns. One that is there already is fine, and not returned.
fn create(scene: &Scene<'_>, stage: &Stage, table: &str, mut object: Value, free: bool) -> Result<Option<Arc<Entry>>, Refusal> {
    crate::machinery::notation::value::prune(&mut object);
    if !free {
        set(&mut object, "metadata.ownerReferences", json!([owner_reference(&scene.object)]));
    }
    let kind = scene.cluster.kind(table)?;
    let namespace = text(&object, "metadata.namespace").to_owned();
    match scene.cluster.create(&kind, &namespace, object, &Write::by(&stage.writer)) {
        Err(refusal) if refusal.reason == "AlreadyExists" => Ok(None),
        made => made.map(Some),
    }
}

fn owner_reference(owner: &Value) -> Value {
    json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true})
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
    if scene.cluster.store.get(&kind.table(), &key).is_some() {
        return scene.cluster.patch(&kind, &key, &Patch::Merge(json!({"spec": now})), PatchOptions::default(), &write).map(drop);
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

/// Writes a status, if it says anything new.
fn write_status(scene: &Scene<'_>, kind: &Kind, stage: &Stage, status: Value) -> Result<(), Refusal> {
    let live = scene.cluster.get(kind, &Key::of(&scene.object))?.value();
    let mut object = live.clone();
    let patch = json!({"status": status});
    crate::machinery::fields::strategic::merge(&kind.shape, &mut object, &patch).map_err(|e| Refusal::internal(format!("a status: {e:?}")))?;
    super::scene::settle(&live, &mut object);
    if object == live {
        return Ok(());
    }
    scene.cluster.update(kind, &Key::of(&live), object, &Write::by(&stage.writer).to("status")).map(drop)
}

/// What a cluster has from the first moment: namespaces, a node, a storage class.
pub(super) fn furnish(cluster: &Cluster) {
    let meta = |name: &str| json!({"metadata": {"name": name}});
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        furnish_one(cluster, "namespaces", "", meta(name));
    }
    furnish_one(cluster, "nodes", "", node());
    let class = json!({"metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "sandbox.kubekcloud.io/simulated"});
    furnish_one(cluster, "storageclasses.storage.k8s.io", "", class);
    let service = json!({"metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}});
    furnish_one(cluster, "services", "default", service);
}

fn furnish_one(cluster: &Cluster, table: &str, namespace: &str, object: Value) {
    let Ok(kind) = cluster.kind(table) else { return };
    match cluster.create(&kind, namespace, object, &Write::by("sandbox")) {
        Err(refusal) if refusal.reason != "AlreadyExists" => tracing::warn!(table, message = refusal.message, "the cluster could not be furnished"),
        _ => {}
    }
}

/// A big node, so that nothing is unschedulable unless asked to be.
fn node() -> Value {
    let now = clock::now();
    let resources = json!({"cpu": "1024", "memory": "4096Gi", "ephemeral-storage": "16384Gi", "pods": "20000", "devices.kubevirt.io/kvm": "1000",
        "devices.kubevirt.io/tun": "1000", "devices.kubevirt.io/vhost-net": "1000"});
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now, "lastTransitionTime": now});
    let labels = json!({"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64", "kubevirt.io/schedulable": "true", "node-role.kubernetes.io/worker": ""});
    json!({"metadata": {"name": NODE, "labels": labels}, "spec": {}, "status": {"capacity": resources, "allocatable": resources,
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": NODE}],
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": "v1.36.3+sandbox", "kubeProxyVersion": "", "osImage": "KubeKCloud sandbox",
            "kernelVersion": "simulated", "containerRuntimeVersion": "simulated://1", "bootID": "sandbox", "machineID": "sandbox", "systemUUID": "sandbox"}}})
}

/// Patches another object than the scene's.
fn patch(scene: &Scene<'_>, table: &str, key: &Key, stage: &Stage, patch: Value) -> Result<(), Refusal> {
    let kind = scene.cluster.kind(table)?;
    let patch = Patch::Merge(patch);
    scene.cluster.patch(&kind, key, &patch, PatchOptions { internal: true }, &Write::by(&stage.writer)).map(drop)
}
