//! The `managedFields` of an object: one entry for each manager, operation, version and subresource.

use serde_json::{Value, json};

use super::compare;
use super::set::Set;
use crate::clock;
use crate::registry::Kind;
use crate::value::{list, set as set_at, text};

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) apply: bool,
    pub(crate) api_version: String,
    pub(crate) subresource: String,
    pub(crate) time: String,
    pub(crate) fields: Set,
}

impl Manager {
    fn same(&self, other: &Manager) -> bool {
        (&self.name, self.apply, &self.api_version, &self.subresource) == (&other.name, other.apply, &other.api_version, &other.subresource)
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

pub(crate) fn read(object: &Value) -> Vec<Manager> {
    let entry = |e: &Value| Manager {
        name: text(e, "manager").to_owned(),
        apply: text(e, "operation") == "Apply",
        api_version: text(e, "apiVersion").to_owned(),
        subresource: text(e, "subresource").to_owned(),
        time: text(e, "time").to_owned(),
        fields: Set::root(&e["fieldsV1"]),
    };
    list(object, "metadata.managedFields").iter().map(entry).collect()
}

/// Writes the entries, applying managers first, as the real server sorts them.
pub(crate) fn write(object: &mut Value, managers: &[Manager]) {
    let mut sorted: Vec<&Manager> = managers.iter().filter(|m| !m.fields.is_empty()).collect();
    sorted.sort_by(|a, b| b.apply.cmp(&a.apply).then_with(|| a.time.cmp(&b.time)).then_with(|| a.name.cmp(&b.name)));
    let entries: Vec<Value> = sorted.into_iter().map(to_value).collect();
    if entries.is_empty() {
        crate::value::remove(object, "metadata.managedFields");
    } else {
        set_at(object, "metadata.managedFields", Value::Array(entries));
    }
}

fn to_value(manager: &Manager) -> Value {
    let operation = if manager.apply { "Apply" } else { "Update" };
    let mut entry = json!({"manager": manager.name, "operation": operation, "apiVersion": manager.api_version, "time": manager.time,
        "fieldsType": "FieldsV1", "fieldsV1": manager.fields.to_value()});
    if !manager.subresource.is_empty() {
        entry["subresource"] = json!(manager.subresource);
    }
    entry
}

/// Records a plain write: the writer owns what it set or changed, nobody what is gone.
pub(crate) fn record(kind: &Kind, before: &Value, after: &mut Value, writer: &Writer) {
    let mut managers = read(before);
    let (set, gone) = compare::differences(kind.schema(), before, after);
    let entry = writer.entry(kind, false, Set::default());
    let own = managers.iter().position(|m| m.same(&entry));
    for (at, manager) in managers.iter_mut().enumerate() {
        if Some(at) != own {
            manager.fields = manager.fields.minus(&set);
        }
        manager.fields = manager.fields.minus(&gone);
    }
    if !set.is_empty() {
        match own {
            Some(at) => {
                managers[at].fields.union(&set);
                managers[at].time = entry.time;
            }
            None => managers.push(Manager { fields: set, ..entry }),
        }
    }
    write(after, &managers);
}
