//! What keeps a configuration from being applied: fields that the type doesn't have, values of another JSON type, list
//! elements that can't be told apart. In the real server's words.

use serde_json::Value;

use super::set::printed;
use crate::machinery::notation::go::go_print;
use crate::machinery::registry::schema::{Elements, Scalar, Shape};
use crate::machinery::registry::view::{View, element_key};

/// What is wrong with a configuration, if anything is.
pub(crate) fn configuration(shape: &Shape, config: &Value) -> Option<String> {
    let mut wrong = Vec::new();
    check(shape, config, "", &mut wrong);
    match wrong.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        many => Some(format!("errors:\n  {}", many.join("\n  "))),
    }
}

fn check(shape: &Shape, value: &Value, path: &str, wrong: &mut Vec<String>) {
    let mut complain = |path: &str, what: String| wrong.push(if path.is_empty() { what } else { format!("{path}: {what}") });
    match shape {
        _ if value.is_null() => return,
        Shape::Scalar(scalar) => {
            if let Some(expected) = mismatch(*scalar, value) {
                complain(path, expected);
            }
            return;
        }
        Shape::Atomic(inner) => return check(inner, value, path, wrong),
        Shape::Any => return,
        Shape::List(..) if !value.is_array() => return complain(path, format!("expected list, got &{{{}}}", go_print(value))),
        Shape::Map(_) | Shape::Named(_) | Shape::Inner(_) if !value.is_object() => {
            return complain(path, format!("expected map, got &{{{}}}", go_print(value)));
        }
        Shape::List(item, Elements::Atomic) => {
            for (index, element) in value.as_array().into_iter().flatten().enumerate() {
                check(item, element, &format!("{path}[{index}]"), wrong);
            }
            return;
        }
        _ => {}
    }
    let structure = shape.structure();
    for (name, inner) in value.as_object().into_iter().flatten() {
        let below = format!("{path}.{name}");
        let root = path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind");
        match structure {
            Some(declared) => match (declared.fields.get(name.as_str()), &declared.rest) {
                (Some(field), _) => check(&field.shape, inner, &below, wrong),
                (None, None) if !root => wrong.push(format!("{below}: field not declared in schema")),
                _ => {}
            },
            None => check(shape.inner(), inner, &below, wrong),
        }
    }
    let View::List(item, told) = shape.view(value) else { return };
    let mut seen = Vec::new();
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        let Some(key) = element_key(told, element) else {
            wrong.push(format!("{path}: element {index}: {}", indistinct(told, element)));
            continue;
        };
        let name = printed(&key);
        check(item, element, &format!("{path}{name}"), wrong);
        if seen.contains(&key) {
            wrong.push(format!("{path}: duplicate entries for key {name}"));
        }
        seen.push(key);
    }
}

fn mismatch(scalar: Scalar, value: &Value) -> Option<String> {
    match scalar {
        Scalar::Int32 | Scalar::Int64 | Scalar::Float if !value.is_number() => {
            let found = match value {
                Value::Bool(_) => "bool",
                Value::Array(_) => "[]interface {}",
                Value::Object(_) => "map[string]interface {}",
                _ => "string",
            };
            Some(format!("expected numeric (int or float), got {found}"))
        }
        Scalar::Flag if !value.is_boolean() => Some(format!("expected boolean, got &{{{}}}", go_print(value))),
        Scalar::Text | Scalar::Bytes | Scalar::Time | Scalar::MicroTime if !value.is_string() => {
            Some(format!("expected string, got &value.valueUnstructured{{Value:{}}}", go_print(value)))
        }
        _ => None,
    }
}

fn indistinct(told: &Elements, element: &Value) -> String {
    match told {
        Elements::Keyed(_) if element.is_null() => "associative list with keys may not have a null element".to_owned(),
        Elements::Keyed(_) if !element.is_object() => "associative list with keys may not have non-map elements".to_owned(),
        Elements::Keyed(keys) => {
            let names: Vec<String> = keys.iter().map(|k| format!("{:?}", k.name)).collect();
            format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                names.join(" ")
            )
        }
        _ if element.is_object() => "associative list without keys has an element that's a map type".to_owned(),
        _ if element.is_array() => "not supported: associative list with lists as elements".to_owned(),
        _ => "associative list without keys has an element that's an explicit null".to_owned(),
    }
}
