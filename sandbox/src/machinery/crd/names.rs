//! Which of the names that a definition asks for it gets: in a group each resource name and each kind is taken once.

use serde_json::{Value, json};

use crate::machinery::notation::clock;
use crate::machinery::notation::value::{at, default, list, set, text};

/// The status of a new definition, before anybody looked at its names.
pub(crate) fn unseen(definition: &Value) -> Value {
    json!({"acceptedNames": {"kind": "", "plural": ""}, "conditions": null, "storedVersions": stored(definition).into_iter().collect::<Vec<_>>()})
}

fn stored(definition: &Value) -> Option<Value> {
    list(definition, "spec.versions").iter().find(|v| v["storage"] == true).map(|v| v["name"].clone())
}

/// Whether the kinds of a definition are served.
pub(crate) fn is_established(definition: &Value) -> bool {
    text(definition, "status.conditions.Established.status") == "True"
}

/// Every version that objects were ever stored in.
pub(crate) fn remember_stored(definition: &mut Value) {
    let mut all = list(definition, "status.storedVersions").to_vec();
    all.extend(stored(definition).filter(|version| !all.contains(version)));
    set(definition, "status.storedVersions", Value::Array(all));
}

/// Gives a definition its names, as far as no other of its group has them, and establishes it when it got all.
pub(crate) fn accept(definition: &mut Value, others: &[Value]) {
    let group = text(definition, "spec.group").to_owned();
    let others: Vec<&Value> =
        others.iter().filter(|o| text(o, "spec.group") == group && o["metadata"]["name"] != definition["metadata"]["name"]).collect();
    let wanted = at(definition, "spec.names").cloned().unwrap_or_default();
    let mut got = at(definition, "status.acceptedNames").cloned().unwrap_or_else(|| json!({}));
    let mut conflict = None;
    for (field, reason) in [("plural", "Plural"), ("singular", "Singular"), ("shortNames", "ShortNames"), ("kind", "Kind"), ("listKind", "ListKind")]
    {
        let kinds = field.to_lowercase().ends_with("kind");
        let taken: Vec<String> =
            each(&wanted[field]).filter(|name| others.iter().any(|o| has(o, name, kinds))).map(|n| format!("{n:?} is already in use")).collect();
        match taken.as_slice() {
            [] => keep(&mut got, &wanted, field),
            [one] => conflict = Some((format!("{reason}Conflict"), one.clone())),
            many => conflict = Some((format!("{reason}Conflict"), format!("[{}]", many.join(", ")))),
        }
    }
    keep(&mut got, &wanted, "categories");
    set(definition, "status.acceptedNames", got);
    let accepted = conflict.is_none();
    let (reason, message) = conflict.unwrap_or_else(|| ("NoConflicts".to_owned(), "no conflicts found".to_owned()));
    condition(definition, "NamesAccepted", accepted, &reason, &message);
    if accepted {
        condition(definition, "Established", true, "InitialNamesAccepted", "the initial names have been accepted");
    } else if !is_established(definition) {
        condition(definition, "Established", false, "NotAccepted", "not all names are accepted");
    }
}

fn keep(got: &mut Value, wanted: &Value, field: &str) {
    match (&wanted[field], got.as_object_mut()) {
        (Value::Null, Some(map)) => drop(map.remove(field)),
        (value, Some(map)) => drop(map.insert(field.to_owned(), value.clone())),
        _ => {}
    }
}

fn each(value: &Value) -> impl Iterator<Item = &str> {
    let one = value.as_str().filter(|s| !s.is_empty());
    one.into_iter().chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// Whether a definition got a name, among its kinds or among its resources.
fn has(definition: &Value, name: &str, kinds: bool) -> bool {
    let fields: &[&str] = if kinds { &["kind", "listKind"] } else { &["plural", "singular", "shortNames"] };
    fields.iter().any(|field| at(definition, &format!("status.acceptedNames.{field}")).is_some_and(|v| each(v).any(|n| n == name)))
}

/// Sets a condition; its time is that of its last change.
pub(crate) fn condition(definition: &mut Value, kind: &str, holds: bool, reason: &str, message: &str) {
    let status = if holds { "True" } else { "False" };
    let mut all = list(definition, "status.conditions").to_vec();
    let new = json!({"type": kind, "status": status, "reason": reason, "message": message});
    match all.iter_mut().find(|c| c["type"] == kind) {
        Some(old) => {
            let since = if old["status"] == status { old["lastTransitionTime"].clone() } else { json!(clock::now()) };
            *old = new;
            old["lastTransitionTime"] = since;
        }
        None => {
            let mut new = new;
            default(&mut new, "lastTransitionTime", clock::now());
            all.push(new);
        }
    }
    set(definition, "status.conditions", Value::Array(all));
}
