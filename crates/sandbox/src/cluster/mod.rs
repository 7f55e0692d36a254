//! The rules of the Kubernetes API over the store: verbs, versions, finalizers, generations, ownership.
//!
//! The HTTP side and the simulator both come in here, and nowhere else: the simulator has no way of its own into the
//! store. Verbs are generic; what a kind needs is data in the registry, or defaults and checks in [`crate::admit`].

mod body;
mod create;
mod delete;
mod update;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Value, json};

pub(crate) use body::go_name;
pub(crate) use delete::{DeleteOptions, Deleted};
pub(crate) use update::{Patch, PatchOptions};

use crate::fields::managed::Writer;
use crate::registry::{Kind, Registry, custom};
use crate::status::{Answer, Refusal};
use crate::store::{Entry, Key, Miss, Store};
use crate::value::text;

/// How often a patch is tried again when others write the same object meanwhile.
const TRIES: usize = 20;

/// What a write carries besides the object.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) writer: Writer,
    pub(crate) dry_run: bool,
}

impl Write {
    pub(crate) fn by(manager: &str) -> Self {
        Write { writer: Writer { manager: manager.to_owned(), subresource: String::new() }, dry_run: false }
    }

    pub(crate) fn to(mut self, subresource: &str) -> Self {
        self.writer.subresource = subresource.to_owned();
        self
    }
}

/// The API without its transport.
pub(crate) struct Cluster {
    pub(crate) store: Store,
    registry: RwLock<Arc<Registry>>,
    /// Pod addresses in use, and whose they are.
    addresses: Mutex<HashMap<String, String>>,
}

pub(crate) const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";

impl Cluster {
    pub(crate) fn new(store: Store) -> Self {
        let cluster = Cluster { store, registry: RwLock::new(Arc::new(Registry::builtin())), addresses: Mutex::default() };
        cluster.refresh_registry();
        cluster
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Built-in kinds, and those of the definitions in the store.
    pub(crate) fn refresh_registry(&self) {
        let builtin = Registry::builtin();
        let defined = self.store.all(CRDS, "").into_iter().flat_map(|crd| custom::kinds(&crd.value())).map(Arc::new);
        let all = Registry::new(builtin.kinds().iter().cloned().chain(defined));
        *self.registry.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all);
    }

    /// The kind of a table that is surely there.
    pub(crate) fn kind(&self, table: &str) -> Answer<Arc<Kind>> {
        self.registry().of_table(table).ok_or_else(Refusal::no_such_path)
    }

    pub(crate) fn get(&self, kind: &Kind, key: &Key) -> Answer<Arc<Entry>> {
        self.store.get(&kind.table(), key).ok_or_else(|| Refusal::not_found(kind, &key.name))
    }

    /// Reserves an address for an object; false when another has it.
    pub(crate) fn take_address(&self, address: &str, uid: &str) -> bool {
        let mut taken = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = taken.entry(address.to_owned()).or_insert_with(|| uid.to_owned());
        owner == uid
    }

    /// Learns who has an address, or that it is free again.
    pub(crate) fn know_address(&self, address: &str, uid: &str, gone: bool) {
        if address.is_empty() {
            return;
        }
        if gone {
            self.addresses.lock().unwrap_or_else(PoisonError::into_inner).remove(address);
        } else {
            self.take_address(address, uid);
        }
    }

    /// What must follow a write at once: a definition brings its kinds.
    fn wrote(&self, kind: &Kind) {
        if kind.resource() == CRDS {
            self.refresh_registry();
        }
    }
}

/// What a lost race means to a client.
fn missed(kind: &Kind, name: &str, miss: Miss) -> Refusal {
    match miss {
        Miss::Changed => Refusal::modified(kind, name),
        Miss::Log(e) => Refusal::internal(format!("the sandbox's log: {e}")),
    }
}

/// The version that a client saw; `None` when it doesn't say.
fn seen_version(object: &Value) -> Option<&str> {
    let version = text(object, "metadata.resourceVersion");
    (!version.is_empty()).then_some(version)
}

fn finalizers(object: &Value) -> bool {
    !crate::value::list(object, "metadata.finalizers").is_empty()
}

/// The autoscaling/v1 Scale of a workload.
pub(crate) fn scale_of(kind: &Kind, object: &Value) -> Value {
    use crate::value::{at, number};
    let labels = at(object, "spec.selector.matchLabels").and_then(Value::as_object);
    let selector: Vec<String> = labels.into_iter().flatten().map(|(k, v)| format!("{k}={}", crate::value::plain(v))).collect();
    let _ = kind;
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": text(object, "metadata.name"), "namespace": text(object, "metadata.namespace"), "uid": text(object, "metadata.uid"),
            "resourceVersion": text(object, "metadata.resourceVersion"), "creationTimestamp": text(object, "metadata.creationTimestamp")},
        "spec": {"replicas": number(object, "spec.replicas").unwrap_or(0)},
        "status": {"replicas": number(object, "status.replicas").unwrap_or(0), "selector": selector.join(",")}})
}
