//! What definitions demand of objects, and of themselves.

use serde_json::{Value, json};

use super::{Rules, definition, names};

fn rules(spec: Value) -> Rules {
    Rules::of(&json!({}), &json!({"schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}))
}

fn wrong(spec: Value, object: Value) -> Vec<String> {
    rules(spec).check(None, &json!({"spec": object})).into_iter().map(|c| format!("{}: {}", c.field, c.message)).collect()
}

#[test]
fn of_several_alternatives_the_nearest_explains_itself() {
    let spec = json!({"type": "object", "properties": {"a": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "oneOf": [{"required": ["b"]}, {"required": ["a"], "properties": {"a": {"properties": {"n": {"minimum": 5}}}}}]});
    assert_eq!(wrong(spec.clone(), json!({"a": {"n": 7}})), Vec::<String>::new());
    let found = wrong(spec, json!({"a": {"n": 3}}));
    assert_eq!(found[0], "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid");
    assert_eq!(found[1], "spec.a.n: Invalid value: 3: spec.a.n in body should be greater than or equal to 5");
}

#[test]
fn what_a_change_leaves_alone_may_stay_wrong() {
    let rules = rules(json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": 5}, "b": {"type": "integer", "minimum": 5}}}));
    let before = json!({"spec": {"a": 1, "b": 7}});
    assert!(rules.check(Some(&before), &json!({"spec": {"a": 1, "b": 8}})).is_empty());
    assert_eq!(rules.check(Some(&before), &json!({"spec": {"a": 2, "b": 7}})).len(), 1);
}

#[test]
fn a_name_is_given_once_in_a_group() {
    let crd = |plural: &str, kind: &str| json!({"metadata": {"name": format!("{plural}.example.com")}, "spec": {"group": "example.com", "names": {"plural": plural, "singular": plural, "kind": kind, "listKind": format!("{kind}List")}}});
    let (mut first, mut second) = (crd("things", "Thing"), crd("others", "Thing"));
    names::accept(&mut first, &[]);
    assert!(names::is_established(&first));
    names::accept(&mut second, std::slice::from_ref(&first));
    assert!(!names::is_established(&second));
    assert_eq!(second["status"]["conditions"][0]["reason"], "ListKindConflict");
    first["spec"]["group"] = json!("other.example.com");
    names::accept(&mut second, &[first]);
    assert!(names::is_established(&second));
}

#[test]
fn a_schema_must_be_structural() {
    let version = |schema: Value| json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}});
    let crd = |schema: Value| {
        json!({"metadata": {"name": "things.example.com"}, "status": {"storedVersions": ["v1"]}, "spec": {"group": "example.com", "scope": "Cluster", "versions": [version(schema)],
        "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}}})
    };
    assert_eq!(definition::check(None, &crd(json!({"type": "object"}))), []);
    let found = definition::check(None, &crd(json!({"type": "object", "properties": {"spec": {}}})));
    assert_eq!(found[0].field, "spec.validation.openAPIV3Schema.properties[spec].type");
    assert_eq!(found[0].message, "Required value: must not be empty for specified object fields");
}
