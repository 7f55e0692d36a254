//! Server-side apply: merging, owning, dropping, conflicts, and what is refused.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const ANN: &str = "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=ann";
const BOB: &str = "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=bob";
const BOB_FORCES: &str = "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=bob&force=true";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const WEB: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web?fieldManager=ann";
const WEB_BOB: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web?fieldManager=bob";
const WEB_BOB_FORCES: &str = "/apis/apps/v1/namespaces/{ns}/deployments/web?fieldManager=bob&force=true";

fn map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

fn labelled(labels: Value, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": labels}, "data": data})
}

/// A Deployment that no controller touches but for its status.
fn web(containers: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 0, "paused": true,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers}}}})
}

fn one(fields: Value) -> Value {
    let mut container = json!({"name": "c", "image": "i:1"});
    container.as_object_mut().expect("a map").extend(fields.as_object().expect("fields").clone());
    web(json!([container]))
}

/// What a controller may add meanwhile is not looked at.
const SPEC: &[&str] = &["/spec"];
const STATUS: &[&str] = &["/code", "/reason", "/message", "/details"];

const WIDGETS: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/widgets";
const WIDGET: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/widgets/w?fieldManager=ann";
const WIDGET_BOB: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/widgets/w?fieldManager=bob";
const WIDGET_STATUS: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/widgets/w/status?fieldManager=ann";

async fn define(t: &mut Talk) {
    let keyed = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "p"], "items": {"type": "object",
        "required": ["k"], "properties": {"k": {"type": "string"}, "p": {"type": "string", "default": "x"}, "v": {"type": "integer"}}}});
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {"text": {"type": "string"}, "size": {"type": "integer", "default": 3}, "keyed": keyed, "map": texts,
            "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
            "list": {"type": "array", "items": {"type": "string"}}, "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}});
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.{u}.example.com"},
        "spec": {"group": "{u}.example.com", "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}});
    t.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd).quiet().await;
    t.clean("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{u}.example.com");
    t.until(WIDGETS, |list| list["kind"] == "WidgetList").await;
}

fn widget(spec: Value) -> Value {
    json!({"apiVersion": "{u}.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": spec})
}

cases! {
    creates: |t| {
        t.patch("apply", ANN, labelled(json!({"x": "y"}), json!({"k": "1"}))).with_managed_fields().await;
    }
    again_changes_nothing: |t| {
        t.patch("apply", ANN, map(json!({"k": "1"}))).quiet().await;
        let first = t.get(MAP).quiet().await.body;
        let again = t.patch("apply", ANN, map(json!({"k": "1"}))).with_managed_fields().await.body;
        t.note("same version", json!(first["metadata"]["resourceVersion"] == again["metadata"]["resourceVersion"]));
    }
    dropped_field_goes: |t| {
        t.patch("apply", ANN, labelled(json!({"x": "y"}), json!({"k": "1", "l": "1"}))).quiet().await;
        t.patch("apply", ANN, map(json!({"k": "1"}))).with_managed_fields().await;
    }
    dropped_field_of_two_owners_stays: |t| {
        t.patch("apply", ANN, map(json!({"k": "1", "l": "1"}))).quiet().await;
        t.patch("apply", BOB, map(json!({"l": "1"}))).with_managed_fields().await;
        t.patch("apply", ANN, map(json!({"k": "1"}))).with_managed_fields().await;
        t.patch("apply", BOB, map(json!({}))).with_managed_fields().await;
    }
    all_dropped: |t| {
        t.patch("apply", ANN, map(json!({"k": "1"}))).quiet().await;
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})).with_managed_fields().await;
    }
    one_conflict: |t| {
        t.patch("apply", ANN, map(json!({"k": "1"}))).quiet().await;
        t.patch("apply", BOB, map(json!({"k": "2"}))).await;
    }
    many_conflicts_of_one_manager: |t| {
        t.patch("apply", ANN, labelled(json!({"x": "1"}), json!({"k": "1", "l": "1"}))).quiet().await;
        t.patch("apply", BOB, labelled(json!({"x": "2"}), json!({"k": "2", "l": "2"}))).await;
    }
    conflict_with_a_plain_writer: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldManager=ann", map(json!({"k": "1"}))).quiet().await;
        t.patch("apply", BOB, map(json!({"k": "2"}))).await;
    }
    conflict_with_a_subresource: |t| {
        define(t).await;
        t.post(WIDGETS, widget(json!({"text": "1"}))).quiet().await;
        t.patch("merge", WIDGET_STATUS, json!({"status": {"phase": "A"}})).quiet().await;
        let mut other = widget(json!({}));
        other["status"] = json!({"phase": "B"});
        t.patch("apply", "/apis/{u}.example.com/v1/namespaces/{ns}/widgets/w/status?fieldManager=bob", other).await;
    }
    force_takes: |t| {
        t.patch("apply", ANN, map(json!({"k": "1", "l": "1"}))).quiet().await;
        t.patch("apply", BOB_FORCES, map(json!({"k": "2"}))).with_managed_fields().await;
    }
    empty_maps_are_leaves: |t| {
        t.patch("apply", ANN, labelled(json!({}), json!({"k": "1"}))).with_managed_fields().await;
        t.patch("apply", BOB, labelled(json!({}), json!({"k": "2"}))).await;
    }
    same_value_is_shared: |t| {
        t.patch("apply", ANN, map(json!({"k": "1"}))).quiet().await;
        let joined = t.patch("apply", BOB, map(json!({"k": "1"}))).with_managed_fields().await.body;
        let times: Vec<bool> = joined["metadata"]["managedFields"].as_array().expect("entries").iter().map(|e| e["time"].is_string()).collect();
        t.note("has a time", json!(times));
    }
    over_an_untracked_object: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", map(json!({"k": "1", "l": "1"}))).quiet().await;
        t.patch("merge", MAP, json!({"metadata": {"managedFields": [{}]}})).with_managed_fields().await;
        t.patch("apply", ANN, map(json!({"k": "1", "m": "1"}))).with_managed_fields().await;
        t.patch("apply", BOB, map(json!({"l": "2"}))).await;
    }
    finalizers_are_a_set: |t| {
        let held = |finalizers: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "finalizers": finalizers}});
        t.patch("apply", ANN, held(json!(["x.io/a", "x.io/b"]))).quiet().await;
        t.patch("apply", BOB, held(json!(["x.io/c", "x.io/b"]))).with_managed_fields().await;
        t.patch("apply", ANN, held(json!([]))).with_managed_fields().await;
        t.patch("merge", MAP, json!({"metadata": {"finalizers": null}})).quiet().await;
    }
    owner_references_are_keyed_by_uid: |t| {
        let owner = |uid: &str, name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid});
        let owned = |owners: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "ownerReferences": owners}});
        let ns = "/api/v1/namespaces/{ns}/secrets/s?dryRun=All&fieldManager=ann";
        t.patch("apply", ns, owned(json!([owner("u-1", "one"), owner("u-2", "two")]))).with_managed_fields().await;
    }
    null_is_a_value: |t| {
        t.patch("apply", ANN, map(json!({"k": "1"}))).quiet().await;
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": null})).with_managed_fields().await;
    }
    deployment_defaults_are_nobodys: |t| {
        t.patch("apply", WEB, one(json!({"ports": [{"containerPort": 80}], "env": [{"name": "E", "value": "1"}]}))).with_managed_fields().await;
    }
    containers_are_keyed_by_name: |t| {
        t.patch("apply", WEB, web(json!([{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:1"}]))).quiet().await;
        t.patch("apply", WEB_BOB, web(json!([{"name": "z", "image": "i:1"}, {"name": "b", "image": "i:1"}]))).only(SPEC).await;
        t.patch("apply", WEB, web(json!([{"name": "b", "image": "i:1"}]))).only(SPEC).await;
    }
    order_follows_the_configuration: |t| {
        let named = |names: &[&str]| web(names.iter().map(|n| json!({"name": n, "image": "i:1"})).collect());
        t.patch("apply", WEB, named(&["a", "b", "c", "d"])).quiet().await;
        t.patch("apply", WEB_BOB, named(&["d", "x", "b"])).only(SPEC).await;
    }
    ports_are_keyed_by_number_and_protocol: |t| {
        t.patch("apply", WEB, one(json!({"ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]}))).quiet().await;
        t.patch("apply", WEB, one(json!({"ports": [{"containerPort": 53, "protocol": "UDP", "name": "dns"}]}))).only(SPEC).await;
    }
    nested_conflict: |t| {
        t.patch("apply", WEB, one(json!({"env": [{"name": "E", "value": "1"}]}))).quiet().await;
        t.patch("apply", WEB_BOB, one(json!({"image": "i:2", "env": [{"name": "E", "value": "2"}]}))).only(STATUS).await;
    }
    atomic_lists_conflict_as_a_whole: |t| {
        t.patch("apply", WEB, one(json!({"command": ["a", "b"]}))).quiet().await;
        t.patch("apply", WEB_BOB, one(json!({"command": ["a", "c"]}))).only(STATUS).await;
        t.patch("apply", WEB_BOB_FORCES, one(json!({"command": ["a", "c"]}))).only(SPEC).await;
    }
    selectors_are_atomic: |t| {
        t.patch("apply", "/api/v1/namespaces/{ns}/services/s?fieldManager=ann&dryRun=All", json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "s"}, "spec": {"selector": {"a": "1", "b": "2"}, "ports": [{"port": 80, "name": "t"}, {"port": 80, "protocol": "UDP", "name": "u"}]}}))
            .only(&["/code", "/reason", "/message", "/details", "/metadata/managedFields/0/fieldsV1"]).with_managed_fields().await;
    }
    twice_in_a_keyed_list: |t| {
        t.patch("apply", WEB, web(json!([{"name": "a", "image": "i:1"}, {"name": "a", "image": "i:2"}]))).await;
    }
    twice_in_a_set: |t| {
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "finalizers": ["x.io/a", "x.io/a"]}})).await;
    }
    unknown_field: |t| {
        let mut config = one(json!({}));
        config["spec"]["nonsense"] = json!(1);
        t.patch("apply", WEB, config).await;
    }
    text_for_a_number: |t| {
        let mut config = one(json!({}));
        config["spec"]["replicas"] = json!("2");
        t.patch("apply", WEB, config).await;
    }
    list_for_a_map: |t| {
        t.patch("apply", ANN, map(json!(["k"]))).await;
    }
    number_for_text: |t| {
        t.patch("apply", ANN, map(json!({"k": 1}))).await;
    }
    without_a_manager: |t| {
        t.patch("apply", MAP, map(json!({}))).await;
    }
    with_managed_fields_in_the_body: |t| {
        let mut config = map(json!({}));
        config["metadata"]["managedFields"] = json!([{"manager": "x"}]);
        t.patch("apply", ANN, config).await;
    }
    another_version: |t| {
        t.patch("apply", ANN, json!({"apiVersion": "v2", "kind": "ConfigMap", "metadata": {"name": "a"}})).await;
    }
    another_kind: |t| {
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}})).await;
    }
    neither_version_nor_kind: |t| {
        t.patch("apply", ANN, json!({"metadata": {"name": "a"}})).await;
    }
    another_name: |t| {
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})).await;
    }
    another_namespace: |t| {
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "other"}})).await;
    }
    with_a_uid_it_creates_nothing: |t| {
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"}})).await;
    }
    with_a_stale_version: |t| {
        t.patch("apply", ANN, map(json!({"k": "1"}))).quiet().await;
        t.patch("apply", ANN, json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "resourceVersion": "1"}, "data": {"k": "2"}})).await;
    }
    yaml: |t| {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: |\n    one\n    two\n";
        t.call("PATCH", ANN).raw("application/apply-patch+yaml", text).with_managed_fields().await;
    }
    nothing_at_all: |t| {
        t.call("PATCH", ANN).raw("application/apply-patch+yaml", "").await;
    }
    a_list_is_no_configuration: |t| {
        t.call("PATCH", ANN).raw("application/apply-patch+yaml", "[]").await;
    }
    dry_run_leaves_nothing: |t| {
        t.patch("apply", "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=ann&dryRun=All", map(json!({"k": "1"}))).with_managed_fields().await;
        t.get(MAP).await;
    }
    kubectl_may_overwrite_what_it_applied_before: |t| {
        let said = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"}}"#;
        let mut object = map(json!({"k": "1", "l": "1"}));
        object["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": said});
        t.post("/api/v1/namespaces/{ns}/configmaps?fieldManager=kubectl-client-side-apply", object).quiet().await;
        t.patch("apply", "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=kubectl", map(json!({"k": "2", "l": "2"}))).await;
        t.patch("apply", "/api/v1/namespaces/{ns}/configmaps/a?fieldManager=kubectl", map(json!({"k": "2"}))).with_managed_fields().await;
    }
    custom_resource_by_its_schema: |t| {
        define(t).await;
        let spec = json!({"text": "1", "keyed": [{"k": "a", "v": 1}, {"k": "a", "p": "y"}], "map": {"m": "1"}, "whole": {"w": "1"}, "list": ["1"],
            "set": ["s"], "free": {"f": {"g": 1}}});
        t.patch("apply", WIDGET, widget(spec)).with_managed_fields().await;
        t.patch("apply", WIDGET_BOB, widget(json!({"keyed": [{"k": "b"}], "map": {"n": "1"}, "set": ["t"], "free": {"h": 1}}))).with_managed_fields().await;
        t.patch("apply", WIDGET_BOB, widget(json!({"keyed": [{"k": "a", "v": 2}], "whole": {"x": "1"}, "list": ["2"], "free": {"f": {"g": 2}}}))).await;
    }
    custom_resource_with_an_unknown_field: |t| {
        define(t).await;
        t.patch("apply", WIDGET, widget(json!({"nonsense": 1}))).await;
    }
    custom_resource_emptied_by_dropping: |t| {
        define(t).await;
        t.patch("apply", WIDGET, widget(json!({"map": {"m": "1"}, "keyed": [{"k": "a"}], "text": "1"}))).quiet().await;
        t.patch("apply", WIDGET, widget(json!({"text": "1"}))).with_managed_fields().await;
    }
    status_has_owners_of_its_own: |t| {
        define(t).await;
        t.patch("apply", WIDGET, widget(json!({"text": "1"}))).quiet().await;
        let mut config = widget(json!({"text": "2"}));
        config["status"] = json!({"phase": "A"});
        t.patch("apply", WIDGET_STATUS, config.clone()).with_managed_fields().await;
        t.patch("apply", WIDGET, config).with_managed_fields().await;
    }
    status_of_nothing: |t| {
        define(t).await;
        t.patch("apply", WIDGET_STATUS, widget(json!({}))).await;
    }
}
