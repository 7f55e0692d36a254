//! Dotted paths into JSON values: `spec.nodeName`, `status.conditions.Ready.status`, `metadata.ownerReferences.0.kind`.
//! A segment that meets a list is an index, or the `type` or `name` of the element meant. No JSONPath, no wildcards.

use serde_json::{Map, Value};

/// What a dotted path leads to; `None` for nothing and for null. Keys with dots are out of reach.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut here = value;
    for segment in path.split('.').filter(|s| !s.is_empty()) {
        here = match here {
            Value::Object(map) => map.get(segment)?,
            Value::Array(list) => element(list, segment)?,
            _ => return None,
        };
    }
    (!here.is_null()).then_some(here)
}

fn element<'v>(list: &'v [Value], segment: &str) -> Option<&'v Value> {
    if let Ok(index) = segment.parse::<usize>() {
        return list.get(index);
    }
    list.iter().find(|e| e["type"] == segment || e["name"] == segment)
}

/// The text at a path; empty where there is none.
pub(crate) fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a path.
pub(crate) fn number(value: &Value, path: &str) -> Option<i64> {
    at(value, path).and_then(Value::as_i64)
}

/// The list at a path; empty where there is none.
pub(crate) fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A value as one would print it in a sentence or a table cell.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

/// The object at `key`, made where it is missing or something else.
pub(crate) fn object<'v>(value: &'v mut Value, key: &str) -> &'v mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let slot = &mut value[key];
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(map) => map,
        _ => unreachable!("an object was put there a line above"),
    }
}

/// Sets what a path leads to; objects on the way are made.
pub(crate) fn set(value: &mut Value, path: &str, to: Value) {
    match path.split_once('.') {
        None => {
            if !value.is_object() {
                *value = Value::Object(Map::new());
            }
            value[path] = to;
        }
        Some((head, rest)) => {
            object(value, head);
            set(&mut value[head], rest, to);
        }
    }
}

/// Sets what a path leads to, unless there is something.
pub(crate) fn default(value: &mut Value, path: &str, to: impl Into<Value>) {
    if at(value, path).is_none() {
        set(value, path, to.into());
    }
}

/// Takes away one key of the object at a path.
pub(crate) fn remove(value: &mut Value, path: &str) {
    match path.split_once('.') {
        None => {
            if let Some(map) = value.as_object_mut() {
                map.remove(path);
            }
        }
        Some((head, rest)) => {
            if let Some(inner) = value.get_mut(head) {
                remove(inner, rest);
            }
        }
    }
}

/// Takes away whatever is null, at any depth.
pub(crate) fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(prune);
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_keys_indexes_types_and_names() {
        let v = json!({"a": [{"type": "Ready", "status": "True"}, {"name": "x", "n": 2}], "b": {"c": null}});
        assert_eq!(text(&v, "a.Ready.status"), "True");
        assert_eq!(number(&v, "a.x.n"), Some(2));
        assert_eq!(text(&v, "a.0.type"), "Ready");
        assert!(at(&v, "b.c").is_none() && at(&v, "b.c.d").is_none());
    }

    #[test]
    fn set_makes_the_way_and_default_keeps_what_is_there() {
        let mut v = json!({});
        set(&mut v, "a.b.c", json!(1));
        default(&mut v, "a.b.c", 2);
        default(&mut v, "a.d", "x");
        remove(&mut v, "a.b.c");
        assert_eq!(v, json!({"a": {"b": {}, "d": "x"}}));
    }
}
