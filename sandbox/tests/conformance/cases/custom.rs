//! Kinds that come with a CustomResourceDefinition.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{u}.example.com";
const GROUP: &str = "/apis/{u}.example.com";
const THINGS: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/things";
const THING: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/things/a";

fn definition() -> Value {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "minimum": 1}, "mode": {"type": "string", "enum": ["fast", "slow"], "default": "slow"},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "value": {"type": "string"}}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}, "replicas": {"type": "integer"}}}}});
    json!({"metadata": {"name": "things.{u}.example.com"}, "spec": {"group": "{u}.example.com", "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing", "shortNames": ["th{u}"], "categories": ["all"]},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.replicas"}},
            "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
                {"name": "Phase", "type": "string", "jsonPath": ".status.phase", "priority": 1}]}]}})
}

/// The definition, and its kind served.
async fn defined(t: &mut Talk) {
    t.clean(CRD);
    t.post(CRDS, definition()).quiet().await;
    t.until(THINGS, |list| list["kind"] == "ThingList").await;
}

cases! {
    definition_is_accepted: |t| {
        t.clean(CRD);
        t.post(CRDS, definition()).await;
        let established = |o: &Value| o["status"]["conditions"].as_array().is_some_and(|c| c.iter().any(|c| c["type"] == "Established" && c["status"] == "True"));
        t.until(CRD, established).await;
        t.get(CRD).only(&["/status", "/metadata/generation"]).await;
    }
    definition_under_a_wrong_name: |t| {
        let mut crd = definition();
        crd["metadata"]["name"] = json!("other.{u}.example.com");
        t.post(CRDS, crd).await;
    }
    definition_without_a_schema: |t| {
        let mut crd = definition();
        crd["spec"]["versions"][0].as_object_mut().expect("a version").remove("schema");
        t.post(CRDS, crd).await;
    }
    definition_of_a_wrong_scope: |t| {
        let mut crd = definition();
        crd["spec"]["scope"] = json!("Galactic");
        t.post(CRDS, crd).await;
    }
    definition_without_a_stored_version: |t| {
        let mut crd = definition();
        crd["spec"]["versions"][0]["storage"] = json!(false);
        t.post(CRDS, crd).await;
    }
    discovered: |t| {
        defined(t).await;
        t.get(GROUP).await;
        let list = t.get(&format!("{GROUP}/v1")).quiet().await.body;
        let mut list = list["resources"].clone();
        list.as_array_mut().expect("a list").iter_mut().for_each(|r| { r.as_object_mut().expect("a resource").remove("storageVersionHash"); });
        t.note("resources", list);
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let all = t.get("/apis").accept(accept).quiet().await.body;
        let group = all["items"].as_array().into_iter().flatten().find(|g| g["metadata"]["name"].as_str().is_some_and(|n| n.ends_with(".example.com") && g.to_string().contains("\"Thing\"")));
        t.note("aggregated", json!(group.map(|g| &g["versions"][0]["resources"]).is_some()));
    }
    created: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 3, "mode": "fast"}})).with_managed_fields().await;
        t.get(THING).await;
    }
    listed: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"mode": "fast"}})).quiet().await;
        t.get(THINGS).await;
    }
    defaulted_and_pruned: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 3, "unknown": 1, "free": {"kept": 1}}, "other": 2})).await;
    }
    status_at_creation_is_dropped: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"mode": "fast"}, "status": {"phase": "x"}})).await;
    }
    refused_by_its_schema: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 0, "mode": "odd"}})).await;
    }
    refused_by_its_type: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": "three"}})).await;
    }
    without_its_type: |t| {
        defined(t).await;
        t.post(THINGS, json!({"metadata": {"name": "a"}})).await;
    }
    of_another_kind: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Other", "metadata": {"name": "a"}})).await;
        t.post(THINGS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})).await;
    }
    name_invalid: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "Not_A_Name"}})).await;
    }
    missing_and_taken: |t| {
        defined(t).await;
        t.get(THING).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})).quiet().await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})).await;
    }
    update_needs_a_version: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})).quiet().await;
        t.put(THING, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 2}})).await;
    }
    strategic_patch: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})).quiet().await;
        t.patch("strategic", THING, json!({"spec": {"size": 2}})).await;
    }
    merge_patch: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"mode": "fast"}})).quiet().await;
        t.patch("merge", THING, json!({"spec": {"size": 2}})).with_managed_fields().await;
    }
    apply_with_keyed_lists: |t| {
        defined(t).await;
        let thing = |parts: Value, tags: Value| json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"mode": "fast", "parts": parts, "tags": tags}});
        t.patch("apply", &format!("{THING}?fieldManager=one"), thing(json!([{"name": "p", "value": "1"}]), json!(["x"]))).with_managed_fields().await;
        t.patch("apply", &format!("{THING}?fieldManager=two"), thing(json!([{"name": "q", "value": "2"}]), json!(["y"]))).with_managed_fields().await;
    }
    status: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"mode": "fast"}})).quiet().await;
        t.patch("merge", &format!("{THING}/status"), json!({"metadata": {"labels": {"x": "y"}}, "spec": {"size": 9}, "status": {"phase": "Ready"}})).with_managed_fields().await;
        t.patch("merge", THING, json!({"spec": {"size": 2}, "status": {"phase": "Other"}})).only(&["/spec", "/status", "/metadata/generation"]).await;
    }
    scale: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 3}})).quiet().await;
        t.get(&format!("{THING}/scale")).await;
        t.patch("merge", &format!("{THING}/scale"), json!({"spec": {"replicas": 5}})).only(&["/spec"]).await;
        t.get(THING).only(&["/spec"]).await;
    }
    table: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"size": 3, "mode": "fast"}})).quiet().await;
        t.get(THINGS).accept("application/json;as=Table;v=v1;g=meta.k8s.io").await;
    }
    deleted: |t| {
        defined(t).await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": {"mode": "fast"}})).quiet().await;
        t.delete(THING).await;
    }
    definition_goes_with_its_objects: |t| {
        t.post(CRDS, definition()).quiet().await;
        t.until(THINGS, |list| list["kind"] == "ThingList").await;
        t.post(THINGS, json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}})).quiet().await;
        t.delete(CRD).only(&["/kind", "/metadata/name", "/status/conditions"]).await;
        t.until(CRD, |o| o["code"] == 404).await;
        t.until(GROUP, |o| o.is_null() || o["code"] == 404).await;
        t.get(THING).await;
    }
}
