//! Custom resources against the schema of their definition: what is refused, and how it is said.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CRD: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.{u}.example.com";
const THINGS: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/things";
const THING: &str = "/apis/{u}.example.com/v1/namespaces/{ns}/things/a";

/// A definition whose objects have this spec and this status.
async fn defined(t: &mut Talk, spec: Value, status: Value) {
    t.clean(CRD);
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": status}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "subresources": {"status": {}}});
    let names = json!({"plural": "things", "kind": "Thing"});
    let crd = json!({"metadata": {"name": "things.{u}.example.com"}, "spec": {"group": "{u}.example.com", "scope": "Namespaced", "names": names, "versions": [version]}});
    t.post(CRDS, crd).quiet().await;
    t.until(THINGS, |list| list["kind"] == "ThingList").await;
}

fn thing(spec: Value) -> Value {
    json!({"apiVersion": "{u}.example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec})
}

/// Each of these specs is posted to a schema of one field, `x`.
async fn each(t: &mut Talk, field: Value, values: &[Value]) {
    defined(t, json!({"type": "object", "properties": {"x": field}}), json!({"type": "object"})).await;
    for value in values {
        t.post(&format!("{THINGS}?dryRun=All"), thing(json!({"x": value}))).only(&["/message", "/details/causes", "/reason", "/spec"]).await;
    }
}

cases! {
    wrong_types: |t| {
        let fields = json!({"s": {"type": "string"}, "i": {"type": "integer"}, "n": {"type": "number"}, "b": {"type": "boolean"},
            "l": {"type": "array", "items": {"type": "integer"}}, "o": {"type": "object", "properties": {"in": {"type": "string"}}}});
        defined(t, json!({"type": "object", "properties": fields}), json!({"type": "object"})).await;
        for spec in [json!({"s": 1}), json!({"s": true}), json!({"i": "1"}), json!({"i": 1.5}), json!({"i": 2.0}), json!({"n": 3}), json!({"n": "x"}), json!({"b": "true"}),
            json!({"l": {}}), json!({"l": [1, "x"]}), json!({"o": []}), json!({"o": "x"}), json!({"o": {"in": []}}), json!(5), json!([])] {
            t.post(&format!("{THINGS}?dryRun=All"), thing(spec)).only(&["/message", "/details/causes", "/reason", "/spec"]).await;
        }
    }
    nulls: |t| {
        let fields = json!({"no": {"type": "string"}, "yes": {"type": "string", "nullable": true}, "given": {"type": "string", "default": "d"},
            "both": {"type": "string", "nullable": true, "default": "d"}});
        defined(t, json!({"type": "object", "properties": fields}), json!({"type": "object"})).await;
        for name in ["no", "yes", "given", "both"] {
            t.post(&format!("{THINGS}?dryRun=All"), thing(json!({name: null}))).only(&["/message", "/details/causes", "/reason", "/spec"]).await;
        }
    }
    numbers: |t| { each(t, json!({"type": "integer", "minimum": 2, "maximum": 8, "multipleOf": 2}), &[json!(1), json!(9), json!(3), json!(4)]).await; }
    numbers_exclusive: |t| {
        let field = json!({"type": "number", "minimum": 2, "exclusiveMinimum": true, "maximum": 8.5, "exclusiveMaximum": true});
        each(t, field, &[json!(2), json!(8.5), json!(2.5), json!(9)]).await;
    }
    whole_numbers_of_32_bits: |t| { each(t, json!({"type": "integer", "format": "int32"}), &[json!(2147483647), json!(2147483648u32), json!("x")]).await; }
    lengths: |t| { each(t, json!({"type": "string", "minLength": 2, "maxLength": 3}), &[json!("a"), json!("abcd"), json!("äöü"), json!("")]).await; }
    patterns: |t| { each(t, json!({"type": "string", "pattern": "^[a-z]+$"}), &[json!("A"), json!("a"), json!("")]).await; }
    listed_texts: |t| { each(t, json!({"type": "string", "enum": ["one", "two"]}), &[json!("three"), json!("two"), json!(1)]).await; }
    listed_numbers: |t| { each(t, json!({"type": "integer", "enum": [1, 2]}), &[json!(3), json!(2)]).await; }
    formats: |t| {
        for (format, value) in [("date-time", "yesterday"), ("date", "2020-13-01"), ("ipv4", "1.2.3"), ("ipv6", "1.2.3.4"), ("cidr", "10.0.0.0"), ("uuid", "x"), ("byte", "%%"), ("unheard-of", "x")] {
            let field = json!({"type": "string", "format": format});
            each(t, field, &[json!(value), json!(1)]).await;
            t.delete(CRD).quiet().await;
            t.until(CRD, |o| o["code"] == 404).await;
        }
    }
    required: |t| {
        let part = json!({"type": "object", "required": ["name", "port"], "properties": {"name": {"type": "string"}, "port": {"type": "integer"}}});
        defined(t, json!({"type": "object", "required": ["part"], "properties": {"part": part, "parts": {"type": "array", "items": part}}}), json!({"type": "object"})).await;
        for spec in [json!({}), json!({"part": {}}), json!({"part": {"name": "a", "port": 1}, "parts": [{"name": "a", "port": 1}, {"name": "b"}]})] {
            t.post(&format!("{THINGS}?dryRun=All"), thing(spec)).only(&["/message", "/details/causes", "/reason"]).await;
        }
    }
    number_of_elements: |t| { each(t, json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2}), &[json!([]), json!([1, 2, 3]), json!([1])]).await; }
    one_element_at_most: |t| { each(t, json!({"type": "array", "items": {"type": "integer"}, "maxItems": 1}), &[json!([1, 2])]).await; }
    number_of_properties: |t| {
        let field = json!({"type": "object", "additionalProperties": {"type": "string", "maxLength": 1}, "minProperties": 1, "maxProperties": 2});
        each(t, field, &[json!({}), json!({"a": "1", "b": "2", "c": "3"}), json!({"a": "12"}), json!({"a": 1}), json!({"a": "1"})]).await;
    }
    sets: |t| {
        each(t, json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}), &[json!(["a", "b", "a", "a"]), json!(["a", "b"])]).await;
    }
    keyed_lists: |t| {
        let properties = json!({"name": {"type": "string"}, "port": {"type": "integer", "default": 80}, "value": {"type": "string"}});
        let item = json!({"type": "object", "required": ["name"], "properties": properties});
        let field = json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]});
        let values = [json!([{"name": "a"}, {"name": "b"}, {"name": "a"}]), json!([{"value": "1"}, {"value": "2"}]), json!([{"name": "a"}])];
        each(t, field, &values).await;
    }
    keyed_by_two: |t| {
        let properties = json!({"name": {"type": "string"}, "port": {"type": "integer", "default": 80}});
        let item = json!({"type": "object", "required": ["name"], "properties": properties});
        let field = json!({"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "port"]});
        each(t, field, &[json!([{"name": "a"}, {"name": "a", "port": 81}]), json!([{"name": "a"}, {"name": "a", "port": 80}])]).await;
    }
    numbers_or_texts: |t| {
        each(t, json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]}), &[json!(1), json!("50%"), json!(1.5), json!(true), json!([])]).await;
    }
    numbers_or_texts_with_a_pattern: |t| { each(t, json!({"x-kubernetes-int-or-string": true, "pattern": "^[0-9]+%$"}), &[json!(1), json!("50%"), json!("x")]).await; }
    any_of: |t| {
        let field = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]});
        each(t, field, &[json!({}), json!({"b": "1"}), json!({"a": "1", "b": "1"})]).await;
    }
    one_of: |t| {
        let field = json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]});
        each(t, field, &[json!({}), json!({"b": "1"}), json!({"a": "1", "b": "1"})]).await;
    }
    all_of_and_not: |t| {
        let field = json!({"type": "string", "allOf": [{"minLength": 2}, {"pattern": "^a"}], "not": {"enum": ["abc"]}});
        each(t, field, &[json!("b"), json!("ab"), json!("abc"), json!("xy")]).await;
    }
    whatever_is_kept: |t| {
        let field = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"n": {"type": "integer"}}});
        each(t, field, &[json!({"n": 1, "more": {"x": [1]}}), json!({"n": "1", "more": 1})]).await;
    }
    embedded_objects: |t| {
        let field = json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
        let values = [json!({}), json!({"apiVersion": "v1", "kind": ""}), json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"k": "v"}})];
        each(t, field, &values).await;
    }
    several_mistakes: |t| {
        let fields = json!({"x": {"type": "array", "items": {"type": "string", "maxLength": 1}}});
        defined(t, json!({"type": "object", "properties": fields, "required": ["y", "z"]}), json!({"type": "object"})).await;
        t.post(THINGS, thing(json!({"x": ["ab", "c", 3]}))).await;
    }
    with_rules_besides: |t| {
        let fields = json!({"x": {"type": "integer", "minimum": 1}, "y": {"type": "string", "enum": ["a"]}});
        let rules = json!([{"rule": "self.x > 0", "message": "x must be positive"}]);
        defined(t, json!({"type": "object", "properties": fields, "x-kubernetes-validations": rules}), json!({"type": "object"})).await;
        t.post(THINGS, thing(json!({"x": 2, "y": "b"}))).await;
    }
    a_bad_name_besides: |t| {
        defined(t, json!({"type": "object", "properties": {"x": {"type": "integer"}}}), json!({"type": "object"})).await;
        let mut bad = thing(json!({"x": "1"}));
        bad["metadata"]["name"] = json!("A");
        t.post(THINGS, bad).await;
    }
    metadata_of_a_wrong_type: |t| {
        defined(t, json!({"type": "object"}), json!({"type": "object"})).await;
        for metadata in [json!({"name": "a", "labels": {"x": 1}}), json!({"name": "a", "labels": []}), json!({"name": 1}), json!([])] {
            let mut bad = thing(json!({}));
            bad["metadata"] = metadata;
            t.post(THINGS, bad).only(&["/message", "/details", "/reason", "/code"]).await;
        }
    }
    changed: |t| {
        defined(t, json!({"type": "object", "properties": {"x": {"type": "integer", "maximum": 5}}}), json!({"type": "object"})).await;
        t.post(THINGS, thing(json!({"x": 2}))).quiet().await;
        t.patch("merge", THING, json!({"spec": {"x": 7}})).await;
        t.patch("json", THING, json!([{"op": "replace", "path": "/spec/x", "value": "7"}])).await;
        t.patch("apply", &format!("{THING}?fieldManager=m&force=true"), thing(json!({"x": 8}))).await;
        t.patch("merge", THING, json!({"spec": {"x": 3, "y": 4}})).only(&["/spec", "/metadata/generation"]).await;
    }
    what_was_wrong_before_may_stay: |t| {
        let field = |most: i64| json!({"type": "object", "properties": {"x": {"type": "integer", "maximum": most}, "y": {"type": "integer"}}});
        defined(t, field(9), json!({"type": "object"})).await;
        t.post(THINGS, thing(json!({"x": 7}))).quiet().await;
        t.patch("json", CRD, json!([{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec", "value": field(5)}])).quiet().await;
        let mut other = thing(json!({"x": 7}));
        other["metadata"]["name"] = json!("b");
        while t.post(&format!("{THINGS}?dryRun=All"), other.clone()).quiet().any().await.code != 422 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        t.patch("merge", THING, json!({"spec": {"y": 1}})).only(&["/spec", "/message"]).await;
        t.patch("merge", THING, json!({"spec": {"x": 8}})).only(&["/spec", "/message"]).await;
        t.patch("merge", THING, json!({"spec": {"x": 5}})).only(&["/spec", "/message"]).await;
    }
    status: |t| {
        let status = json!({"type": "object", "required": ["phase"], "properties": {"phase": {"type": "string", "enum": ["A", "B"]}, "n": {"type": "integer", "minimum": 0}}});
        defined(t, json!({"type": "object", "properties": {"x": {"type": "integer"}}}), status).await;
        t.post(THINGS, thing(json!({"x": 2}))).quiet().await;
        for status in [json!({"phase": "C"}), json!({"phase": "A", "n": -1}), json!({"n": 1}), json!({"phase": 1}), json!("x")] {
            t.patch("json", &format!("{THING}/status"), json!([{"op": "add", "path": "/status", "value": status}])).only(&["/message", "/details/causes", "/reason"]).await;
        }
        t.patch("merge", &format!("{THING}/status"), json!({"status": {"phase": "B", "n": 1, "more": 1}})).only(&["/status", "/metadata/generation"]).await;
    }
    defaults_in_depth: |t| {
        let inner = json!({"type": "object", "default": {}, "properties": {"n": {"type": "integer", "default": 3}}});
        let item = json!({"type": "object", "properties": {"n": {"type": "integer", "default": 4}}});
        let map = json!({"type": "object", "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer", "default": 5}}}});
        defined(t, json!({"type": "object", "properties": {"inner": inner, "items": {"type": "array", "items": item}, "map": map}}), json!({"type": "object"})).await;
        t.post(THINGS, thing(json!({"items": [{}, {"n": 1}], "map": {"a": {}}}))).only(&["/spec"]).await;
    }
}
