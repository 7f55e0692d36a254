//! The EndpointSlices and Endpoints of a Service: the addresses of the Pods that its selector selects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{scene::Scene, stage::Stage};
use super::hash::hash;
use super::pods;
use super::write::{create, patch};
use crate::machinery::notation::value::{at, list, number, plain, text};
use crate::machinery::status::Refusal;
use crate::server::cluster::DeleteOptions;
use crate::server::store::{Entry, Key};

const SLICES: &str = "endpointslices.discovery.k8s.io";
/// Endpoints in one slice, and addresses in an Endpoints object.
const IN_SLICE: usize = 100;
const IN_ENDPOINTS: usize = 1_000;

pub(super) fn reconcile(scene: &Scene<'_>, stage: &Stage) -> Result<(), Refusal> {
    let service = &scene.object;
    let Some(selector) = at(service, "spec.selector").and_then(Value::as_object).filter(|s| !s.is_empty()) else { return Ok(()) };
    if text(service, "spec.type") == "ExternalName" {
        return Ok(());
    }
    let selected = |pod: &Arc<Entry>| selector.iter().all(|(key, value)| pod.label(key) == value.as_str());
    let all = scene.cluster.lister().list("pods", scene.namespace());
    let pods: Vec<Arc<Entry>> = all.into_iter().filter(|p| selected(p) && !p.field("status.podIP").is_empty() && !pods::finished(p)).collect();
    let early = service["spec"]["publishNotReadyAddresses"] == true;
    let ready: Vec<bool> = pods.iter().map(|p| early || pods::ready_since(p).is_some()).collect();
    let ports = ports(service, pods.first().map(|p| p.value()).as_ref());
    slices(scene, stage, &pods, &ready, &ports)?;
    endpoints(scene, stage, &pods, &ready, &ports)
}

/// The ports as Pods have them: a name is looked up in the first Pod.
fn ports(service: &Value, pod: Option<&Value>) -> Vec<Value> {
    let named = |name: &str| {
        let containers = list(pod?, "spec.containers").iter().flat_map(|c| list(c, "ports"));
        containers.into_iter().find(|p| text(p, "name") == name).and_then(|p| number(p, "containerPort"))
    };
    let resolve = |port: &Value| match at(port, "targetPort") {
        Some(Value::String(name)) => named(name),
        Some(number) => number.as_i64(),
        None => number(port, "port"),
    };
    let one = |port: &Value| {
        let mut found = json!({"name": text(port, "name"), "port": resolve(port)?, "protocol": text(port, "protocol")});
        if let Some(protocol) = at(port, "appProtocol") {
            found["appProtocol"] = protocol.clone();
        }
        Some(found)
    };
    list(service, "spec.ports").iter().filter_map(one).collect()
}

fn target(pod: &Entry) -> Value {
    json!({"kind": "Pod", "name": pod.key.name, "namespace": pod.key.namespace, "uid": pod.uid})
}

fn slices(scene: &Scene<'_>, stage: &Stage, pods: &[Arc<Entry>], ready: &[bool], ports: &[Value]) -> Result<(), Refusal> {
    let name = text(&scene.object, "metadata.name");
    let one = |(pod, ready): (&Arc<Entry>, &bool)| {
        json!({"addresses": [pod.field("status.podIP")], "nodeName": pod.field("spec.nodeName"), "targetRef": target(pod),
            "conditions": {"ready": *ready && !pod.deleting, "serving": ready, "terminating": pod.deleting}})
    };
    let all: Vec<Value> = pods.iter().zip(ready).map(one).collect();
    let mut chunks: Vec<&[Value]> = all.chunks(IN_SLICE).collect();
    if chunks.is_empty() {
        chunks.push(&[]);
    }
    let mut labels = at(&scene.object, "metadata.labels").cloned().unwrap_or(json!({}));
    labels["kubernetes.io/service-name"] = json!(name);
    labels["endpointslice.kubernetes.io/managed-by"] = json!("endpointslice-controller.k8s.io");
    if scene.object["spec"]["clusterIP"] == "None" {
        labels["service.kubernetes.io/headless"] = json!("");
    }
    let ports = if ports.is_empty() { Value::Null } else { json!(ports) };
    let mut kept = Vec::new();
    for (index, chunk) in chunks.into_iter().enumerate() {
        let slice = format!("{name}-{}", hash(&json!([scene.uid(), index])).get(..5).unwrap_or_default());
        let object = json!({"metadata": {"name": slice, "namespace": scene.namespace(), "labels": labels}, "addressType": "IPv4", "endpoints": chunk, "ports": ports});
        put(scene, stage, SLICES, &object)?;
        kept.push(slice);
    }
    let kind = scene.cluster.kind(SLICES)?;
    for slice in scene.children(SLICES).iter().filter(|s| !kept.iter().any(|k| **k == *s.key.name)) {
        scene.cluster.delete(&kind, &slice.key, &DeleteOptions::default())?;
    }
    Ok(())
}

fn endpoints(scene: &Scene<'_>, stage: &Stage, pods: &[Arc<Entry>], ready: &[bool], ports: &[Value]) -> Result<(), Refusal> {
    let address = |pod: &Arc<Entry>| json!({"ip": pod.field("status.podIP"), "nodeName": pod.field("spec.nodeName"), "targetRef": target(pod)});
    let of = |wanted: bool| -> Vec<Value> {
        let these = pods.iter().zip(ready).filter(|(pod, ready)| **ready == wanted && !pod.deleting);
        these.take(IN_ENDPOINTS).map(|(pod, _)| address(pod)).collect()
    };
    let mut subset = json!({});
    for (field, addresses) in [("addresses", of(true)), ("notReadyAddresses", of(false)), ("ports", ports.iter().map(unnamed).collect())] {
        if !addresses.is_empty() {
            subset[field] = Value::Array(addresses);
        }
    }
    let some = subset.get("addresses").is_some() || subset.get("notReadyAddresses").is_some();
    let mut labels = at(&scene.object, "metadata.labels").cloned().unwrap_or(json!({}));
    labels["endpoints.kubernetes.io/managed-by"] = json!("endpoint-controller");
    let object = json!({"metadata": {"name": scene.object["metadata"]["name"], "namespace": scene.namespace(), "labels": labels},
        "subsets": if some { json!([subset]) } else { Value::Null }});
    put(scene, stage, "endpoints", &object)
}

/// An Endpoints object leaves an empty name out.
fn unnamed(port: &Value) -> Value {
    let mut port = port.clone();
    if plain(&port["name"]).is_empty() {
        crate::machinery::notation::value::remove(&mut port, "name");
    }
    port
}

/// Creates an object, or changes it to what it should be.
fn put(scene: &Scene<'_>, stage: &Stage, table: &str, object: &Value) -> Result<(), Refusal> {
    let key = Key::of(object);
    if scene.cluster.lister().get(table, &key).is_some() {
        return patch(scene, table, &key, stage, object.clone());
    }
    create(scene, stage, table, object.clone(), false).map(drop)
}
