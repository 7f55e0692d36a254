//! The `managedFields` of an object: one entry for each manager, operation, version and subresource.

use serde_json::{Value, json};

use super::compare::{self, compare};
use super::set::Set;
use super::typed;
use crate::machinery::notation::value::{at, remove, set as set_at, text};
use crate::machinery::{notation::clock, registry::Kind};

/// The entries of plain writes are kept apart for this many managers; older ones are put together.
const UPDATERS: usize = 10;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) apply: bool,
    pub(crate) api_version: String,
    pub(crate) subresource: String,
    /// Empty when the entry came with a write that changed nothing.
    pub(crate) time: String,
    pub(crate) fields: Set,
}

impl Manager {
    /// An applier is one manager whatever version it applies in.
    pub(crate) fn same(&self, other: &Manager) -> bool {
        (&self.name, self.apply, &self.subresource) == (&other.name, other.apply, &other.subresource)
            && (self.apply || self.api_version == other.api_version)
    }
}

/// Who writes, as `managedFields` names it.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) manager: String,
    pub(crate) subresource: String,
}

impl Writer {
    pub(crate) fn entry(&self, kind: &Kind, apply: bool, fields: Set) -> Manager {
        Manager {
            name: self.manager.clone(),
            apply,
            api_version: kind.api_version(),
            subresource: self.subresource.clone(),
            time: clock::now(),
            fields,
        }
    }
}

/// The entries of an object; none at all when one can't be read.
pub(crate) fn read(object: &Value) -> Vec<Manager> {
    let mut out: Vec<Manager> = Vec::new();
    for entry in crate::machinery::notation::value::list(object, "metadata.managedFields") {
        let known = matches!(text(entry, "operation"), "Apply" | "Update") && text(entry, "fieldsType") == "FieldsV1";
        if !known || text(entry, "apiVersion").is_empty() {
            return Vec::new();
        }
        let manager = Manager {
            name: text(entry, "manager").to_owned(),
            apply: text(entry, "operation") == "Apply",
            api_version: text(entry, "apiVersion").to_owned(),
            subresource: text(entry, "subresource").to_owned(),
            time: text(entry, "time").to_owned(),
            fields: Set::root(&entry["fieldsV1"]),
        };
        out.retain(|m| !m.same(&manager));
        out.push(manager);
    }
    out
}

/// Writes the entries as the real server sorts them: applying managers first, then by time and name.
pub(crate) fn write(object: &mut Value, managers: &[Manager]) {
    let mut sorted: Vec<&Manager> = managers.iter().filter(|m| !m.fields.is_empty()).collect();
    let order = |m: &&Manager| (!m.apply, m.time.clone(), m.name.clone(), m.api_version.clone(), m.subresource.clone());
    sorted.sort_by_key(order);
    let entries: Vec<Value> = sorted.into_iter().map(to_value).collect();
    if entries.is_empty() {
        remove(object, "metadata.managedFields");
    } else {
        set_at(object, "metadata.managedFields", Value::Array(entries));
    }
}

fn to_value(manager: &Manager) -> Value {
    let operation = if manager.apply { "Apply" } else { "Update" };
    let mut entry = json!({"manager": manager.name, "operation": operation, "apiVersion": manager.api_version,
        "fieldsType": "FieldsV1", "fieldsV1": manager.fields.to_value()});
    for (key, value) in [("time", &manager.time), ("subresource", &manager.subresource)] {
        if !value.is_empty() {
            entry[key] = json!(value);
        }
    }
    entry
}

/// Takes away what nobody owns: what names the object, and what the server itself writes.
pub(crate) fn strip(mut set: Set) -> Set {
    #[rustfmt::skip]
    const SERVER: [&str; 9] = [
        "f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid", "f:clusterName", "f:generation", "f:managedFields", "f:resourceVersion",
    ];
    set.member = false;
    set.below.retain(|key, _| key != "f:apiVersion" && key != "f:kind");
    if let Some(meta) = set.below.get_mut("f:metadata") {
        meta.member = false;
        meta.below.retain(|key, _| !SERVER.contains(&key.as_str()));
        if meta.below.is_empty() {
            set.below.remove("f:metadata");
        }
    }
    set
}

/// Records a plain write: the writer owns what it set or changed, nobody what is gone. Entries that come with `after`
/// replace those of `before`; a list of one empty entry ends the tracking, as does an
/// empty list on built-in kinds.
pub(crate) fn record(kind: &Kind, before: Option<&Value>, after: &mut Value, writer: &Writer) {
    let known = before.map(read).unwrap_or_default();
    let given = at(after, "metadata.managedFields").and_then(Value::as_array).cloned();
    let reset = given.as_ref().is_some_and(|g| (g.is_empty() && !kind.custom) || *g == [json!({})]);
    let mut managers = if reset { Vec::new() } else { Some(read(after)).filter(|m| !m.is_empty()).unwrap_or(known) };
    remove(after, "metadata.managedFields");
    if before.is_none() || !managers.is_empty() {
        track(kind, before, after, writer, &mut managers);
        cap(&mut managers);
    }
    write(after, &managers);
}

/// The entry that stands for all that was set before the first apply, when nothing is tracked.
pub(crate) fn before_first_apply(kind: &Kind, live: &Value) -> Vec<Manager> {
    let mut managers = Vec::new();
    let writer = Writer { manager: "before-first-apply".to_owned(), subresource: String::new() };
    let mut claimed = live.clone();
    if kind.has("status") {
        remove(&mut claimed, "status");
    }
    track(kind, None, &claimed, &writer, &mut managers);
    managers
}

fn track(kind: &Kind, before: Option<&Value>, after: &Value, writer: &Writer, managers: &mut Vec<Manager>) {
    let empty = typed::empty(&kind.shape);
    let found = compare(&kind.shape, Some(before.unwrap_or(&empty)), Some(after));
    let set = found.set();
    for manager in managers.iter_mut() {
        manager.fields = manager.fields.minus(&set).minus(&found.removed);
    }
    let entry = writer.entry(kind, false, strip(set));
    if !entry.fields.is_empty() {
        match managers.iter_mut().find(|m| m.same(&entry)) {
            Some(own) => {
                own.fields.union(&entry.fields);
                own.time = entry.time;
            }
            None => managers.push(entry),
        }
    }
    managers.retain(|m| !m.fields.is_empty());
}

/// Puts the oldest plain writers of each version together when there are too many.
fn cap(managers: &mut Vec<Manager>) {
    while managers.iter().filter(|m| !m.apply).count() > UPDATERS {
        let mut oldest: Vec<usize> = (0..managers.len()).filter(|i| !managers[*i].apply).collect();
        oldest.sort_by_key(|i| (managers[*i].time.clone(), managers[*i].name.clone()));
        let version = |i: usize| managers[i].api_version.clone();
        let pair = oldest.iter().enumerate().find_map(|(at, i)| oldest[at + 1..].iter().find(|j| version(**j) == version(*i)).map(|j| (*i, *j)));
        let Some((first, second)) = pair else { return };
        let later = managers[second].clone();
        let bucket = &mut managers[first];
        bucket.fields.union(&later.fields);
        bucket.name = "ancient-changes".to_owned();
        bucket.subresource = String::new();
        bucket.time = later.time;
        managers.remove(second);
    }
}

/// The fields of a configuration that its manager owns.
pub(crate) fn owned(kind: &Kind, config: &Value) -> Set {
    strip(compare::fields(&kind.shape, config))
}
