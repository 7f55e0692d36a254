//! Server-side apply: merge a configuration into an object, keep who owns what, remove what the manager no longer
//! wants and nobody else owns, and refuse to overwrite another manager's value unless forced.

use serde_json::{Value, json};

use super::compare::{compare, fields};
use super::managed::{self, Manager, Writer};
use super::merge::{merge, with_named_fields, without};
use super::set::Set;
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{set as set_at, text};
use crate::machinery::registry::{Kind, schema::Shape};

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Applies a configuration. The result carries its new `managedFields`; an error, the fields that others own with another value.
pub(crate) fn apply(kind: &Kind, live: &Value, config: &Value, writer: &Writer, force: bool) -> Result<Value, Vec<Cause>> {
    let mut managers = managed::read(live);
    if managers.is_empty() && !text(live, "metadata.uid").is_empty() {
        managers = managed::before_first_apply(kind, live);
    }
    // kubectl was the manager of objects that it applied in its own way before, and says what in an annotation.
    let former = if writer.manager == "kubectl" { last_applied(kind, live) } else { None };
    let mut object = attempt(kind, live, config, writer, managers, force, former.as_ref())?;
    if writer.manager == "kubectl" && has_last_applied(&object) {
        let mut said = config.clone();
        if let Some(annotations) = said.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            annotations.remove(LAST_APPLIED);
        }
        object["metadata"]["annotations"][LAST_APPLIED] = json!(format!("{said}\n"));
    }
    Ok(object)
}

fn attempt(
    kind: &Kind,
    live: &Value,
    config: &Value,
    writer: &Writer,
    mut managers: Vec<Manager>,
    force: bool,
    allowed: Option<&Set>,
) -> Result<Value, Vec<Cause>> {
    let shape = &kind.shape;
    let entry = writer.entry(kind, true, managed::owned(kind, config));
    let own = managers.iter().position(|m| m.same(&entry));
    let before = own.map(|at| managers.remove(at));

    let mut object = merge(shape, Some(live), Some(config)).unwrap_or_default();
    if let Some(before) = &before {
        let mut owned = entry.fields.clone();
        managers.iter().for_each(|m| owned.union(&m.fields));
        object = prune(shape, &object, &before.fields, &owned);
    }
    let found = compare(shape, Some(live), Some(&object));
    let set = found.set();
    if !force {
        let causes = conflicts(&managers, &set, allowed);
        if !causes.is_empty() {
            return Err(causes);
        }
    }
    for manager in &mut managers {
        manager.fields = manager.fields.minus(&set).minus(&found.removed);
    }
    // A manager that joins without changing anything has no time.
    let time = if *live == object { before.map(|b| b.time).unwrap_or_default() } else { entry.time.clone() };
    managers.push(Manager { time, ..entry });
    managed::write(&mut object, &managers);
    Ok(object)
}

fn conflicts(managers: &[Manager], changed: &Set, allowed: Option<&Set>) -> Vec<Cause> {
    let mut sorted: Vec<&Manager> = managers.iter().collect();
    sorted.sort_by(|a, b| (&a.name, a.apply, &a.subresource).cmp(&(&b.name, b.apply, &b.subresource)));
    let mut causes = Vec::new();
    for manager in sorted {
        let mut contested = manager.fields.both(changed);
        if let Some(allowed) = allowed {
            contested = contested.minus(allowed);
        }
        let using = if manager.apply { String::new() } else { format!(" using {}", manager.api_version) };
        let with = if manager.subresource.is_empty() { String::new() } else { format!(" with subresource {:?}", manager.subresource) };
        for field in contested.paths() {
            causes.push(Cause::new("FieldManagerConflict", field, format!("conflict with {:?}{with}{using}", manager.name)));
        }
    }
    causes
}

/// The merged object without what the manager had and nobody owns any more.
fn prune(shape: &Shape, merged: &Value, had: &Set, owned: &Set) -> Value {
    let whole = |set: &Set| with_named_fields(shape, set);
    let all = whole(&fields(shape, merged));
    let left = |gone: &Set| without(shape, merged, gone).unwrap_or_else(|| json!({}));
    // First all that it had goes; what somebody owns comes back, and then what it never had.
    let mut kept = whole(&fields(shape, &left(&whole(had))));
    kept.union(&whole(owned));
    let pruned = left(&all.minus(&kept));
    let kept = whole(&fields(shape, &pruned));
    left(&all.minus(&kept).both(&whole(had)))
}

fn has_last_applied(object: &Value) -> bool {
    object["metadata"]["annotations"][LAST_APPLIED].is_string()
}

/// What kubectl's own annotation says it applied, as far as it still holds.
fn last_applied(kind: &Kind, live: &Value) -> Option<Set> {
    let said: Value = serde_json::from_str(live["metadata"]["annotations"][LAST_APPLIED].as_str()?).ok()?;
    if text(&said, "apiVersion") != kind.api_version() {
        return None;
    }
    let mut current = live.clone();
    set_at(&mut current, "metadata.managedFields", Value::Null);
    let found = compare(&kind.shape, Some(&said), Some(&current));
    Some(fields(&kind.shape, &said).minus(&found.set()).minus(&found.removed))
}
