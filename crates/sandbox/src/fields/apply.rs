//! Server-side apply: merge a configuration into an object, keep who owns what, remove what the manager no longer
//! wants and nobody else owns, and refuse to overwrite another manager's value unless forced.

use serde_json::{Map, Value};

use super::compare::{self, element_key, is_granular};
use super::managed::{self, Manager, Writer};
use super::set::Set;
use crate::registry::Kind;
use crate::registry::schema::{self, Rule};
use crate::status::Cause;

/// Fields that other managers own with another value.
#[derive(Debug)]
pub(crate) struct Conflicts(pub(crate) Vec<Cause>);

/// Applies a configuration. The result carries its new `managedFields`.
pub(crate) fn apply(kind: &Kind, live: &Value, config: &Value, writer: &Writer, force: bool) -> Result<Value, Conflicts> {
    let root = kind.schema();
    let wanted = compare::object_fields(root, config);
    let mut managers = managed::read(live);
    let entry = writer.entry(kind, true, wanted.clone());
    let own = managers.iter().position(|m| m.name == entry.name && m.apply && m.subresource == entry.subresource);
    let before = own.map(|at| managers.remove(at));

    let mut merged = merge(root, Rule::Plain, live, config);
    let (changed, _) = compare::differences(root, live, &merged);
    let conflicts = conflicts(&managers, &changed.both(&wanted));
    if !conflicts.is_empty() && !force {
        return Err(Conflicts(conflicts));
    }
    for manager in &mut managers {
        manager.fields = manager.fields.minus(&changed.both(&wanted));
    }

    if let Some(before) = &before {
        let mut others = Set::default();
        managers.iter().for_each(|m| others.union(&m.fields));
        prune(root, Rule::Plain, &mut merged, &before.fields, &wanted, &others);
    }
    let (_, gone) = compare::differences(root, live, &merged);
    for manager in &mut managers {
        manager.fields = manager.fields.minus(&gone);
    }

    let same = before.as_ref().is_some_and(|b| b.fields == wanted && b.api_version == entry.api_version);
    let time = before.filter(|_| same).map_or(entry.time.clone(), |b| b.time);
    managers.push(Manager { time, ..entry });
    managed::write(&mut merged, &managers);
    Ok(merged)
}

fn conflicts(managers: &[Manager], changed: &Set) -> Vec<Cause> {
    let mut causes = Vec::new();
    for manager in managers {
        for field in manager.fields.both(changed).leaves() {
            let using = if manager.apply { String::new() } else { format!(" using {}", manager.api_version) };
            let with = if manager.subresource.is_empty() { String::new() } else { format!(" with subresource {:?}", manager.subresource) };
            causes.push(Cause::new("FieldManagerConflict", field, format!("conflict with {:?}{with}{using}", manager.name)));
        }
    }
    causes.sort_by(|a, b| (&a.message, &a.field).cmp(&(&b.message, &b.field)));
    causes
}

/// The live value with the configuration's values in place of its own.
fn merge(of: &str, rule: Rule, live: &Value, config: &Value) -> Value {
    match (live, config) {
        (Value::Object(old), Value::Object(new)) if rule != Rule::Atomic => {
            let mut out = old.clone();
            for (name, value) in new {
                let field = schema::field(of, name);
                let merged = merge(field.child, field.rule, old.get(name).unwrap_or(&Value::Null), value);
                out.insert(name.clone(), merged);
            }
            Value::Object(out)
        }
        (Value::Array(old), Value::Array(_)) if is_granular(rule, config) && (old.is_empty() || is_granular(rule, live)) => {
            merge_list(of, rule, old, config.as_array().map_or(&[], Vec::as_slice))
        }
        (_, config) => config.clone(),
    }
}

/// Elements keep the live order; new ones come after, in the configuration's order.
fn merge_list(of: &str, rule: Rule, old: &[Value], new: &[Value]) -> Value {
    let mut out: Vec<Value> = old.to_vec();
    for value in new {
        let key = element_key(rule, value);
        match out.iter_mut().find(|e| element_key(rule, e) == key) {
            Some(there) => *there = merge(of, Rule::Plain, there, value),
            None => out.push(value.clone()),
        }
    }
    Value::Array(out)
}

/// Removes what the manager owned, doesn't want any more and nobody else owns.
fn prune(of: &str, rule: Rule, value: &mut Value, had: &Set, wants: &Set, others: &Set) {
    let empty = Set::default();
    let mut doomed = Vec::new();
    for (key, had) in &had.below {
        let (wants, others) = (wants.child(key).unwrap_or(&empty), others.child(key).unwrap_or(&empty));
        if wants.is_empty() && others.is_empty() {
            doomed.push(key.as_str());
        } else if !had.below.is_empty() {
            inside(of, rule, value, key, |of, rule, inner| prune(of, rule, inner, had, wants, others));
        }
    }
    match value {
        Value::Object(map) => map.retain(|name, _| !doomed.contains(&format!("f:{name}").as_str())),
        Value::Array(list) => list.retain(|e| element_key(rule, e).is_none_or(|key| !doomed.contains(&key.as_str()))),
        _ => {}
    }
    drop_hollow(value, had, wants, others);
}

/// Lists that were emptied go as well, unless somebody owns them as such.
fn drop_hollow(value: &mut Value, had: &Set, wants: &Set, others: &Set) {
    let Value::Object(map) = value else { return };
    let owned = |set: &Set, key: &str| set.child(key).is_some_and(|s| s.member);
    map.retain(|name, inner| {
        let key = format!("f:{name}");
        let touched = had.child(&key).is_some();
        let hollow = inner.as_array().is_some_and(Vec::is_empty) || inner.as_object().is_some_and(Map::is_empty);
        !(touched && hollow) || owned(wants, &key) || owned(others, &key)
    });
}

fn inside(of: &str, rule: Rule, value: &mut Value, key: &str, then: impl FnOnce(&str, Rule, &mut Value)) {
    match value {
        Value::Object(map) => {
            let name = key.strip_prefix("f:").unwrap_or(key);
            let field = schema::field(of, name);
            if let Some(inner) = map.get_mut(name) {
                then(field.child, field.rule, inner);
            }
        }
        Value::Array(list) => {
            if let Some(inner) = list.iter_mut().find(|e| element_key(rule, e).as_deref() == Some(key)) {
                then(of, Rule::Plain, inner);
            }
        }
        _ => {}
    }
}
