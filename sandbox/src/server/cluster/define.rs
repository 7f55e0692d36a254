//! What follows a write of a CustomResourceDefinition at once: it gets its names, and its kinds are served.

use serde_json::{Value, json};

use super::Cluster;
use crate::machinery::fields::managed::{self, Writer};
use crate::machinery::notation::value::{at, list, set};
use crate::machinery::registry::builtin::CRDS;
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{crd::names, registry::Kind};
use crate::server::store::Expect;

/// Holds a definition until its objects are gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

impl Cluster {
    pub(super) fn wrote(&self, kind: &Kind) {
        if kind.resource() == CRDS {
            self.name_definitions(kind);
            self.refresh_registry();
        }
    }

    /// Gives names to every definition that asks for others than it has. Who changes one meanwhile comes here, too.
    fn name_definitions(&self, kind: &Kind) {
        for entry in self.store.all(CRDS, "") {
            let before = entry.value();
            if entry.deleting || at(&before, "spec.names") == at(&before, "status.acceptedNames") {
                continue;
            }
            let others: Vec<Value> = self.store.all(CRDS, "").iter().map(|e| e.value()).collect();
            let mut object = before.clone();
            names::accept(&mut object, &others);
            if object != before {
                let writer = Writer { manager: "kube-apiserver".to_owned(), subresource: "status".to_owned() };
                managed::record(kind, Some(&before), &mut object, &writer);
                let _ = self.store.put(&kind.table(), &kind.fields, object, Expect::Version(entry.version));
            }
        }
    }
}

/// A definition that is to go says so, and waits.
pub(super) fn mark(definition: &mut Value) {
    let mut finalizers = list(definition, "metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == CLEANUP) {
        finalizers.push(json!(CLEANUP));
        set(definition, "metadata.finalizers", Value::Array(finalizers));
    }
    let why = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    names::condition(definition, "Terminating", true, "InstanceDeletionPending", why);
}

/// No new objects of a kind that is about to go.
pub(super) fn still_open(kind: &Kind, name: &str) -> Answer<()> {
    match &kind.rules {
        Some(rules) if rules.ends => Err(Refusal::forbidden(kind, name, "create not allowed while custom resource definition is terminating")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::cluster::Write;
    use crate::server::store::Store;

    #[test]
    fn each_of_many_definitions_is_served_at_once() {
        let cluster = Cluster::new(Store::new(None));
        let kind = cluster.kind(CRDS).expect("a kind");
        let definition = |n: usize| {
            let version = json!({"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}});
            json!({"metadata": {"name": format!("things{n}.example.com")}, "spec": {"group": "example.com", "scope": "Cluster", "versions": [version],
                "names": {"plural": format!("things{n}"), "kind": format!("Thing{n}")}}})
        };
        std::thread::scope(|scope| {
            for thread in 0..8_usize {
                let (cluster, kind) = (&cluster, &kind);
                scope.spawn(move || {
                    for n in 0..10 {
                        cluster.create(kind, "", definition(thread * 10 + n), &Write::by("test")).expect("created");
                        let served = cluster.registry().find("example.com", "v1", &format!("things{}", thread * 10 + n));
                        assert!(served.is_some(), "a definition is served when its creation is answered");
                    }
                });
            }
        });
    }
}
