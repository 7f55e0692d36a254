//! Update: versions, identity, what cannot be changed.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const SECRETS: &str = "/api/v1/namespaces/{ns}/secrets";

cases! {
    replaces: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "1"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "a"}, "data": {"l": "2"}})).with_managed_fields().await;
    }
    stale_version: |t| {
        let old = t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await.body;
        t.patch("merge", MAP, json!({"data": {"k": "1"}})).quiet().await;
        t.put(MAP, old).await;
    }
    missing: |t| {
        t.put(MAP, json!({"metadata": {"name": "a"}})).await;
    }
    missing_with_a_version: |t| {
        t.put(MAP, json!({"metadata": {"name": "a", "resourceVersion": "1"}})).await;
    }
    another_name: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "b"}})).await;
    }
    no_name: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(MAP, json!({"metadata": {}, "data": {"k": "v"}})).await;
    }
    another_namespace: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "a", "namespace": "another"}})).await;
    }
    another_uid: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "a", "uid": "0b2e7c0a-9f0e-4c3b-8c3e-1f2a3b4c5d6e"}})).await;
    }
    version_invalid: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "a", "resourceVersion": "x"}})).await;
    }
    nothing_changes: |t| {
        let made = t.post(MAPS, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).quiet().await.body;
        let again = t.put(MAP, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await.body;
        let same = made["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"];
        t.note("the version stays", json!(same));
    }
    dry_run: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(&format!("{MAP}?dryRun=All"), json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
        t.get(MAP).await;
    }
    dry_run_invalid: |t| {
        t.put(&format!("{MAP}?dryRun=Some"), json!({"metadata": {"name": "a"}})).await;
        t.patch("merge", &format!("{MAP}?dryRun=Some"), json!({})).await;
    }
    of_the_collection: |t| {
        t.put(MAPS, json!({"metadata": {"name": "a"}})).await;
        t.patch("merge", MAPS, json!({})).await;
        t.post(MAP, json!({"metadata": {"name": "a"}})).await;
    }
    immutable_config_map: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}, "immutable": true, "data": {"k": "v"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "a"}, "immutable": true, "data": {"k": "w"}})).await;
        t.put(MAP, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).await;
        t.put(MAP, json!({"metadata": {"name": "a", "labels": {"x": "y"}}, "immutable": true, "data": {"k": "v"}})).await;
    }
    immutable_secret: |t| {
        t.post(SECRETS, json!({"metadata": {"name": "a"}, "immutable": true, "stringData": {"k": "v"}})).quiet().await;
        t.put(&format!("{SECRETS}/a"), json!({"metadata": {"name": "a"}, "immutable": true, "stringData": {"k": "w"}})).await;
    }
    type_of_a_secret: |t| {
        t.post(SECRETS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.put(&format!("{SECRETS}/a"), json!({"metadata": {"name": "a"}, "type": "example.com/other"})).await;
    }
    selector_of_a_deployment: |t| {
        let deployment = |label: &str| json!({"metadata": {"name": "a"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"x": label}},
            "template": {"metadata": {"labels": {"x": label}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}});
        t.post("/apis/apps/v1/namespaces/{ns}/deployments", deployment("y")).quiet().await;
        t.put("/apis/apps/v1/namespaces/{ns}/deployments/a", deployment("z")).await;
    }
    spec_of_a_pod: |t| {
        let pod = |image: &str, policy: &str| json!({"metadata": {"name": "a"}, "spec": {"restartPolicy": policy,
            "schedulingGates": [{"name": "example.com/wait"}], "containers": [{"name": "c", "image": image}]}});
        t.post("/api/v1/namespaces/{ns}/pods", pod("i:1", "Always")).quiet().await;
        t.patch("strategic", "/api/v1/namespaces/{ns}/pods/a", json!({"spec": {"restartPolicy": "Never"}})).only(&["/code", "/reason", "/details/causes/0/field", "/details/causes/0/reason"]).await;
        t.patch("strategic", "/api/v1/namespaces/{ns}/pods/a", json!({"spec": {"containers": [{"name": "c", "image": "i:2"}]}})).only(&["/spec/containers/0/image", "/metadata/generation"]).await;
    }
    role_of_a_binding: |t| {
        let binding = |role: &str| json!({"metadata": {"name": "a"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}});
        t.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings", binding("x")).quiet().await;
        t.put("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings/a", binding("y")).await;
    }
    address_of_a_service: |t| {
        t.post("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}})).quiet().await;
        t.patch("merge", "/api/v1/namespaces/{ns}/services/a", json!({"spec": {"clusterIP": "None"}})).await;
    }
    completions_of_a_job: |t| {
        let job = json!({"metadata": {"name": "a"}, "spec": {"suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]}}}});
        t.post("/apis/batch/v1/namespaces/{ns}/jobs", job).quiet().await;
        t.patch("merge", "/apis/batch/v1/namespaces/{ns}/jobs/a", json!({"spec": {"completions": 3}})).only(&["/code", "/reason", "/message", "/details"]).await;
    }
    spec_of_a_claim: |t| {
        let claim = json!({"metadata": {"name": "a"}, "spec": {"storageClassName": "none", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
        t.post("/api/v1/namespaces/{ns}/persistentvolumeclaims", claim).quiet().await;
        t.patch("merge", "/api/v1/namespaces/{ns}/persistentvolumeclaims/a", json!({"spec": {"accessModes": ["ReadWriteMany"]}})).only(&["/code", "/reason", "/details/causes/0/field", "/details/causes/0/reason"]).await;
    }
    generation_counts_changes_of_the_spec: |t| {
        let deployment = json!({"metadata": {"name": "a"}, "spec": {"replicas": 0, "paused": true, "selector": {"matchLabels": {"x": "y"}},
            "template": {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}});
        let path = "/apis/apps/v1/namespaces/{ns}/deployments/a";
        t.post("/apis/apps/v1/namespaces/{ns}/deployments", deployment).only(&["/metadata/generation"]).await;
        t.patch("merge", path, json!({"metadata": {"labels": {"x": "y"}}})).only(&["/metadata/generation"]).await;
        t.patch("merge", path, json!({"spec": {"minReadySeconds": 3}})).only(&["/metadata/generation"]).await;
    }
}
