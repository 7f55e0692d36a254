//! CustomResourceDefinitions themselves: what is refused, which names they get, versions, scale and columns.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{u}.example.com";
const THINGS: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/things";
const THING: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/things/a";
const OLD: &str = "/apis/{u}.example.com/v1beta1/namespaces/{ns}/things";

fn version(name: &str, spec: Value) -> Value {
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
    json!({"name": name, "served": true, "storage": name == "v1", "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}})
}

fn definition(versions: Value) -> Value {
    json!({"metadata": {"name": "things.{u}.example.com"}, "spec": {"group": "{u}.example.com", "scope": "Namespaced",
        "names": {"plural": "things", "kind": "Thing"}, "versions": versions}})
}

/// A definition of one version.
fn of(spec: Value) -> Value {
    definition(json!([version("v1", spec)]))
}

async fn defined(t: &mut Talk, definition: Value) {
    t.clean(CRD);
    t.post(CRDS, definition).quiet().await;
    t.until(THINGS, |list| list["kind"] == "ThingList").await;
}

fn thing(spec: Value) -> Value {
    json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec})
}

/// Definitions that must not be, each with one change.
async fn refused(t: &mut Talk, changes: &[(&str, Value)]) {
    for (pointer, value) in changes {
        let mut crd = of(json!({"type": "object"}));
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        crd.pointer_mut(parent).expect("there")[key] = value.clone();
        t.post(&format!("{CRDS}?dryRun=All"), crd).only(&["/message", "/details/causes", "/reason"]).await;
    }
}

async fn schemas(t: &mut Talk, specs: &[Value]) {
    for spec in specs {
        t.post(&format!("{CRDS}?dryRun=All"), of(spec.clone())).only(&["/message", "/details/causes", "/reason"]).await;
    }
}

fn scaled(scale: Value) -> Value {
    let mut crd = of(json!({"type": "object", "properties": {"size": {"type": "integer"}, "pods": {"type": "string"}}}));
    crd["spec"]["versions"][0]["subresources"]["scale"] = scale;
    crd
}

cases! {
    names: |t| {
        refused(t, &[("/spec/group", json!("")), ("/spec/group", json!("example")), ("/spec/group", json!("Example.com")), ("/spec/names/plural", json!("Things")),
            ("/spec/names/plural", json!("")), ("/spec/names/kind", json!("")), ("/spec/names/kind", json!("A Thing")), ("/spec/names/listKind", json!("Thing")),
            ("/spec/names/shortNames", json!(["t", "T"])), ("/spec/names/categories", json!(["all", "_"])), ("/spec/names/singular", json!("Thing"))]).await;
    }
    scope: |t| { refused(t, &[("/spec/scope", json!("")), ("/spec/scope", json!("namespaced"))]).await; }
    version_names: |t| {
        refused(t, &[("/spec/versions/0/name", json!("")), ("/spec/versions/0/name", json!("1")), ("/spec/versions/0/deprecationWarning", json!("old")), ("/spec/versions", json!([]))]).await;
    }
    versions_that_are_one: |t| {
        let one = version("v1", json!({"type": "object"}));
        t.post(CRDS, definition(json!([one, one]))).only(&["/message", "/details/causes"]).await;
    }
    two_stored_versions: |t| {
        let mut other = version("v2", json!({"type": "object"}));
        other["storage"] = json!(true);
        t.post(CRDS, definition(json!([version("v1", json!({"type": "object"})), other]))).only(&["/message", "/details/causes"]).await;
    }
    columns: |t| {
        let columns = |column: Value| ("/spec/versions/0/additionalPrinterColumns", json!([column]));
        refused(t, &[columns(json!({"name": "", "type": "string", "jsonPath": ".x"})), columns(json!({"name": "a", "type": "text", "jsonPath": ".x"})),
            columns(json!({"name": "a", "type": "string", "jsonPath": "x"})), columns(json!({"name": "a", "type": "string"})), columns(json!({"name": "a", "jsonPath": ".x"}))]).await;
    }
    scale_paths: |t| {
        let scale = |spec: &str, status: &str, selector: &str| ("/spec/versions/0/subresources/scale", json!({"specReplicasPath": spec, "statusReplicasPath": status, "labelSelectorPath": selector}));
        refused(t, &[scale("", "", ""), scale(".size", ".status.size", ".status.pods"), scale("spec.size", ".status.size", ".x"), scale(".spec.size", ".spec.size", "")]).await;
    }
    schema_root: |t| {
        let root = "/spec/versions/0/schema/openAPIV3Schema";
        refused(t, &[(root, json!({})), (root, json!({"type": "string"})), 
            (root, json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}}}})),
            (root, json!({"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}}))]).await;
    }
    schema_root_may_not_be_null: |t| {
        refused(t, &[("/spec/versions/0/schema/openAPIV3Schema", json!({"type": "object", "nullable": true}))]).await;
    }
    schema_without_types: |t| {
        schemas(t, &[json!({}), json!({"type": "object", "properties": {"x": {}}}), json!({"type": "array"}), json!({"type": "array", "items": {}}),
            json!({"type": "object", "additionalProperties": {}}), json!({"type": "text"}), json!({"type": "null"})]).await;
    }
    schema_that_is_not_structural: |t| {
        schemas(t, &[json!({"type": "object", "anyOf": [{"type": "object"}]}), json!({"type": "object", "allOf": [{"properties": {"x": {"minLength": 1}}}]}),
            json!({"type": "object", "oneOf": [{"nullable": true, "description": "d"}]}), json!({"type": "object", "not": {"default": {}}}),
            json!({"type": "object", "properties": {"x": {"type": "array", "items": {"type": "string"}, "allOf": [{"items": {"minLength": 1}}]}}})]).await;
    }
    schema_with_unsupported_keywords: |t| {
        schemas(t, &[json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true}), json!({"type": "object", "patternProperties": {"x": {"type": "string"}}}),
            json!({"type": "object", "properties": {"x": {"type": "string"}}, "additionalProperties": {"type": "string"}}), json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false})]).await;
    }
    schema_of_lists: |t| {
        let item = json!({"type": "object", "properties": {"name": {"type": "string"}}});
        schemas(t, &[json!({"type": "array", "items": item, "x-kubernetes-list-type": "map"}),
            json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
            json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["other"]}),
            json!({"type": "array", "items": item, "x-kubernetes-list-map-keys": ["name"]}), json!({"type": "array", "items": item, "x-kubernetes-list-type": "set"}),
            json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "heap"}), json!({"type": "string", "x-kubernetes-list-type": "set"}),
            json!({"type": "string", "x-kubernetes-map-type": "atomic"}), json!({"type": "object", "x-kubernetes-map-type": "odd"})]).await;
    }
    schema_with_a_wrong_default: |t| {
        let field = |field: Value| json!({"type": "object", "properties": {"x": field}});
        schemas(t, &[field(json!({"type": "string", "default": 1})), field(json!({"type": "string", "enum": ["a"], "default": "b"})),
            field(json!({"type": "object", "properties": {"n": {"type": "integer"}}, "default": {"n": "x"}}))]).await;
    }
    schema_with_a_wrong_pattern: |t| {
        t.post(CRDS, of(json!({"type": "object", "properties": {"x": {"type": "string", "pattern": "("}}}))).only(&["/code", "/reason", "/details/causes/0/field"]).await;
    }
    schema_of_embedded_objects: |t| {
        schemas(t, &[json!({"type": "object", "x-kubernetes-embedded-resource": true}), json!({"type": "string", "x-kubernetes-embedded-resource": true})]).await;
    }
    schema_of_numbers_or_texts: |t| {
        schemas(t, &[json!({"x-kubernetes-int-or-string": true, "type": "string"}), json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true})]).await;
    }
    changed: |t| {
        defined(t, of(json!({"type": "object", "properties": {"x": {"type": "string"}}}))).await;
        for (path, value) in [("/spec/scope", json!("Cluster")), ("/spec/names/kind", json!("Other")), ("/spec/names/plural", json!("others")), ("/spec/group", json!("other.example.com"))] {
            t.patch("json", CRD, json!([{"op": "replace", "path": path, "value": value}])).only(&["/message", "/details/causes"]).await;
        }
        t.patch("json", CRD, json!([{"op": "add", "path": "/spec/names/shortNames", "value": ["tg{u}"]}])).quiet().await;
        t.until(CRD, |o| o["status"]["acceptedNames"]["shortNames"].is_array()).await;
        t.get(CRD).only(&["/spec/names", "/status", "/metadata/generation"]).await;
    }
    name_that_another_has: |t| {
        defined(t, of(json!({"type": "object"}))).await;
        let other = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/others.{u}.example.com";
        let mut crd = of(json!({"type": "object"}));
        crd["metadata"]["name"] = json!("others.{u}.example.com");
        crd["spec"]["names"] = json!({"plural": "others", "kind": "Thing", "singular": "thing", "listKind": "OtherList", "shortNames": ["things"]});
        t.clean(other);
        t.post(CRDS, crd).quiet().await;
        t.until(other, |o| o["status"]["conditions"].as_array().is_some_and(|c| c.len() == 2)).await;
        t.get(other).only(&["/status"]).await;
        t.get("/apis/{u}.example.com/v1/namespaces/{ns}/others").await;
        t.delete(CRD).quiet().await;
        t.until(other, |o| o["status"]["conditions"][1]["status"] == "True").await;
        t.get(other).only(&["/status"]).await;
    }
    versions: |t| {
        let old = json!({"type": "object", "properties": {"x": {"type": "string"}, "y": {"type": "string", "default": "old"}}});
        defined(t, definition(json!([version("v1", json!({"type": "object", "properties": {"x": {"type": "string"}}})), version("v1beta1", old)]))).await;
        t.until(OLD, |list| list["kind"] == "ThingList").await;
        t.post(THINGS, thing(json!({"x": "new", "y": "dropped"}))).only(&["/apiVersion", "/spec"]).await;
        t.get(&format!("{OLD}/a")).only(&["/apiVersion", "/kind", "/spec/x"]).await;
        t.get(OLD).only(&["/apiVersion", "/items/0/apiVersion", "/items/0/spec/x"]).await;
        t.patch("merge", &format!("{OLD}/a"), json!({"spec": {"x": "older"}})).only(&["/apiVersion", "/spec/x"]).await;
        t.get(THING).only(&["/apiVersion", "/spec/x"]).await;
        t.put(&format!("{OLD}/a"), thing(json!({"x": "z"}))).only(&["/message", "/reason"]).await;
        t.patch("merge", &format!("{OLD}/a"), json!({"apiVersion": "{u}.example.com/v1"})).only(&["/message", "/reason", "/apiVersion"]).await;
        t.watch(&format!("{OLD}?watch=true&timeoutSeconds=1&sendInitialEvents=false&resourceVersion=0"), 1).await;
    }
    version_not_served: |t| {
        let mut old = version("v1beta1", json!({"type": "object"}));
        old["served"] = json!(false);
        defined(t, definition(json!([version("v1", json!({"type": "object"})), old]))).await;
        t.get(OLD).await;
        t.get(CRD).only(&["/status/storedVersions"]).await;
    }
    scale_with_a_selector: |t| {
        defined(t, scaled(json!({"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size", "labelSelectorPath": ".status.pods"}))).await;
        t.post(THINGS, thing(json!({"size": 3}))).quiet().await;
        t.patch("merge", &format!("{THING}/status"), json!({"status": {"size": 2, "pods": "a=b"}})).quiet().await;
        t.get(&format!("{THING}/scale")).only(&["/spec", "/status", "/kind", "/apiVersion"]).await;
        let scale = t.get(&format!("{THING}/scale")).quiet().await.body;
        let mut wanted = scale.clone();
        wanted["spec"]["replicas"] = json!(4);
        t.put(&format!("{THING}/scale"), wanted).only(&["/spec", "/status", "/code"]).await;
        t.get(THING).only(&["/spec", "/metadata/generation"]).await;
        t.put(&format!("{THING}/scale"), scale).only(&["/message", "/reason"]).await;
        t.patch("merge", &format!("{THING}/scale"), json!({"spec": {"replicas": -1}})).only(&["/message", "/details", "/reason"]).await;
        t.patch("json", &format!("{THING}/scale"), json!([{"op": "replace", "path": "/spec/replicas", "value": 6}])).only(&["/spec", "/status"]).await;
    }
    scale_of_an_unset_number: |t| {
        defined(t, scaled(json!({"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}))).await;
        t.post(THINGS, thing(json!({}))).quiet().await;
        t.get(&format!("{THING}/scale")).only(&["/spec", "/message", "/details"]).await;
        t.patch("merge", &format!("{THING}/scale"), json!({"metadata": {"labels": {"a": "b"}}})).only(&["/message", "/reason", "/spec"]).await;
        t.patch("merge", &format!("{THING}/scale"), json!({"spec": {"replicas": 2}})).only(&["/spec"]).await;
    }
    scale_numbers_that_are_none: |t| {
        let mut crd = of(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
        crd["spec"]["versions"][0]["subresources"]["scale"] = json!({"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"});
        defined(t, crd).await;
        for size in [json!(-1), json!("x"), json!(3000000000u32), json!(1.5), json!([])] {
            t.post(&format!("{THINGS}?dryRun=All"), thing(json!({"size": size}))).only(&["/message", "/details/causes"]).await;
        }
    }
    without_scale: |t| {
        defined(t, of(json!({"type": "object"}))).await;
        t.post(THINGS, thing(json!({}))).quiet().await;
        t.get(&format!("{THING}/scale")).await;
    }
    table_of_all_columns: |t| {
        let column = |name: &str, kind: &str, path: &str| json!({"name": name, "type": kind, "jsonPath": path});
        let mut crd = of(json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}));
        crd["spec"]["versions"][0]["additionalPrinterColumns"] = json!([column("Text", "string", ".spec.text"), column("Number", "integer", ".spec.number"),
            column("Float", "number", ".spec.float"), column("Flag", "boolean", ".spec.flag"), column("List", "string", ".spec.list[*].n"), column("Second", "string", ".spec.list[1].n"),
            column("Ready", "string", ".spec.list[?(@.n==\"b\")].m"), column("Map", "string", ".spec.map"), column("Missing", "string", ".spec.missing"),
            column("Wrong", "integer", ".spec.text"), column("Dots", "string", ".metadata.labels['a\\.b/c']"),
            {"name": "Wide", "type": "string", "jsonPath": ".spec.text", "priority": 1, "format": "byte", "description": "d"}]);
        defined(t, crd).await;
        let mut full = thing(json!({"text": "t", "number": 3, "float": 1.5, "flag": true, "list": [{"n": "a", "m": "1"}, {"n": "b", "m": "2"}], "map": {"k": "v"}}));
        full["metadata"]["labels"] = json!({"a.b/c": "l"});
        t.post(THINGS, full).quiet().await;
        t.get(THINGS).accept("application/json;as=Table;v=v1;g=meta.k8s.io").only(&["/columnDefinitions", "/rows/0/cells"]).await;
    }
    held_by_a_finalizer: |t| {
        defined(t, of(json!({"type": "object"}))).await;
        let mut held = thing(json!({}));
        held["metadata"]["finalizers"] = json!(["example.com/held"]);
        t.post(THINGS, held).quiet().await;
        t.delete(CRD).quiet().await;
        t.until(CRD, |o| o["status"]["conditions"].as_array().is_some_and(|c| c.iter().any(|c| c["reason"] == "InstanceDeletionInProgress"))).await;
        t.get(CRD).only(&["/status/conditions", "/metadata/finalizers"]).await;
        let mut other = thing(json!({}));
        other["metadata"]["name"] = json!("b");
        t.post(THINGS, other).only(&["/code", "/reason", "/message", "/details"]).await;
        t.patch("merge", THING, json!({"metadata": {"finalizers": null}})).quiet().await;
        t.until(CRD, |o| o["code"] == 404).await;
    }
}
