//! Subresources: scale, status, eviction, binding, finalize, and those that are not there.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/{ns}/deployments";
const SCALE: &str = "/apis/apps/v1/namespaces/{ns}/deployments/a/scale";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";

/// A Deployment that makes no Pods.
async fn deployment(t: &mut Talk) -> Value {
    let deployment = json!({"metadata": {"name": "a"}, "spec": {"replicas": 2, "paused": true, "selector": {"matchLabels": {"x": "y"}},
        "template": {"metadata": {"labels": {"x": "y"}}, "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "i:1"}]}}}});
    t.post(DEPLOYMENTS, deployment).quiet().await.body
}

/// A Pod that nobody schedules.
async fn pod(t: &mut Talk) {
    let pod = json!({"metadata": {"name": "a"}, "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "i:1"}]}});
    t.post(PODS, pod).quiet().await;
}

cases! {
    scale_is_read: |t| {
        deployment(t).await;
        t.get(SCALE).only(&["/kind", "/apiVersion", "/metadata", "/spec", "/status/selector"]).await;
    }
    scale_is_put: |t| {
        deployment(t).await;
        t.put(SCALE, json!({"metadata": {"name": "a", "namespace": "{ns}"}, "spec": {"replicas": 3}})).only(&["/kind", "/spec"]).await;
        t.get(&format!("{DEPLOYMENTS}/a")).only(&["/spec/replicas"]).await;
    }
    scale_is_patched: |t| {
        deployment(t).await;
        t.patch("merge", SCALE, json!({"spec": {"replicas": 4}})).only(&["/kind", "/spec"]).await;
        t.patch("strategic", SCALE, json!({"spec": {"replicas": 5}})).only(&["/kind", "/spec"]).await;
        t.patch("json", SCALE, json!([{"op": "replace", "path": "/spec/replicas", "value": 6}])).only(&["/kind", "/spec"]).await;
    }
    scale_below_zero: |t| {
        deployment(t).await;
        t.put(SCALE, json!({"metadata": {"name": "a", "namespace": "{ns}"}, "spec": {"replicas": -1}})).await;
    }
    scale_with_a_stale_version: |t| {
        deployment(t).await;
        t.put(SCALE, json!({"metadata": {"name": "a", "namespace": "{ns}", "resourceVersion": "1"}, "spec": {"replicas": 1}})).await;
    }
    scale_of_a_missing_one: |t| {
        t.get(SCALE).await;
        t.put(SCALE, json!({"metadata": {"name": "a", "namespace": "{ns}"}, "spec": {"replicas": 1}})).await;
    }
    scale_of_another_kind: |t| {
        deployment(t).await;
        t.put(SCALE, json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"replicas": 1}})).await;
    }
    status_leaves_the_spec_alone: |t| {
        pod(t).await;
        let status = json!({"spec": {"activeDeadlineSeconds": 5}, "metadata": {"labels": {"x": "y"}}, "status": {"message": "set"}});
        t.patch("merge", &format!("{PODS}/a/status"), status).only(&["/metadata/labels", "/spec/activeDeadlineSeconds", "/status/message"]).await;
    }
    spec_leaves_the_status_alone: |t| {
        pod(t).await;
        let change = json!({"metadata": {"labels": {"x": "y"}}, "status": {"message": "set"}});
        t.patch("merge", &format!("{PODS}/a"), change).only(&["/metadata/labels", "/status/message", "/status/phase"]).await;
    }
    status_of_a_kind_without: |t| {
        t.get("/api/v1/namespaces/{ns}/configmaps/a/status").await;
        t.put("/api/v1/namespaces/{ns}/configmaps/a/status", json!({"metadata": {"name": "a"}})).await;
    }
    status_cannot_be_created_or_deleted: |t| {
        pod(t).await;
        t.post(&format!("{PODS}/a/status"), json!({})).await;
        t.delete(&format!("{PODS}/a/status")).await;
    }
    unknown: |t| {
        pod(t).await;
        t.get(&format!("{PODS}/a/nonsense")).await;
        t.get(&format!("{DEPLOYMENTS}/a/eviction")).await;
    }
    eviction: |t| {
        pod(t).await;
        t.post(&format!("{PODS}/a/eviction"), json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": "{ns}"}})).await;
        t.until(&format!("{PODS}/a"), |o| o["code"] == 404).await;
        t.post(&format!("{PODS}/a/eviction"), json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a", "namespace": "{ns}"}})).await;
    }
    eviction_of_another_name: |t| {
        pod(t).await;
        t.post(&format!("{PODS}/a/eviction"), json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "b"}})).await;
    }
    eviction_dry_run: |t| {
        pod(t).await;
        let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}, "deleteOptions": {"dryRun": ["All"]}});
        t.post(&format!("{PODS}/a/eviction"), eviction).await;
        t.get(&format!("{PODS}/a")).only(&["/metadata/name", "/metadata/deletionTimestamp"]).await;
    }
    binding: |t| {
        pod(t).await;
        t.post(&format!("{PODS}/a/binding"), json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "nowhere"}})).await;
        t.get(&format!("{PODS}/a")).only(&["/spec/nodeName"]).await;
        t.post(&format!("{PODS}/a/binding"), json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "nowhere"}})).await;
    }
    binding_to_nothing: |t| {
        pod(t).await;
        t.post(&format!("{PODS}/a/binding"), json!({"metadata": {"name": "a"}, "target": {}})).await;
    }
    account_token: |t| {
        let path = "/api/v1/namespaces/{ns}/serviceaccounts/default/token";
        t.post(path, json!({"spec": {"expirationSeconds": 600}})).only(&["/kind", "/apiVersion", "/metadata/name", "/spec/expirationSeconds"]).await;
    }
    log_of_a_missing_pod: |t| {
        t.get(&format!("{PODS}/a/log")).await;
    }
    log_of_a_pod_without_a_node: |t| {
        pod(t).await;
        t.get(&format!("{PODS}/a/log")).await;
        t.get(&format!("{PODS}/a/log?container=x")).await;
    }
}
