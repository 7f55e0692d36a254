//! Delete: what is answered, preconditions, grace, finalizers, propagation, many at once.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const PODS: &str = "/api/v1/namespaces/{ns}/pods";
const POD: &str = "/api/v1/namespaces/{ns}/pods/a";

cases! {
    config_map: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).await;
        t.delete(MAP).await;
    }
    uid_precondition: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).json(json!({"preconditions": {"uid": "0b2e7c0a-9f0e-4c3b-8c3e-1f2a3b4c5d6e"}})).await;
    }
    version_precondition: |t| {
        let made = t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await.body;
        let version = made["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        t.hide(&version, "<made>");
        t.delete(MAP).json(json!({"preconditions": {"resourceVersion": "1"}})).await;
        t.delete(MAP).json(json!({"preconditions": {"resourceVersion": version}})).await;
    }
    uid_precondition_of_a_namespace: |t| {
        t.delete("/api/v1/namespaces/{ns}").json(json!({"preconditions": {"uid": "0b2e7c0a-9f0e-4c3b-8c3e-1f2a3b4c5d6e"}})).await;
    }
    finalizer_holds: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}})).quiet().await;
        t.delete(MAP).await;
        t.patch("json", MAP, json!([{"op": "remove", "path": "/metadata/finalizers"}])).await;
        t.get(MAP).await;
    }
    finalizer_cannot_be_added_late: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}})).quiet().await;
        t.delete(MAP).quiet().await;
        t.patch("merge", MAP, json!({"metadata": {"finalizers": ["example.com/hold", "example.com/late"]}})).await;
        t.patch("merge", MAP, json!({"metadata": {"finalizers": null}})).quiet().await;
    }
    dry_run: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(&format!("{MAP}?dryRun=All")).await;
        t.get(MAP).only(&["/metadata/name", "/metadata/deletionTimestamp"]).await;
    }
    dry_run_in_the_body: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).json(json!({"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]})).await;
        t.get(MAP).only(&["/metadata/name", "/metadata/deletionTimestamp"]).await;
    }
    dry_run_invalid: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(&format!("{MAP}?dryRun=Some")).await;
    }
    propagation_invalid: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(&format!("{MAP}?propagationPolicy=Sideways")).await;
        t.delete(MAP).json(json!({"propagationPolicy": "Background", "orphanDependents": true})).await;
    }
    options_of_another_kind: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).json(json!({"kind": "ConfigMap", "apiVersion": "v1"})).await;
    }
    options_malformed: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).raw("application/json", "{\"gracePeriodSeconds\":").await;
    }
    grace_invalid: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(&format!("{MAP}?gracePeriodSeconds=x")).await;
    }
    foreground_waits_for_dependents: |t| {
        let owner = t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await.body;
        let reference = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner["metadata"]["uid"], "blockOwnerDeletion": true}]);
        t.post(MAPS, json!({"metadata": {"name": "b", "finalizers": ["example.com/hold"], "ownerReferences": reference}})).quiet().await;
        t.delete(&format!("{MAP}?propagationPolicy=Foreground")).await;
        t.until(&format!("{MAPS}/b"), |o| o.pointer("/metadata/deletionTimestamp").is_some()).await;
        t.patch("merge", &format!("{MAPS}/b"), json!({"metadata": {"finalizers": null}})).quiet().await;
        t.until(MAP, |o| o["code"] == 404).await;
        t.get(MAP).await;
    }
    orphans_stay: |t| {
        let owner = t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await.body;
        let reference = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner["metadata"]["uid"]}]);
        t.post(MAPS, json!({"metadata": {"name": "b", "ownerReferences": reference}})).quiet().await;
        t.delete(&format!("{MAP}?propagationPolicy=Orphan")).await;
        t.until(MAP, |o| o["code"] == 404).await;
        t.get(&format!("{MAPS}/b")).await;
    }
    pod_without_a_node: |t| {
        t.post(PODS, json!({"metadata": {"name": "a"}, "spec": {"schedulingGates": [{"name": "example.com/wait"}], "containers": [{"name": "c", "image": "i:1"}]}})).quiet().await;
        t.delete(POD).only(&["/kind", "/metadata/name", "/metadata/deletionGracePeriodSeconds"]).await;
        t.get(POD).await;
    }
    pod_with_a_grace_period: |t| {
        t.post(PODS, json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}})).quiet().await;
        t.until(POD, |o| o.pointer("/spec/nodeName").is_some()).await;
        t.delete(&format!("{POD}?gracePeriodSeconds=7")).only(&["/kind", "/metadata/name", "/metadata/deletionGracePeriodSeconds", "/metadata/generation"]).await;
        t.delete(&format!("{POD}?gracePeriodSeconds=0")).only(&["/kind", "/metadata/name", "/metadata/deletionGracePeriodSeconds"]).await;
        t.patch("merge", POD, json!({"metadata": {"finalizers": null}})).quiet().any().await;
    }
    many_at_once: |t| {
        for (name, tier) in [("a", "web"), ("b", "db"), ("c", "web")] {
            t.post(MAPS, json!({"metadata": {"name": name, "labels": {"tier": tier}}})).quiet().await;
        }
        t.delete(&format!("{MAPS}?labelSelector=tier%3Dweb")).await;
        t.get(&format!("{MAPS}?labelSelector=tier")).only(&["/items/0/metadata/name", "/items/1"]).await;
    }
    namespaces_at_once: |t| {
        t.delete("/api/v1/namespaces?labelSelector=example.com%2Fnone").await;
    }
    deployment: |t| {
        let deployment = json!({"metadata": {"name": "a"}, "spec": {"replicas": 0, "selector": {"matchLabels": {"x": "y"}},
            "template": {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}});
        t.post("/apis/apps/v1/namespaces/{ns}/deployments", deployment).quiet().await;
        t.delete("/apis/apps/v1/namespaces/{ns}/deployments/a").await;
    }
    protected_namespaces: |t| {
        t.delete("/api/v1/namespaces/default").await;
        t.delete("/api/v1/namespaces/kube-system").await;
    }
}
