//! Create: names, namespaces, what must not be said.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";

cases! {
    config_map: |t| {
        t.post(MAPS, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}}))
            .with_managed_fields().await;
        t.get(&format!("{MAPS}/a")).await;
    }
    type_may_be_missing: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).await;
    }
    generated_name: |t| {
        t.post(MAPS, json!({"metadata": {"generateName": "web-"}})).await;
    }
    generated_name_from_a_long_prefix: |t| {
        t.post(MAPS, json!({"metadata": {"generateName": "p".repeat(70)}})).await;
    }
    name_wins_over_generate_name: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "generateName": "web-"}})).await;
    }
    cluster_wide: |t| {
        t.clean("/apis/scheduling.k8s.io/v1/priorityclasses/a-{u}");
        t.post("/apis/scheduling.k8s.io/v1/priorityclasses", json!({"metadata": {"name": "a-{u}"}, "value": 5})).await;
    }
    cluster_wide_with_a_namespace: |t| {
        t.post("/apis/scheduling.k8s.io/v1/namespaces/{ns}/priorityclasses", json!({"metadata": {"name": "a-{u}"}, "value": 5})).await;
    }
    without_a_name: |t| {
        t.post(MAPS, json!({"metadata": {}})).await;
    }
    name_invalid: |t| {
        t.post(MAPS, json!({"metadata": {"name": "Not_A.Name-"}})).await;
    }
    name_too_long: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a".repeat(254)}})).await;
    }
    already_exists: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.post(MAPS, json!({"metadata": {"name": "a"}})).await;
    }
    with_a_resource_version: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "resourceVersion": "1"}})).await;
    }
    namespace_of_the_body_differs: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "namespace": "another"}})).await;
    }
    namespace_is_missing: |t| {
        t.post("/api/v1/namespaces/missing-{u}/configmaps", json!({"metadata": {"name": "a"}})).await;
    }
    wrong_kind: |t| {
        t.post(MAPS, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})).await;
    }
    wrong_version: |t| {
        t.post(MAPS, json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}})).await;
    }
    dry_run: |t| {
        t.post(&format!("{MAPS}?dryRun=All"), json!({"metadata": {"name": "a"}})).await;
        t.get(&format!("{MAPS}/a")).await;
    }
    dry_run_invalid: |t| {
        t.post(&format!("{MAPS}?dryRun=Some"), json!({"metadata": {"name": "a"}})).await;
    }
}
