//! `managedFields` of plain writes: who owns what after a create, an update, a patch, and how ownership is reset or handed on.

use serde_json::{Value, json};

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps?fieldManager=ann";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=ann";
const MAP_BOB: &str = "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=bob";
const PODS: &str = "/api/v1/namespaces/{ns}/pods?fieldManager=ann&dryRun=All";

fn map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "1"}}, "data": {"k": "1", "l": "1"}})
}

const OWNERS: &[&str] = &["/metadata/managedFields"];

cases! {
    creator_owns_what_is_there: |t| {
        t.post(MAPS, map()).with_managed_fields().await;
    }
    creator_of_a_pod: |t| {
        let container = json!({"name": "c", "image": "i", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}},
            "env": [{"name": "E", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}}], "volumeMounts": [{"name": "v", "mountPath": "/v"}]});
        t.post(PODS, json!({"metadata": {"name": "p"}, "spec": {"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]}}))
            .only(OWNERS).with_managed_fields().await;
    }
    changed_field_changes_hands: |t| {
        t.post(MAPS, map()).quiet().await;
        t.patch("merge", MAP_BOB, json!({"data": {"k": "2"}})).with_managed_fields().await;
    }
    removed_field_is_nobodys: |t| {
        t.post(MAPS, map()).quiet().await;
        t.patch("merge", MAP_BOB, json!({"data": {"k": null}, "metadata": {"labels": null}})).with_managed_fields().await;
    }
    replacing_everything_leaves_no_trace_of_the_creator: |t| {
        t.post(MAPS, map()).quiet().await;
        t.put(MAP_BOB, json!({"metadata": {"name": "a"}, "data": {"z": "1"}})).with_managed_fields().await;
    }
    a_write_that_changes_nothing: |t| {
        let made = t.post(MAPS, map()).quiet().await.body;
        let same = t.patch("merge", MAP_BOB, json!({"data": {"k": "1"}})).with_managed_fields().await.body;
        t.note("same version", json!(made["metadata"]["resourceVersion"] == same["metadata"]["resourceVersion"]));
    }
    one_manager_has_one_entry: |t| {
        t.post(MAPS, map()).quiet().await;
        t.patch("json", MAP, json!([{"op": "add", "path": "/data/m", "value": "1"}])).with_managed_fields().await;
    }
    applying_and_writing_are_two_entries: |t| {
        t.patch("apply", MAP, map()).quiet().await;
        t.patch("merge", MAP, json!({"data": {"m": "1"}})).with_managed_fields().await;
    }
    program_name_without_a_manager: |t| {
        t.call("POST", "/api/v1/namespaces/{ns}/configmaps").json(map()).header("user-agent", "prog/v1 (linux) more").with_managed_fields().await;
    }
    reset_by_one_empty_entry: |t| {
        t.post(MAPS, map()).quiet().await;
        t.patch("merge", MAP, json!({"metadata": {"managedFields": [{}]}})).with_managed_fields().await;
        t.patch("merge", MAP, json!({"data": {"k": "2"}})).with_managed_fields().await;
    }
    reset_by_an_empty_list: |t| {
        t.post(MAPS, map()).quiet().await;
        t.patch("merge", MAP, json!({"metadata": {"managedFields": []}})).with_managed_fields().await;
    }
    senseless_entries_are_not_taken: |t| {
        t.post(MAPS, map()).quiet().await;
        t.patch("merge", MAP, json!({"metadata": {"managedFields": [{"manager": "x", "operation": "Nonsense"}]}})).with_managed_fields().await;
    }
    handed_on_by_a_json_patch: |t| {
        t.post(MAPS, map()).quiet().await;
        let entry = json!({"manager": "kubectl", "operation": "Apply", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {"f:k": {}}}});
        t.patch("json", MAP, json!([{"op": "replace", "path": "/metadata/managedFields", "value": [entry]}])).with_managed_fields().await;
    }
    eleven_writers_are_ten: |t| {
        t.post(MAPS, map()).quiet().await;
        for writer in 0..11 {
            let path = format!("/api/v1/namespaces/{{ns}}/configmaps/a?fieldManager=w{writer:02}");
            t.patch("merge", &path, json!({"data": {format!("w{writer:02}"): "1"}})).quiet().await;
        }
        let names: Vec<Value> = t.get(MAP).quiet().await.body["metadata"]["managedFields"].as_array().into_iter().flatten().map(|e| e["manager"].clone()).collect();
        t.note("how many", json!([names.len(), names.contains(&json!("ancient-changes"))]));
    }
    manager_name_too_long: |t| {
        let path = format!("/api/v1/namespaces/{{ns}}/configmaps/a?fieldManager={}", "x".repeat(129));
        t.patch("merge", &path, json!({})).await;
    }
    manager_name_unprintable: |t| {
        t.patch("merge", "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=a%01b", json!({})).await;
    }
}
