//! Bodies that are not what they should be: media types, syntax, kinds, shapes, size.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";

cases! {
    media_type_unknown: |t| {
        t.call("POST", MAPS).raw("text/plain", "metadata: {name: a}").await;
    }
    media_type_of_the_answer_unknown: |t| {
        t.get(MAPS).accept("text/html").await;
    }
    yaml: |t| {
        t.call("POST", MAPS).raw("application/yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n").accept("application/json").await;
    }
    yaml_that_is_none: |t| {
        t.call("POST", MAPS).raw("application/yaml", "metadata: [").accept("application/json").await;
    }
    protobuf_that_is_none: |t| {
        t.call("POST", MAPS).raw("application/vnd.kubernetes.protobuf", "metadata").accept("application/json").await;
    }
    json_cut_short: |t| {
        t.call("POST", MAPS).raw("application/json", "{\"metadata\":").await;
    }
    json_with_a_wrong_character: |t| {
        t.call("POST", MAPS).raw("application/json", "{\"metadata\": x}").await;
    }
    empty: |t| {
        t.call("POST", MAPS).raw("application/json", "").await;
    }
    a_list: |t| {
        t.call("POST", MAPS).raw("application/json", "[1]").await;
    }
    a_list_of_objects: |t| {
        t.post(MAPS, json!({"apiVersion": "v1", "kind": "ConfigMapList", "items": []})).await;
    }
    too_large: |t| {
        let text = format!("{{\"metadata\": {{\"name\": \"a\"}}, \"data\": {{\"k\": \"{}\"}}}}", "x".repeat(3 << 20));
        t.call("POST", MAPS).raw("application/json", text).await;
    }
    kind_that_nobody_knows: |t| {
        t.post(MAPS, json!({"apiVersion": "v1", "kind": "Nonsense", "metadata": {"name": "a"}})).await;
    }
    kind_of_another_group: |t| {
        t.post(MAPS, json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}})).await;
    }
    metadata_is_a_list: |t| {
        t.post(MAPS, json!({"metadata": []})).await;
    }
    name_is_a_number: |t| {
        t.post(MAPS, json!({"metadata": {"name": 5}})).await;
    }
    label_is_a_number: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": 5}}})).await;
    }
    spec_is_a_list: |t| {
        t.post("/api/v1/namespaces/{ns}/pods", json!({"metadata": {"name": "a"}, "spec": []})).await;
    }
    data_is_a_number: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}, "data": {"k": 5}})).await;
    }
}
