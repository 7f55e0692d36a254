//! Strategic merge patch: like a JSON merge patch, but lists with a merge key are merged element by element, and
//! directives say otherwise: `$patch: delete|replace|merge`, `$deleteFromPrimitiveList/FIELD`,
//! `$setElementOrder/FIELD`, `$retainKeys`.

use serde_json::{Map, Value};

use crate::registry::schema;

/// Merges a patch into an object of a type.
pub(crate) fn merge(of: &str, object: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *object = patch.clone();
        return;
    };
    if patch.get("$patch").is_some_and(|p| p == "replace") {
        *object = Value::Object(without_directives(patch));
        return;
    }
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    let Value::Object(map) = object else { return };
    retain_keys(map, patch);
    for (name, value) in patch {
        if let Some(field) = name.strip_prefix("$deleteFromPrimitiveList/") {
            delete_scalars(map, field, value);
        } else if name.starts_with('$') {
            continue;
        } else if value.is_null() || value["$patch"] == "delete" {
            map.remove(name);
        } else {
            merge_field(of, map, name, value);
        }
    }
    for (name, order) in patch {
        if let Some(field) = name.strip_prefix("$setElementOrder/") {
            set_order(schema::field(of, field).strategic, map, field, order);
        }
    }
}

fn merge_field(of: &str, map: &mut Map<String, Value>, name: &str, value: &Value) {
    let field = schema::field(of, name);
    let slot = map.entry(name.to_owned()).or_insert(Value::Null);
    match (value, field.strategic) {
        (Value::Object(_), _) => merge(field.child, slot, value),
        (Value::Array(new), "*") => merge_scalars(slot, new),
        (Value::Array(new), key) if !key.is_empty() => merge_list(field.child, key, slot, new),
        _ => *slot = value.clone(),
    }
}

fn merge_scalars(slot: &mut Value, new: &[Value]) {
    let mut out = slot.as_array().cloned().unwrap_or_default();
    for value in new {
        if !out.contains(value) {
            out.push(value.clone());
        }
    }
    *slot = Value::Array(out);
}

fn merge_list(of: &str, key: &str, slot: &mut Value, new: &[Value]) {
    if new.iter().any(|e| e["$patch"] == "replace") {
        let rest = new.iter().filter(|e| e["$patch"].is_null()).cloned();
        *slot = Value::Array(rest.collect());
        return;
    }
    let mut out = slot.as_array().cloned().unwrap_or_default();
    for value in new {
        let at = out.iter().position(|e| !e[key].is_null() && e[key] == value[key]);
        match (at, value["$patch"] == "delete") {
            (Some(at), true) => {
                out.remove(at);
            }
            (None, true) => {}
            (Some(at), false) => merge(of, &mut out[at], value),
            (None, false) => out.push(value.as_object().map_or_else(|| value.clone(), |m| Value::Object(without_directives(m)))),
        }
    }
    *slot = Value::Array(out);
}

fn delete_scalars(map: &mut Map<String, Value>, field: &str, gone: &Value) {
    if let (Some(Value::Array(list)), Some(gone)) = (map.get_mut(field), gone.as_array()) {
        list.retain(|e| !gone.contains(e));
    }
}

/// Puts the elements that the order names in that order; the others keep their places after them.
fn set_order(key: &str, map: &mut Map<String, Value>, field: &str, order: &Value) {
    let (Some(Value::Array(list)), Some(order)) = (map.get_mut(field), order.as_array()) else { return };
    let place = |e: &Value| {
        let found = order.iter().position(|o| if key.is_empty() || key == "*" { o == e } else { o[key] == e[key] });
        found.unwrap_or(usize::MAX)
    };
    list.sort_by_key(place);
}

fn retain_keys(map: &mut Map<String, Value>, patch: &Map<String, Value>) {
    if let Some(keys) = patch.get("$retainKeys").and_then(Value::as_array) {
        map.retain(|name, _| keys.iter().any(|k| k == name));
    }
}

fn without_directives(map: &Map<String, Value>) -> Map<String, Value> {
    let kept = map.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    kept.map(|(name, value)| (name.clone(), value.as_object().map_or_else(|| value.clone(), |m| Value::Object(without_directives(m))))).collect()
}
