//! One object and what is around it: what it owns, who owns it, what it names. Whatever is looked up by name is waited
//! for, too: its next change matters to this object. How stages look at it all is [`super::fill`].

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::addresses::Addresses;
use super::queue::Named;
use crate::machinery::notation::value::{at, list, text};
use crate::node::{host::Host, order, outcome::Outcome};
use crate::server::cluster::Cluster;
use crate::server::store::{Entry, Key};

/// The annotation that makes an object fail.
pub(crate) const FAIL: &str = "sandbox.kubekcloud.io/fail";

/// One object, and the cluster around it.
pub(crate) struct Scene<'c> {
    host: &'c Host,
    pub(crate) cluster: &'c Cluster,
    pub(crate) object: Value,
    pub(crate) body: Value,
    /// Where a Pod's address comes from; without it none is given.
    pub(super) addresses: Option<&'c Addresses>,
    /// The containers at hand, and the one that a template is being filled in for.
    containers: OnceCell<Vec<Value>>,
    pub(super) container: RefCell<Option<Value>>,
    /// The node that fits, once somebody asked.
    pub(super) node: OnceCell<Value>,
    interests: RefCell<Vec<Named>>,
    again: Cell<Option<Duration>>,
}

impl<'c> Scene<'c> {
    pub(crate) fn new(host: &'c Host, entry: &Entry) -> Self {
        Scene {
            host,
            cluster: &host.cluster,
            object: entry.value(),
            body: Value::Null,
            addresses: None,
            containers: OnceCell::new(),
            container: RefCell::default(),
            node: OnceCell::new(),
            interests: RefCell::default(),
            again: Cell::default(),
        }
    }

    pub(super) fn with_addresses(mut self, addresses: &'c Addresses) -> Self {
        self.addresses = Some(addresses);
        self
    }

    pub(crate) fn uid(&self) -> &str {
        text(&self.object, "metadata.uid")
    }

    pub(crate) fn namespace(&self) -> &str {
        text(&self.object, "metadata.namespace")
    }

    /// The objects of a table that this one owns.
    pub(crate) fn children(&self, table: &str) -> Vec<Arc<Entry>> {
        let found = self.cluster.lister().dependents(self.uid());
        let named = |t: &str| t == table || t.split_once('.').is_some_and(|(plural, _)| plural == table);
        found.into_iter().filter(|(t, _)| named(t)).filter_map(|(t, key)| self.cluster.lister().get(&t, &key)).collect()
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

    /// What the process of one of its containers comes to, if that can be told.
    pub(crate) fn outcome(&self, container: &str) -> Option<Arc<Outcome>> {
        self.host.outcome(&self.object, container)
    }

    /// The containers of a Pod whose turn it is.
    pub(crate) fn containers(&self) -> &[Value] {
        self.containers.get_or_init(|| order::at_hand(self.host, &self.object))
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
        self.cluster.lister().get(table, &Key::new(namespace, name))
    }

    /// What an object is to this one: its `owner`, the first that it owns of a table, or what it names (`TABLE:path`).
    pub(super) fn related(&self, name: &str) -> Option<Arc<Entry>> {
        if name == "owner" {
            let owner = list(&self.object, "metadata.ownerReferences").iter().find(|o| o["controller"] == true)?;
            let (table, key) = self.cluster.lister().by_uid(text(owner, "uid"))?;
            return self.cluster.lister().get(&table, &key);
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
    pub(super) fn user(&self) -> Option<Arc<Entry>> {
        let name = text(&self.object, "metadata.name");
        let uses = |pod: &Arc<Entry>| {
            !matches!(pod.field("status.phase"), "Succeeded" | "Failed")
                && list(&pod.value(), "spec.volumes").iter().any(|v| text(v, "persistentVolumeClaim.claimName") == name)
        };
        self.cluster.lister().list("pods", self.namespace()).into_iter().find(uses)
    }

    pub(super) fn annotation(&self, key: &str) -> Option<&Value> {
        self.object["metadata"]["annotations"].get(key)
    }

    pub(crate) fn fails(&self) -> &str {
        self.annotation(FAIL).and_then(Value::as_str).unwrap_or("none")
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
