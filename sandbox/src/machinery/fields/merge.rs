//! What server-side apply does with values: merge a configuration in, and take fields out.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::compare::is_empty;
use super::set::Set;
use crate::machinery::registry::schema::{Elements, Shape};
use crate::machinery::registry::view::{View, element_key};

/// The live value with the configuration's values in place of its own. Nothing is removed.
pub(crate) fn merge(shape: &Shape, live: Option<&Value>, config: Option<&Value>) -> Option<Value> {
    let present = config.or(live)?;
    let keep = || Some(present.clone());
    if live.is_none_or(is_empty) && config.is_none_or(is_empty) {
        return keep();
    }
    match shape.view(present) {
        View::Leaf => keep(),
        View::Map(members) => {
            let (live, config) = (live.and_then(Value::as_object), config.and_then(Value::as_object));
            if live.is_none_or(Map::is_empty) && config.is_none_or(Map::is_empty) {
                return keep();
            }
            let mut out = Map::new();
            for name in live.into_iter().chain(config).flat_map(Map::keys) {
                if !out.contains_key(name) {
                    let merged = merge(members.shape(name), live.and_then(|m| m.get(name)), config.and_then(|m| m.get(name)));
                    out.extend(merged.map(|value| (name.clone(), value)));
                }
            }
            (!out.is_empty()).then_some(Value::Object(out))
        }
        View::List(item, told) => {
            let out = lists(item, told, live.and_then(Value::as_array), config.and_then(Value::as_array));
            (!out.is_empty()).then_some(Value::Array(out))
        }
    }
}

/// Shared elements come in the configuration's order, others where they were or as soon as they can.
fn lists(item: &Shape, told: &Elements, live: Option<&Vec<Value>>, config: Option<&Vec<Value>>) -> Vec<Value> {
    let index = |list: Option<&'_ Vec<Value>>| -> Vec<(String, Value)> {
        list.into_iter().flatten().filter_map(|e| element_key(told, e).map(|key| (key, e.clone()))).collect()
    };
    let (live, config) = (index(live), index(config));
    let mut known: HashMap<&str, Option<&Value>> = HashMap::new();
    for (key, value) in &live {
        // Repeated elements can't be merged into.
        known.entry(key).and_modify(|v| *v = None).or_insert(Some(value));
    }
    let wanted: HashMap<&str, &Value> = config.iter().map(|(k, v)| (k.as_str(), v)).collect();
    let mut shared = config.iter().map(|(k, _)| k.as_str()).filter(|k| known.contains_key(k)).peekable();
    let (mut out, mut done, mut l, mut r) = (Vec::new(), Vec::new(), 0, 0);
    while l < live.len() || r < config.len() {
        let here = live.get(l).map(|(key, value)| (key.as_str(), value));
        let next = config.get(r).map(|(key, _)| key.as_str());
        match (here, next) {
            (Some((key, _)), Some(next)) if key == next => {
                out.extend(merge(item, known.get(key).copied().flatten(), wanted.get(key).copied()));
                done.push(key);
                (l, r) = (l + 1, r + 1);
                shared.next();
                continue;
            }
            // Shared, but not the one that is due.
            (Some((key, _)), Some(_)) if wanted.contains_key(key) && shared.peek().is_some_and(|due| *due != key) => {
                l += 1;
                continue;
            }
            (Some((key, value)), _) if !wanted.contains_key(key) => {
                out.extend(merge(item, Some(value), None));
                l += 1;
                continue;
            }
            (Some((key, _)), _) if done.contains(&key) => l += 1,
            _ => {}
        }
        if let Some(next) = next {
            out.extend(merge(item, known.get(next).copied().flatten(), wanted.get(next).copied()));
            done.push(next);
            r += 1;
            if shared.peek() == Some(&next) {
                shared.next();
            }
        }
    }
    out
}

/// The value without the fields of a set. `None` when nothing is left of a map or list.
pub(crate) fn without(shape: &Shape, value: &Value, gone: &Set) -> Option<Value> {
    if is_empty(value) && !matches!(shape.view(value), View::Leaf) {
        return None;
    }
    match shape.view(value) {
        View::Leaf => (!value.is_object() && !value.is_array()).then(|| value.clone()),
        View::Map(members) => {
            let mut out = Map::new();
            for (name, inner) in value.as_object().into_iter().flatten() {
                match gone.child(&format!("f:{name}")) {
                    Some(below) if below.member => {}
                    Some(below) => {
                        out.insert(name.clone(), without(members.shape(name), inner, below).unwrap_or(Value::Null));
                    }
                    None => {
                        out.insert(name.clone(), inner.clone());
                    }
                }
            }
            (!out.is_empty()).then_some(Value::Object(out))
        }
        View::List(item, told) => {
            let mut out = Vec::new();
            for element in value.as_array().into_iter().flatten() {
                match element_key(told, element).and_then(|key| gone.child(&key)) {
                    Some(below) if below.member => {}
                    Some(below) => out.extend(without(item, element, below)),
                    None => out.push(element.clone()),
                }
            }
            (!out.is_empty()).then_some(Value::Array(out))
        }
    }
}

/// The set with every struct's field in it that has something below: removing all below removes the field.
pub(crate) fn with_named_fields(shape: &Shape, set: &Set) -> Set {
    let mut out = Set { member: set.member, ..Set::default() };
    let members = match shape.view(&Value::Object(Map::new())) {
        View::Map(members) => Some(members),
        _ => None,
    };
    for (key, below) in &set.below {
        let name = key.strip_prefix("f:");
        let (inner, is_named) = match (name, members) {
            (Some(name), Some(members)) => (members.shape(name), members.is_named(name)),
            _ => (shape.inner(), false),
        };
        let mut child = with_named_fields(inner, below);
        child.member |= is_named && !below.below.is_empty();
        out.insert(key.clone(), child);
    }
    out
}
