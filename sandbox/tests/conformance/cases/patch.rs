//! JSON, merge and strategic patches: what they do, what is refused, and what can't be patched.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const WEB: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web";
const WEB_STRICT: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web?fieldValidation=Strict";

async fn map(t: &mut Talk) {
    let object = json!({"metadata": {"name": "a", "labels": {"x": "1", "y": "1"}, "finalizers": ["x.io/a", "x.io/b"]}, "data": {"k": "1", "l": "1"}});
    t.post(MAPS, object).quiet().await;
}

/// Frees what holds the object.
async fn done(t: &mut Talk) {
    t.patch("merge", MAP, json!({"metadata": {"finalizers": null}})).quiet().await;
}

async fn web(t: &mut Talk) {
    let containers = json!([{"name": "a", "image": "i:1", "command": ["x"], "env": [{"name": "E", "value": "1"}, {"name": "F", "value": "1"}]},
        {"name": "b", "image": "i:1", "ports": [{"containerPort": 80}]}, {"name": "c", "image": "i:1"}]);
    let spec = json!({"replicas": 0, "paused": true, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers, "nodeSelector": {"n": "1"},
            "volumes": [{"name": "v", "emptyDir": {}}], "tolerations": [{"key": "t", "operator": "Exists"}]}}});
    t.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "web"}, "spec": spec})).quiet().await;
}

fn pod(spec: Value) -> Value {
    json!({"spec": {"template": {"spec": spec}}})
}

const SPEC: &[&str] = &["/spec"];
const REFUSAL: &[&str] = &["/code", "/reason", "/message", "/details"];
const CODE: &[&str] = &["/code", "/reason"];

cases! {
    json_six_operations: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "test", "path": "/data/k", "value": "1"}, {"op": "add", "path": "/data/m", "value": "1"},
            {"op": "replace", "path": "/data/k", "value": "2"}, {"op": "copy", "from": "/data/k", "path": "/data/n"},
            {"op": "move", "from": "/data/l", "path": "/data/o"}, {"op": "remove", "path": "/metadata/labels/x"}])).await;
        done(t).await;
    }
    json_in_a_list: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "test", "path": "/metadata/finalizers/0", "value": "x.io/a"}, {"op": "remove", "path": "/metadata/finalizers/0"},
            {"op": "add", "path": "/metadata/finalizers/-", "value": "x.io/c"}, {"op": "add", "path": "/metadata/finalizers/0", "value": "x.io/d"}])).await;
        done(t).await;
    }
    json_escaped_path: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "add", "path": "/metadata/labels/a.b~1c", "value": "1"}])).await;
        done(t).await;
    }
    json_test_fails: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "test", "path": "/data/k", "value": "2"}])).await;
        done(t).await;
    }
    json_test_for_nothing: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "test", "path": "/data/none", "value": null}, {"op": "add", "path": "/data/none", "value": "1"}])).await;
        done(t).await;
    }
    json_remove_of_nothing: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "remove", "path": "/data/none"}])).await;
        done(t).await;
    }
    json_replace_of_nothing: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "replace", "path": "/data/none", "value": "1"}])).await;
        done(t).await;
    }
    json_index_out_of_range: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "add", "path": "/metadata/finalizers/9", "value": "x.io/c"}])).await;
        done(t).await;
    }
    json_way_that_is_not_there: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "add", "path": "/spec/none/here", "value": "1"}])).await;
        done(t).await;
    }
    json_unknown_operation: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "nonsense", "path": "/data/k"}])).await;
        done(t).await;
    }
    json_no_list: |t| {
        map(t).await;
        t.patch("json", MAP, json!({"op": "remove", "path": "/data/k"})).await;
        done(t).await;
    }
    json_malformed: |t| {
        map(t).await;
        t.call("PATCH", MAP).raw("application/json-patch+json", "[{]").await;
        done(t).await;
    }
    json_result_of_another_type: |t| {
        map(t).await;
        t.patch("json", MAP, json!([{"op": "replace", "path": "/data", "value": []}])).only(CODE).await;
        done(t).await;
    }
    merge_sets_and_removes: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"labels": {"x": null, "z": "1"}}, "data": {"k": "2", "n": null}})).await;
        done(t).await;
    }
    merge_replaces_lists: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"finalizers": ["x.io/z"]}})).await;
        done(t).await;
    }
    merge_nothing: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({})).await;
        done(t).await;
    }
    merge_list: |t| {
        map(t).await;
        t.patch("merge", MAP, json!([])).await;
        done(t).await;
    }
    merge_malformed: |t| {
        map(t).await;
        t.call("PATCH", MAP).raw("application/merge-patch+json", "{\"data\": }").await;
        done(t).await;
    }
    merge_into_another_type: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"data": "x"})).only(CODE).await;
        done(t).await;
    }
    merge_repeats_a_field: |t| {
        map(t).await;
        t.call("PATCH", "/api/v1/namespaces/{ns}/configmaps/a?fieldValidation=Strict")
            .raw("application/merge-patch+json", r#"{"data": {"k": "1", "k": "2"}}"#).only(CODE).await;
        done(t).await;
    }
    name_stays: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"name": "b"}})).await;
        done(t).await;
    }
    namespace_stays: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"namespace": "other"}})).await;
        done(t).await;
    }
    uid_stays: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"uid": "u"}})).await;
        done(t).await;
    }
    kind_stays: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"kind": "Secret"})).only(CODE).await;
        done(t).await;
    }
    time_and_generation_are_ignored: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"creationTimestamp": null, "generation": 7, "selfLink": "/x", "deletionTimestamp": "2026-01-01T00:00:00Z"}})).await;
        done(t).await;
    }
    stale_version: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"resourceVersion": "1"}})).await;
        done(t).await;
    }
    senseless_version: |t| {
        map(t).await;
        t.patch("merge", MAP, json!({"metadata": {"resourceVersion": "abc"}})).await;
        done(t).await;
    }
    of_nothing: |t| {
        for how in ["json", "merge", "strategic"] {
            t.patch(how, MAP, if how == "json" { json!([]) } else { json!({}) }).await;
        }
    }
    of_another_form: |t| {
        map(t).await;
        t.call("PATCH", MAP).raw("text/plain", "x").await;
        done(t).await;
    }
    force_is_for_apply: |t| {
        t.patch("merge", "/api/v1/namespaces/{ns}/configmaps/a?force=true", json!({})).await;
    }
    strategic_merges_by_key: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"containers": [{"name": "b", "image": "i:2"}, {"name": "d", "image": "i:1"}, {"name": "a", "env": [{"name": "G"}]}]}))).only(SPEC).await;
    }
    strategic_deletes_by_key: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"containers": [{"name": "b", "$patch": "delete"}, {"name": "a", "env": [{"name": "E", "$patch": "delete"}], "command": null}]}))).only(SPEC).await;
    }
    strategic_replaces_a_list: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"containers": [{"$patch": "replace"}, {"name": "z", "image": "i:1"}]}))).only(SPEC).await;
    }
    strategic_replaces_a_map: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"nodeSelector": {"$patch": "replace", "m": "1"}}))).only(SPEC).await;
    }
    strategic_empties_a_map: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"nodeSelector": {"$patch": "delete"}}))).only(SPEC).await;
    }
    strategic_replaces_lists_without_a_key: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"tolerations": [{"key": "u", "operator": "Exists"}], "containers": [{"name": "a", "command": ["y"]}]}))).only(SPEC).await;
    }
    strategic_sets_the_order: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"$setElementOrder/containers": [{"name": "c"}, {"name": "d"}, {"name": "a"}],
            "containers": [{"name": "d", "image": "i:1"}]}))).only(SPEC).await;
    }
    strategic_order_that_contradicts: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"$setElementOrder/containers": [{"name": "d"}, {"name": "a"}],
            "containers": [{"name": "a"}, {"name": "d", "image": "i:1"}]}))).only(REFUSAL).await;
    }
    strategic_scalars: |t| {
        map(t).await;
        t.patch("strategic", MAP, json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["x.io/a"], "finalizers": ["x.io/c", "x.io/b"]}})).await;
        done(t).await;
    }
    strategic_scalars_no_list: |t| {
        map(t).await;
        t.patch("strategic", MAP, json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "x.io/a"}})).await;
        done(t).await;
    }
    strategic_retains_keys: |t| {
        web(t).await;
        t.patch("strategic", WEB, json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})).only(SPEC).await;
    }
    strategic_retains_other_keys: |t| {
        web(t).await;
        t.patch("strategic", WEB, json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}})).only(REFUSAL).await;
    }
    strategic_without_the_key: |t| {
        web(t).await;
        t.patch("strategic", WEB, pod(json!({"containers": [{"image": "i:2"}]}))).only(REFUSAL).await;
    }
    strategic_unknown_directive: |t| {
        web(t).await;
        t.patch("strategic", WEB, json!({"spec": {"$patch": "nonsense"}})).only(REFUSAL).await;
        t.patch("strategic", WEB, pod(json!({"containers": [{"name": "a", "$patch": "merge"}]}))).only(REFUSAL).await;
    }
    strategic_text_for_a_number: |t| {
        web(t).await;
        t.patch("strategic", WEB, json!({"spec": {"replicas": "2"}})).only(REFUSAL).await;
    }
    strategic_unknown_field_refused: |t| {
        web(t).await;
        t.patch("strategic", WEB_STRICT, json!({"spec": {"nonsense": "2"}})).only(REFUSAL).await;
    }
    strategic_list: |t| {
        map(t).await;
        t.patch("strategic", MAP, json!([])).await;
        done(t).await;
    }
    strategic_malformed: |t| {
        map(t).await;
        t.call("PATCH", MAP).raw("application/strategic-merge-patch+json", "{bad").await;
        done(t).await;
    }
    recreate_with_the_rest_of_rolling: |t| {
        web(t).await;
        t.patch("merge", WEB, json!({"spec": {"strategy": {"type": "Recreate"}}})).only(REFUSAL).await;
    }
    unknown_and_repeated_fields_refused: |t| {
        t.call("POST", "/api/v1/namespaces/{ns}/configmaps?fieldValidation=Strict")
            .raw("application/json", r#"{"metadata": {"name": "a", "nonsense": 1}, "data": {"k": "1"}, "data": {}}"#).await;
        t.post("/apis/apps/v1/namespaces/{ns}/deployments?fieldValidation=Strict", json!({"metadata": {"name": "w"}, "spec": {"nonsense": [1]}})).await;
    }
    unknown_fields_are_dropped: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "nonsense": 1}, "data": {"k": "1"}, "nonsense": {"a": []}})).with_managed_fields().await;
    }
    unknown_way_of_validating: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldValidation=Nonsense", json!({"metadata": {"name": "a"}})).await;
    }
    deep_text_for_a_number: |t| {
        t.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "w"}, "spec": {"replicas": "2"}})).await;
        t.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "w"}, "spec": pod(json!({"containers": {}}))["spec"]})).await;
        t.post("/apis/apps/v1/namespaces/{ns}/deployments", json!({"metadata": {"name": "w"}, "spec": pod(json!({"containers": [{"ports": [{"containerPort": true}]}]}))["spec"]})).await;
    }
}
