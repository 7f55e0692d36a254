//! Sets of fields from values: all fields of a configuration, and what differs between two objects.

use serde_json::{Map, Value, json};

use super::set::Set;
use crate::registry::schema::{self, Rule};

/// Maps that are there whether one sets them or not, so that nobody owns them as such.
const STRUCTS: &[&str] = &["spec", "status", "template", "strategy", "metadata", "containers"];

/// The path element of a keyed list's element. Keys that are missing count with their defaults.
pub(crate) fn element_key(rule: Rule, element: &Value) -> Option<String> {
    match rule {
        Rule::Keyed(keys) => {
            let mut map = Map::new();
            for key in keys {
                let value = match (&element[*key], *key) {
                    (Value::Null, "protocol") => json!("TCP"),
                    (Value::Null, _) => return None,
                    (value, _) => value.clone(),
                };
                map.insert((*key).to_owned(), value);
            }
            Some(format!("k:{}", Value::Object(map)))
        }
        Rule::Set => Some(format!("v:{element}")),
        Rule::Plain | Rule::Atomic => None,
    }
}

/// Whether a value's elements are owned one by one under a rule.
pub(crate) fn is_granular(rule: Rule, value: &Value) -> bool {
    match value {
        Value::Object(map) => rule != Rule::Atomic && !map.is_empty(),
        Value::Array(list) => matches!(rule, Rule::Keyed(_) | Rule::Set) && !list.is_empty() && list.iter().all(|e| element_key(rule, e).is_some()),
        _ => false,
    }
}

/// The fields that a value sets, `value` being of type `of` and under `rule`. With `dots`, maps are members themselves,
/// as a plain write that makes them owns them; server-side apply owns leaves and list elements only.
fn fields(of: &str, rule: Rule, value: &Value, dots: bool) -> Set {
    let mut set = Set::leaf();
    if !is_granular(rule, value) {
        return set;
    }
    set.member = dots;
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let field = schema::field(of, name);
                let mut inner = fields(field.child, field.rule, inner, dots);
                inner.member &= inner.below.is_empty() || !STRUCTS.contains(&name.as_str());
                set.insert(format!("f:{name}"), inner);
            }
        }
        Value::Array(list) => {
            for element in list {
                if let Some(key) = element_key(rule, element) {
                    let mut inner = if rule == Rule::Set { Set::leaf() } else { fields(of, Rule::Plain, element, dots) };
                    inner.member = true;
                    set.insert(key, inner);
                }
            }
        }
        _ => {}
    }
    set
}

/// The fields of a whole object that a manager can own.
pub(crate) fn object_fields(kind: &str, object: &Value) -> Set {
    let mut set = fields(kind, Rule::Plain, object, false);
    set.member = false;
    strip(&mut set);
    set
}

/// What `after` sets that `before` doesn't, or sets otherwise; and what it no longer sets.
pub(crate) fn differences(kind: &str, before: &Value, after: &Value) -> (Set, Set) {
    let (mut set, mut gone) = (Set::default(), Set::default());
    differ(kind, Rule::Plain, before, after, &mut set, &mut gone);
    set.member = false;
    gone.member = false;
    strip(&mut set);
    strip(&mut gone);
    (set, gone)
}

fn differ(of: &str, rule: Rule, before: &Value, after: &Value, set: &mut Set, gone: &mut Set) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if rule != Rule::Atomic && !old.is_empty() && !new.is_empty() => {
            for (name, value) in new {
                let field = schema::field(of, name);
                let key = format!("f:{name}");
                match old.get(name) {
                    None => set.insert(key, fields(field.child, field.rule, value, true)),
                    Some(was) => child(&key, set, gone, |s, g| differ(field.child, field.rule, was, value, s, g)),
                }
            }
            for (name, was) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
                let field = schema::field(of, name);
                gone.insert(format!("f:{name}"), fields(field.child, field.rule, was, true));
            }
        }
        (Value::Array(old), Value::Array(new)) if is_granular(rule, before) && is_granular(rule, after) => {
            let find = |list: &[Value], key: &str| list.iter().find(|e| element_key(rule, e).as_deref() == Some(key)).cloned();
            for value in new {
                let Some(key) = element_key(rule, value) else { continue };
                match find(old, &key) {
                    None => {
                        let mut added = fields(of, Rule::Plain, value, true);
                        added.member = true;
                        set.insert(key, added);
                    }
                    Some(was) => child(&key.clone(), set, gone, |s, g| differ(of, Rule::Plain, &was, value, s, g)),
                }
            }
            for was in old {
                let Some(key) = element_key(rule, was) else { continue };
                if find(new, &key).is_none() {
                    gone.insert(key, Set { member: true, ..fields(of, Rule::Plain, was, true) });
                }
            }
        }
        _ => {
            let still = fields(of, rule, after, true);
            gone.union(&fields(of, rule, before, true).minus(&still));
            set.union(&still);
        }
    }
}

fn child(key: &str, set: &mut Set, gone: &mut Set, into: impl FnOnce(&mut Set, &mut Set)) {
    let (mut s, mut g) = (Set::default(), Set::default());
    into(&mut s, &mut g);
    set.insert(key.to_owned(), s);
    gone.insert(key.to_owned(), g);
}

/// Takes away what nobody owns: what names the object, and what the server itself writes.
fn strip(set: &mut Set) {
    for key in ["f:apiVersion", "f:kind"] {
        set.below.remove(key);
    }
    let Some(meta) = set.below.get_mut("f:metadata") else { return };
    meta.member = false;
    meta.below.retain(|key, _| matches!(key.as_str(), "f:labels" | "f:annotations" | "f:ownerReferences" | "f:finalizers" | "f:generateName"));
    if meta.below.is_empty() {
        set.below.remove("f:metadata");
    }
}
