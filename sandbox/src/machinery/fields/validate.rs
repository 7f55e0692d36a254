//! What keeps a configuration from being applied: fields that the type doesn't have, values of another JSON type, list
//! elements that can't be told apart. In the real server's words.

use serde_json::Value;

use super::set::printed;
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
        Shape::List(..) if !value.is_array() => return complain(path, format!("expected list, got {value}")),
        Shape::Map(_) | Shape::Named(_) | Shape::Inner(_) if !value.is_object() => {
            return complain(path, format!("expected map, got {value}"));
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
            wrong.push(format!("{path}: element {index}: {}", indistinct(told)));
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
    let expected = match scalar {
        Scalar::Int32 | Scalar::Int64 | Scalar::Float if !value.is_number() => "numeric (int or float)",
        Scalar::Flag if !value.is_boolean() => "boolean",
        Scalar::Text | Scalar::Bytes | Scalar::Time | Scalar::MicroTime if !value.is_string() => "string",
        _ => return None,
    };
    Some(format!("expected {expected}, got {value}"))
}

fn indistinct(told: &Elements) -> String {
    match told {
        Elements::Keyed(keys) => {
            let names: Vec<&str> = keys.iter().map(|k| &*k.name).collect();
            format!("element of an associative list with keys has none of the key fields {names:?}")
        }
        _ => "element of an associative list without keys is no scalar".to_owned(),
    }
}
