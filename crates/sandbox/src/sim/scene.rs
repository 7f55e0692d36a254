//! An object and what is around it, as stages see it: conditions are tested here and templates filled in.
//!
//! In a template the text `$name` or `$name:argument` stands for a made value ([`super::made`]), `=path` for a copy of
//! what a path leads to, and `${path}` inside a text for the words there.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::made;
use super::stage::When;
use crate::cluster::Cluster;
use crate::store::Entry;
use crate::value::{at, list, plain, text};

/// The annotation that makes an object fail.
pub(crate) const FAIL: &str = "sandbox.kubekcloud.io/fail";

/// One object, and the cluster around it.
pub(crate) struct Scene<'c> {
    pub(crate) cluster: &'c Cluster,
    pub(crate) object: Value,
}

impl<'c> Scene<'c> {
    pub(crate) fn new(cluster: &'c Cluster, entry: &Entry) -> Self {
        Scene { cluster, object: entry.value() }
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.object, "metadata.uid")
    }

    /// The objects of a table that this one owns.
    pub(crate) fn children(&self, table: &str) -> Vec<Arc<Entry>> {
        let found = self.cluster.store.dependents(self.uid());
        found.into_iter().filter(|(t, _)| **t == *table).filter_map(|(t, key)| self.cluster.store.get(&t, &key)).collect()
    }

    fn related(&self, name: &str) -> Option<Arc<Entry>> {
        if name == "owner" {
            let owner = list(&self.object, "metadata.ownerReferences").iter().find(|o| o["controller"] == true)?;
            let (table, key) = self.cluster.store.by_uid(text(owner, "uid"))?;
            return self.cluster.store.get(&table, &key);
        }
        self.children(name).into_iter().next()
    }

    /// What a path leads to, here or in a related object.
    pub(crate) fn look(&self, path: &str) -> Option<Value> {
        match path.strip_prefix('@') {
            None => at(&self.object, path).cloned(),
            Some(rest) => {
                let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
                at(&self.related(name)?.value(), path).cloned()
            }
        }
    }

    pub(crate) fn fails(&self) -> &str {
        self.object["metadata"]["annotations"][FAIL].as_str().unwrap_or("none")
    }

    pub(crate) fn matches(&self, when: &When) -> bool {
        let one_of = |path: &str, wanted: &Value| {
            self.look(path).is_some_and(|found| wanted.as_array().map_or(&found == wanted, |many| many.contains(&found)))
        };
        (when.fail.is_empty() || when.fail.iter().any(|f| f == self.fails()))
            && when.has.iter().all(|path| self.look(path).is_some())
            && when.lacks.iter().all(|path| self.look(path).is_none())
            && when.is.iter().all(|(path, wanted)| one_of(path, wanted))
            && when.not.iter().all(|(path, unwanted)| !one_of(path, unwanted))
    }

    /// Fills in a template.
    pub(crate) fn fill(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => self.fill_text(text),
            Value::Array(list) => Value::Array(list.iter().map(|v| self.fill(v)).collect()),
            Value::Object(map) => {
                let filled = map.iter().map(|(key, value)| (plain(&self.fill_text(key)), self.fill(value)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }

    fn fill_text(&self, template: &str) -> Value {
        if let Some(path) = template.strip_prefix('=') {
            return self.look(path).unwrap_or(Value::Null);
        }
        match template.strip_prefix('$') {
            Some(name) if !name.starts_with('{') && !name.starts_with("patch") => made::make(self, name),
            _ => Value::String(self.words(template)),
        }
    }

    /// A text with its `${path}`s filled in.
    pub(crate) fn words(&self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((path, tail)) = after.split_once('}') else { break };
            out.push_str(&self.look(path).map(|v| plain(&v)).unwrap_or_default());
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

/// Keeps the times of conditions that say what they said before, so that writing the same again is no change.
pub(crate) fn settle(before: &Value, after: &mut Value) {
    let old = list(before, "status.conditions").to_vec();
    let Some(new) = after.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else { return };
    for condition in new {
        let Some(was) = old.iter().find(|c| c["type"] == condition["type"]) else { continue };
        let unchanged = was["status"] == condition["status"];
        let at_all = unchanged && was["reason"] == condition["reason"] && was["message"] == condition["message"];
        if unchanged {
            copy(was, condition, "lastTransitionTime");
        }
        if at_all {
            copy(was, condition, "lastProbeTime");
            copy(was, condition, "lastUpdateTime");
            copy(was, condition, "lastHeartbeatTime");
        }
    }
}

fn copy(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => to[field] = value.clone(),
        None => crate::value::remove(to, field),
    }
}
