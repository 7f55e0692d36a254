//! What is served, in both forms, and what is not.

use serde_json::{Map, Value, json};

use crate::harness::cases;

/// Group versions that both are held against; KubeVirt's come and go with KubeVirt.
const VERSIONS: &[&str] = &[
    "api/v1",
    "apis/apps/v1",
    "apis/batch/v1",
    "apis/networking.k8s.io/v1",
    "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/storage.k8s.io/v1",
    "apis/coordination.k8s.io/v1",
    "apis/discovery.k8s.io/v1",
    "apis/events.k8s.io/v1",
    "apis/scheduling.k8s.io/v1",
    "apis/apiextensions.k8s.io/v1",
    "apis/authorization.k8s.io/v1",
    "apis/authentication.k8s.io/v1",
];

fn by_subresource(resource: &Value) -> Value {
    let mut resource = resource.clone();
    let list = resource["subresources"].as_array().cloned().unwrap_or_default();
    resource["subresources"] = list.into_iter().map(|s| (s["subresource"].as_str().unwrap_or_default().to_owned(), s)).collect();
    resource
}

cases! {
    resources: |t| {
        for version in VERSIONS {
            let body = t.get(&format!("/{version}")).quiet().await.body;
            let mut by_name = Map::new();
            for resource in body["resources"].as_array().into_iter().flatten() {
                let mut resource = resource.clone();
                let fields = resource.as_object_mut().expect("an object");
                fields.remove("storageVersionHash");
                let name = fields.remove("name").unwrap_or_default();
                by_name.insert(name.as_str().unwrap_or_default().to_owned(), resource);
            }
            t.note(version, json!({"kind": body["kind"], "groupVersion": body["groupVersion"], "resources": by_name}));
        }
    }
    core_versions: |t| {
        t.get("/api").only(&["/kind", "/versions"]).await;
    }
    group: |t| {
        t.get("/apis/apps").await;
    }
    no_such_group: |t| {
        t.get("/apis/nobody.example").await;
        t.get("/apis/nobody.example/v1").await;
        t.get("/apis/nobody.example/v1/namespaces/{ns}/things").await;
    }
    no_such_version: |t| {
        t.get("/apis/apps/v9").await;
        t.get("/apis/apps/v9/namespaces/{ns}/deployments").await;
        t.get("/api/v9").await;
    }
    no_such_resource: |t| {
        t.get("/api/v1/namespaces/{ns}/things").await;
        t.get("/api/v1/things/x").await;
        t.post("/apis/apps/v1/namespaces/{ns}/things", json!({"metadata": {"name": "a"}})).await;
    }
    aggregated: |t| {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let body = t.get("/api").accept(accept).quiet().await.body;
        let pods = body.pointer("/items/0/versions/0/resources").and_then(Value::as_array).into_iter().flatten();
        let pods = pods.clone().find(|r| r["resource"] == "pods").map(by_subresource);
        t.note("pods", json!({"kind": body["kind"], "apiVersion": body["apiVersion"], "pods": pods}));
        let body = t.get("/apis").accept(accept).quiet().await.body;
        let apps = body["items"].as_array().into_iter().flatten().find(|g| g["metadata"]["name"] == "apps").cloned().unwrap_or_default();
        let deployments = apps["versions"][0]["resources"].as_array().into_iter().flatten().find(|r| r["resource"] == "deployments").map(by_subresource);
        t.note("deployments", json!({"version": apps["versions"][0]["version"], "deployments": deployments}));
    }
}
