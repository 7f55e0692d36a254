//! Is a schema structural: every field has a type where it stands, and what combines schemas only restricts. Beside
//! that, keywords that definitions may not use, lists and maps that can't be told apart, and defaults that are wrong.

use regex::Regex;
use serde_json::{Value, json};

use super::schema::Schema;
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{list, text};

const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];
/// What a schema inside `allOf` and the like may not say, and what it should be instead.
const ONLY_OUTSIDE: &[(&str, &str)] = &[
    ("type", "empty"),
    ("additionalProperties", "undefined"),
    ("default", "undefined"),
    ("title", "empty"),
    ("description", "empty"),
    ("nullable", "false"),
    ("x-kubernetes-preserve-unknown-fields", "false"),
    ("x-kubernetes-embedded-resource", "false"),
    ("x-kubernetes-int-or-string", "false"),
    ("x-kubernetes-list-map-keys", "empty"),
    ("x-kubernetes-list-type", "undefined"),
    ("x-kubernetes-map-type", "undefined"),
    ("x-kubernetes-validations", "empty"),
];
const UNSUPPORTED: &[(&str, &str)] = &[
    ("id", "id is not supported"),
    ("additionalItems", "additionalItems is not supported"),
    ("patternProperties", "patternProperties is not supported"),
    ("definitions", "definitions is not supported"),
    ("dependencies", "dependencies is not supported"),
    ("$ref", "$ref is not supported"),
];

/// Judges the schema of a whole object.
pub(super) fn check(schema: &Value, place: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    structure(schema, place, "at the root", &mut causes);
    causes.sort_by_key(|c| format!("{}: {}", c.field, c.message));
    if causes.is_empty() {
        defaults(schema, place, &mut causes);
    }
    keywords(schema, place, &mut causes);
    causes
}

fn says(schema: &Value, keyword: &str) -> bool {
    match &schema[keyword] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// `at` says where, in the words of the message about a missing type.
fn structure(schema: &Value, place: &str, at: &str, causes: &mut Vec<Cause>) {
    let (kind, root) = (text(schema, "type"), at == "at the root");
    let (either, any) = (schema["x-kubernetes-int-or-string"] == true, schema["x-kubernetes-preserve-unknown-fields"] == true);
    let embedded = schema["x-kubernetes-embedded-resource"] == true;
    if kind == "array" && schema["items"].is_null() {
        causes.push(Cause::required(format!("{place}.items"), "must be specified"));
    }
    if schema["items"].is_object() {
        structure(&schema["items"], &format!("{place}.items"), "for specified array items", causes);
    }
    for (name, inner) in properties(schema) {
        structure(inner, &format!("{place}.properties[{name}]"), "for specified object fields", causes);
    }
    let rest = &schema["additionalProperties"];
    if root && !rest.is_null() {
        causes.push(Cause::forbidden(format!("{place}.additionalProperties"), "must not be used at the root"));
    }
    if rest.is_object() {
        structure(rest, &format!("{place}.additionalProperties"), "for specified object fields", causes);
    }
    if either && any {
        let why = "must be false if x-kubernetes-int-or-string is true";
        causes.push(Cause::invalid(format!("{place}.x-kubernetes-preserve-unknown-fields"), true, why));
    }
    restrictions(schema, root.then_some(schema), either, place, place, causes);
    match kind {
        "" if embedded => causes.push(Cause::required(format!("{place}.type"), "must be object if x-kubernetes-embedded-resource is true")),
        "" if !either && !any => causes.push(Cause::required(format!("{place}.type"), &format!("must not be empty {at}"))),
        other if embedded && other != "object" => {
            causes.push(Cause::invalid(format!("{place}.type"), other, "must be object if x-kubernetes-embedded-resource is true"));
        }
        other if root && !matches!(other, "" | "object") => causes.push(Cause::invalid(format!("{place}.type"), other, "must be object at the root")),
        _ => {}
    }
    if root || embedded {
        metadata(schema, place, root, causes);
    }
    if embedded && !any && properties(schema).next().is_none() {
        let why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
        causes.push(Cause::required(format!("{place}.properties"), why));
    }
}

/// What every object has is known; a schema may only restrict its name.
fn metadata(schema: &Value, place: &str, root: bool, causes: &mut Vec<Cause>) {
    let declared = |name: &str| schema["properties"].get(name);
    for (name, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")] {
        if let Some(kind) = declared(name).map(|inner| text(inner, "type")).filter(|kind| *kind != wanted) {
            causes.push(Cause::invalid(format!("{place}.properties[{name}].type"), kind, &format!("must be {wanted}")));
        }
    }
    let more = |inner: &Value| {
        properties(inner).any(|(name, _)| !matches!(name.as_str(), "name" | "generateName"))
            || inner.as_object().is_some_and(|m| m.keys().any(|key| !matches!(key.as_str(), "type" | "properties" | "description")))
    };
    if root && declared("metadata").is_some_and(more) {
        let why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
        causes.push(Cause::forbidden(format!("{place}.properties[metadata]"), why));
    }
}

/// `allOf` and the like: what they restrict must be `declared`. Only those at the root are held to that.
fn restrictions(said: &Value, declared: Option<&Value>, either: bool, from: &str, place: &str, causes: &mut Vec<Cause>) {
    if let Some((pattern, error)) = said["pattern"].as_str().and_then(|p| Some((p, Regex::new(p).err()?))) {
        let why = format!("must be a valid regular expression, but isn't: {error}");
        causes.push(Cause::invalid(format!("{from}.pattern"), pattern, &why));
    }
    let number_or_text = json!([{"type": "integer"}, {"type": "string"}]);
    for combination in ["allOf", "anyOf", "oneOf"] {
        if combination == "anyOf" && either && said["anyOf"] == number_or_text {
            continue;
        }
        for (index, inner) in list(said, combination).iter().enumerate() {
            restriction(inner, declared, either, &format!("{from}.{combination}[{index}]"), place, causes);
        }
    }
    if said["not"].is_object() {
        restriction(&said["not"], declared, either, &format!("{from}.not"), place, causes);
    }
}

fn restriction(said: &Value, declared: Option<&Value>, either: bool, from: &str, place: &str, causes: &mut Vec<Cause>) {
    for (keyword, instead) in ONLY_OUTSIDE.iter().filter(|(keyword, _)| says(said, keyword)) {
        causes.push(Cause::forbidden(format!("{from}.{keyword}"), &format!("must be {instead} to be structural")));
    }
    restrictions(said, declared, either, from, place, causes);
    let items = Some(&said["items"]).filter(|i| i.is_object()).map(|i| (i, ".items".to_owned(), declared.map(|d| &d["items"])));
    let each = properties(said).map(|(name, inner)| (inner, format!(".properties[{name}]"), declared.map(|d| &d["properties"][name])));
    for (inner, below, declared) in items.into_iter().chain(each) {
        let (from, place) = (format!("{from}{below}"), format!("{place}{below}"));
        if below == ".properties[metadata]" {
            causes.push(Cause::forbidden(from.clone(), "must not be specified in a nested context"));
        }
        if declared.is_some_and(Value::is_null) {
            causes.push(Cause::required(place, &format!("because it is defined in {from}")));
        } else {
            restriction(inner, declared, false, &from, &place, causes);
        }
    }
}

/// A default must be what the schema allows.
fn defaults(schema: &Value, place: &str, causes: &mut Vec<Cause>) {
    if let Some(default) = schema.get("default").filter(|d| !d.is_null()) {
        for mut cause in Schema::new(schema.clone()).check(default, None) {
            let below = if cause.field == "<nil>" { String::new() } else { format!(".{}", cause.field) };
            cause.field = format!("{place}.default{below}");
            causes.push(cause);
        }
    }
    inner(schema, place).into_iter().for_each(|(schema, place)| defaults(schema, &place, causes));
}

/// The schemas of the parts.
fn inner<'s>(schema: &'s Value, place: &str) -> Vec<(&'s Value, String)> {
    let rest = ["additionalProperties", "items"].into_iter().filter(|k| schema[*k].is_object()).map(|k| (&schema[k], format!("{place}.{k}")));
    rest.chain(properties(schema).map(|(name, inner)| (inner, format!("{place}.properties[{name}]")))).collect()
}

fn keywords(schema: &Value, place: &str, causes: &mut Vec<Cause>) {
    let kind = text(schema, "type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        causes.push(Cause::unsupported(format!("{place}.type"), &json!(kind), TYPES));
    }
    if kind == "null" {
        causes.push(Cause::forbidden(format!("{place}.type"), "type cannot be set to null, use nullable as an alternative"));
    }
    for (keyword, why) in UNSUPPORTED.iter().filter(|(keyword, _)| says(schema, keyword)) {
        causes.push(Cause::forbidden(format!("{place}.{keyword}"), why));
    }
    if schema["uniqueItems"] == true {
        let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
        causes.push(Cause::forbidden(format!("{place}.uniqueItems"), why));
    }
    if says(schema, "additionalProperties") && schema["additionalProperties"] != true && properties(schema).next().is_some() {
        causes.push(Cause::forbidden(format!("{place}.additionalProperties"), "additionalProperties and properties are mutual exclusive"));
    }
    inner(schema, place).into_iter().for_each(|(schema, place)| keywords(schema, &place, causes));
    if schema["x-kubernetes-preserve-unknown-fields"] == false {
        causes.push(Cause::invalid(format!("{place}.x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined"));
    }
    for (keyword, wanted, known) in
        [("x-kubernetes-map-type", "object", &["atomic", "granular"][..]), ("x-kubernetes-list-type", "array", &["atomic", "set", "map"][..])]
    {
        let Some(said) = schema[keyword].as_str() else { continue };
        if kind != wanted {
            let why = format!("must be {wanted} if {keyword} is specified");
            let field = format!("{place}.type");
            causes.push(if kind.is_empty() { Cause::required(field, &why) } else { Cause::invalid(field, kind, &why) });
        }
        if !known.contains(&said) {
            causes.push(Cause::unsupported(format!("{place}.{keyword}"), &json!(said), known));
        }
    }
    keyed(schema, place, causes);
}

/// Lists whose elements are told apart.
fn keyed(schema: &Value, place: &str, causes: &mut Vec<Cause>) {
    let (how, keys, items) = (text(schema, "x-kubernetes-list-type"), list(schema, "x-kubernetes-list-map-keys"), &schema["items"]);
    if !keys.is_empty() && how != "map" {
        let (field, why) = (format!("{place}.x-kubernetes-list-type"), "must be map if x-kubernetes-list-map-keys is non-empty");
        causes.push(if how.is_empty() { Cause::required(field, why) } else { Cause::invalid(field, how, why) });
    }
    if how == "map" {
        if keys.is_empty() {
            causes.push(Cause::required(format!("{place}.x-kubernetes-list-map-keys"), "must not be empty if x-kubernetes-list-type is map"));
        }
        if items.is_object() && text(items, "type") != "object" {
            let why = "must be object if parent array's x-kubernetes-list-type is map";
            causes.push(Cause::invalid(format!("{place}.items.type"), text(items, "type"), why));
        }
        for key in keys.iter().filter_map(Value::as_str) {
            match items["properties"].get(key) {
                None => {
                    let why = "entries must all be names of item properties";
                    causes.push(Cause::invalid(format!("{place}.x-kubernetes-list-map-keys"), json!(keys), why));
                }
                Some(property) => {
                    let required = list(items, "required").iter().any(|r| r == key);
                    if !required && property["default"].is_null() {
                        let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
                        causes.push(Cause::required(format!("{place}.items.properties[{key}].default"), why));
                    }
                }
            }
        }
    }
    if matches!(how, "map" | "set") && items["nullable"] == true {
        causes.push(Cause::forbidden(format!("{place}.items.nullable"), &format!("cannot be nullable when x-kubernetes-list-type is {how}")));
    }
    if how == "set" && text(items, "type") == "object" && items["x-kubernetes-map-type"] != "atomic" {
        let why = "must be atomic as item of a list with x-kubernetes-list-type=set";
        causes.push(Cause::invalid(format!("{place}.items.x-kubernetes-map-type"), Value::Null, why));
    }
}
