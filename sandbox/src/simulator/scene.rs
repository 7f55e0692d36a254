//! An object and what is around it, as stages see it: conditions are tested here and templates filled in.
//!
//! Paths that begin with `@` lead to something around the object: `@owner/path` to its controller, `@TABLE/path` to the
//! first object of a table that it owns (its group may be left out), `@TABLE:path/path` to the object of a table that it names at a path, and
//! `@user/path` to the Pod that uses a claim, and
//! `@container/…`, `@config/…`, `@mount/…`, `@node/…`, `@probe/…`, `@program/…` to facts about a Pod ([`super::around`]),
//! `@machine/…` to those about a virtual machine. `@annotation:KEY` is the object's own annotation, and `@body/path` leads
//! into what a call brought along.
//!
//! In a template the text `$name` or `$name:argument` stands for a made value ([`super::made`]), `=path` for a copy of
//! what a path leads to, and `${path}` inside a text for the words there.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::queue::Named;
use super::stage::When;
use super::{around, made};
use crate::machinery::notation::value::{at, list, plain, text};
use crate::node::{order, program};
use crate::server::cluster::Cluster;
use crate::server::store::{Entry, Key};

/// The annotation that makes an object fail.
pub(crate) const FAIL: &str = "sandbox.kubekcloud.io/fail";

/// One object, and the cluster around it.
pub(crate) struct Scene<'c> {
    pub(crate) cluster: &'c Cluster,
    pub(crate) object: Value,
    pub(crate) body: Value,
    /// The containers at hand, and the one that a template is being filled in for.
    containers: OnceCell<Vec<Value>>,
    container: RefCell<Option<Value>>,
    node: OnceCell<Value>,
    interests: RefCell<Vec<Named>>,
    again: Cell<Option<Duration>>,
}

impl<'c> Scene<'c> {
    pub(crate) fn new(cluster: &'c Cluster, entry: &Entry) -> Self {
        Scene {
            cluster,
            object: entry.value(),
            body: Value::Null,
            containers: OnceCell::new(),
            container: RefCell::default(),
            node: OnceCell::new(),
            interests: RefCell::default(),
            again: Cell::default(),
        }
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.object, "metadata.uid")
    }

    pub(crate) fn namespace(&self) -> &str {
        text(&self.object, "metadata.namespace")
    }

    /// The objects of a table that this one owns.
    pub(crate) fn children(&self, table: &str) -> Vec<Arc<Entry>> {
        let found = self.cluster.store.dependents(self.uid());
        let named = |t: &str| t == table || t.split_once('.').is_some_and(|(plural, _)| plural == table);
        found.into_iter().filter(|(t, _)| named(t)).filter_map(|(t, key)| self.cluster.store.get(&t, &key)).collect()
    }

    /// The next change of an object matters to this one; without a name, of any object of the table.
    pub(crate) fn wait_for(&self, table: &str, namespace: &str, name: &str) {
        self.interests.borrow_mut().push((table.into(), Key::new(namespace, name)));
    }

    pub(crate) fn interests(&self) -> Vec<Named> {
        self.interests.take()
    }

    /// The stage is to be carried out again after some time, even if nothing changes.
    pub(crate) fn come_back(&self, after: Duration) {
        let earlier = self.again.get().is_none_or(|again| after < again);
        if earlier {
            self.again.set(Some(after));
        }
    }

    pub(crate) fn comes_back(&self) -> Option<Duration> {
        self.again.get()
    }

    /// The containers of a Pod whose turn it is.
    pub(crate) fn containers(&self) -> &[Value] {
        self.containers.get_or_init(|| order::at_hand(&self.object))
    }

    /// Does something once for each container at hand; `@container` is that one meanwhile.
    pub(crate) fn each_container(&self, mut act: impl FnMut(&Value)) {
        for container in self.containers() {
            self.container.replace(Some(container.clone()));
            act(container);
        }
        self.container.replace(None);
    }

    fn linked(&self, table: &str, namespace: &str, name: &str) -> Option<Arc<Entry>> {
        self.wait_for(table, namespace, name);
        self.cluster.store.get(table, &Key::new(namespace, name))
    }

    fn related(&self, name: &str) -> Option<Arc<Entry>> {
        if name == "owner" {
            let owner = list(&self.object, "metadata.ownerReferences").iter().find(|o| o["controller"] == true)?;
            let (table, key) = self.cluster.store.by_uid(text(owner, "uid"))?;
            return self.cluster.store.get(&table, &key);
        }
        let Some((table, path)) = name.split_once(':') else { return self.children(name).into_iter().next() };
        match at(&self.object, path)? {
            Value::String(name) => {
                let namespaced = self.cluster.kind(table).is_ok_and(|kind| kind.namespaced);
                self.linked(table, if namespaced { self.namespace() } else { "" }, name)
            }
            reference => self.linked(table, text(reference, "namespace"), text(reference, "name")),
        }
    }

    /// The first Pod that uses a claim and isn't finished.
    fn user(&self) -> Option<Arc<Entry>> {
        let name = text(&self.object, "metadata.name");
        let uses = |pod: &Arc<Entry>| {
            !matches!(pod.field("status.phase"), "Succeeded" | "Failed")
                && list(&pod.value(), "spec.volumes").iter().any(|v| text(v, "persistentVolumeClaim.claimName") == name)
        };
        self.cluster.store.all("pods", self.namespace()).into_iter().find(uses)
    }

    /// What a path leads to, here or around.
    pub(crate) fn look(&self, path: &str) -> Option<Value> {
        let Some(rest) = path.strip_prefix('@') else { return at(&self.object, path).cloned() };
        if let Some(key) = rest.strip_prefix("annotation:") {
            return self.object["metadata"]["annotations"].get(key).cloned();
        }
        let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
        match name {
            "container" => match &*self.container.borrow() {
                Some(container) => at(container, path).cloned(),
                None => at(self.containers().first()?, path).cloned(),
            },
            "body" => at(&self.body, path).cloned(),
            "machine" => around::machine::fact(self, path),
            "user" => at(&self.user()?.value(), path).cloned(),
            "config" => around::config::missing_variable(self).and_then(|found| at(&found, path).cloned()),
            "mount" => around::config::missing_volume(self).and_then(|found| at(&found, path).cloned()),
            "node" => at(self.node.get_or_init(|| around::node::fitting(self)), path).cloned(),
            "probe" => around::probe::failure(self, path),
            "program" => {
                let container = self.container.borrow();
                program::of(container.as_ref().or_else(|| self.containers().first())?).and_then(|found| at(&found, path).cloned())
            }
            _ => at(&self.related(name)?.value(), path).cloned(),
        }
    }

    pub(crate) fn fails(&self) -> &str {
        self.object["metadata"]["annotations"][FAIL].as_str().unwrap_or("none")
    }

    pub(crate) fn matches(&self, when: &When) -> bool {
        (when.fail.is_empty() || when.fail.iter().any(|f| f == self.fails()))
            && !when.except.iter().any(|f| f == self.fails())
            // What is around is looked at only if the object itself fits: that costs more.
            && self.fits(when, false)
            && self.fits(when, true)
    }

    fn fits(&self, when: &When, around: bool) -> bool {
        let part = |path: &&String| path.starts_with('@') == around;
        let one_of = |path: &str, wanted: &Value| {
            let same = |found: &Value| wanted.as_array().map_or(found == wanted, |many| many.contains(found));
            if around { self.look(path).is_some_and(|found| same(&found)) } else { at(&self.object, path).is_some_and(same) }
        };
        let there = |path: &String| if around { self.look(path).is_some() } else { at(&self.object, path).is_some() };
        when.has.iter().filter(part).all(there)
            && !when.lacks.iter().filter(part).any(there)
            && when.is.iter().filter(|(path, _)| part(path)).all(|(path, wanted)| one_of(path, wanted))
            && !when.not.iter().filter(|(path, _)| part(path)).any(|(path, unwanted)| one_of(path, unwanted))
            && (!around || self.compares(when))
    }

    fn compares(&self, when: &When) -> bool {
        let number = |path: &str| self.look(path).and_then(|found| found.as_i64());
        when.differ.iter().all(|(one, other)| self.look(one) != self.look(other))
            && when.at_most.iter().all(|(one, other)| number(one).zip(number(other)).is_some_and(|(one, other)| one <= other))
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
        None => crate::machinery::notation::value::remove(to, field),
    }
}
