//! What a schema says about lists and embedded objects that OpenAPI can't: elements of sets and keyed lists do not
//! repeat, and an embedded object is one.

use serde_json::{Map, Value};

use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{list, text};

/// Elements that stand there twice, although the list is a set or has keys.
pub(super) fn repeated(schema: &Value, object: &Value) -> Vec<Cause> {
    let look = |schema: &Value, value: &Value, path: &str| {
        let Some(elements) = value.as_array() else { return vec![] };
        match text(schema, "x-kubernetes-list-type") {
            "set" => twice(elements.clone(), path),
            "map" => match elements.iter().position(|e| !e.is_object() && !e.is_null()) {
                Some(at) => vec![Cause::invalid(format!("{path}[{at}]"), elements[at].clone(), "must be an object for an array of list-type map")],
                None => twice(keys(schema, elements), path),
            },
            _ => vec![],
        }
    };
    let mut causes = Vec::new();
    walk(schema, object, "", &look, &mut causes);
    causes
}

fn keys(schema: &Value, elements: &[Value]) -> Vec<Value> {
    let names: Vec<&str> = list(schema, "x-kubernetes-list-map-keys").iter().filter_map(Value::as_str).collect();
    let key = |element: &Value| names.iter().filter_map(|n| Some(((*n).to_owned(), element.get(*n)?.clone()))).collect::<Map<_, _>>();
    elements.iter().map(|e| Value::Object(key(e))).collect()
}

/// Each value that repeats one, the first time that it does.
fn twice(values: Vec<Value>, path: &str) -> Vec<Cause> {
    let again = |at: usize| values[..at].iter().filter(|v| **v == values[at]).count() == 1;
    let cause = |at: usize| Cause::new("FieldValueDuplicate", format!("{path}[{at}]"), format!("Duplicate value: {}", values[at]));
    (0..values.len()).filter(|at| again(*at)).map(cause).collect()
}

/// Embedded objects that don't say what they are.
pub(super) fn embedded(schema: &Value, object: &Value) -> Vec<Cause> {
    let look = |schema: &Value, value: &Value, path: &str| {
        if schema["x-kubernetes-embedded-resource"] != true || !value.is_object() {
            return vec![];
        }
        let check = |name: &str| {
            let field = format!("{path}.{name}");
            match &value[name] {
                Value::Null => Some(Cause::required(field, "")),
                Value::String(said) if said.is_empty() => Some(Cause::invalid(field, "", "must not be empty")),
                Value::String(_) => None,
                other => Some(Cause::invalid(field, other.clone(), "must be a string")),
            }
        };
        ["apiVersion", "kind"].into_iter().filter_map(check).collect()
    };
    let mut causes = Vec::new();
    walk(schema, object, "", &look, &mut causes);
    causes
}

type Look<'l> = &'l dyn Fn(&Value, &Value, &str) -> Vec<Cause>;

/// Looks at each value with its schema.
fn walk(schema: &Value, value: &Value, path: &str, look: Look<'_>, causes: &mut Vec<Cause>) {
    causes.extend(look(schema, value, path));
    match value {
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                walk(&schema["items"], element, &format!("{path}[{index}]"), look, causes);
            }
        }
        Value::Object(map) => {
            for (name, inner) in map {
                let declared = &schema["properties"][name.as_str()];
                let rest = &schema["additionalProperties"];
                match path {
                    "" if declared.is_object() => walk(declared, inner, name, look, causes),
                    _ if declared.is_object() => walk(declared, inner, &format!("{path}.{name}"), look, causes),
                    _ if rest.is_object() => walk(rest, inner, &format!("{path}[{name}]"), look, causes),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}
