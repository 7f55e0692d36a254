//! The rules of the Kubernetes API over the store: verbs, versions, finalizers, generations, ownership.
//!
//! The HTTP side, the node and the simulator come in here, and nowhere else: outside the server nobody has the store. Who is
//! no client writes through the same verbs and reads through a [`lister`]. Verbs are generic; what a kind needs is data in the registry, or defaults and checks in [`crate::machinery::admit`].

mod body;
mod create;
mod define;
mod delete;
mod lister;
mod open;
mod patch;
mod update;

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Value, json};

pub(crate) use define::CLEANUP;
pub(crate) use delete::{DeleteOptions, Deleted};
pub(crate) use patch::Patch;

use crate::machinery::crd::Scale;
use crate::machinery::fields::managed::Writer;
use crate::machinery::notation::value::{at, number, text};
use crate::machinery::registry::{Kind, Registry, builtin::CRDS, custom};
use crate::machinery::status::{Answer, Refusal};
use crate::server::store::{Entry, Key, Miss, Store};

/// How often a patch is tried again when others write the same object meanwhile.
const TRIES: usize = 20;

/// What a write carries besides the object.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) writer: Writer,
    pub(crate) dry_run: bool,
    /// The object comes from an apply patch and carries its new owners already.
    applied: bool,
    /// What happens to fields that the kind doesn't have.
    pub(crate) unknown: Unknown,
    /// The fields of the body in their order, each with whether it repeats one.
    pub(crate) keys: Vec<(String, bool)>,
    /// What YAML's parser says of a key that the body repeats.
    pub(crate) repeated: Option<String>,
    /// What the client is told besides the answer.
    pub(crate) warnings: Arc<Mutex<Vec<String>>>,
}

/// What happens to fields that a kind doesn't have, and to repeated ones: `fieldValidation`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Unknown {
    #[default]
    Dropped,
    Warned,
    Refused,
}

impl Write {
    pub(crate) fn by(manager: &str) -> Self {
        let writer = Writer { manager: manager.to_owned(), subresource: String::new() };
        Write { writer, dry_run: false, applied: false, unknown: Unknown::default(), keys: Vec::new(), repeated: None, warnings: Arc::default() }
    }

    /// Refuses fields that the kind doesn't have, or leaves a warning about each.
    fn unknown_fields(&self, unknown: &[String], refuse: impl FnOnce(String) -> Refusal) -> Answer<()> {
        let place = |field: &String, again: bool| self.keys.iter().position(|(key, repeats)| key == field && *repeats == again).unwrap_or(usize::MAX);
        let mut told: Vec<(usize, String)> = unknown.iter().map(|field| (place(field, false), format!("unknown field {field:?}"))).collect();
        let repeated = self.keys.iter().enumerate().filter(|(_, (_, again))| *again);
        told.extend(repeated.map(|(at, (field, _))| (at, format!("duplicate field {field:?}"))));
        told.sort();
        let mut told: Vec<String> = told.into_iter().map(|(_, text)| text).collect();
        if let Some(repeated) = &self.repeated {
            match self.unknown {
                Unknown::Refused => return Err(refuse(format!("yaml: unmarshal errors:\n  {repeated}"))),
                _ => told.insert(0, repeated.clone()),
            }
        }
        match self.unknown {
            Unknown::Refused if !told.is_empty() => return Err(refuse(told.join(", "))),
            // A write that is tried again says it once.
            Unknown::Warned => *self.warnings.lock().unwrap_or_else(PoisonError::into_inner) = told,
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn to(mut self, subresource: &str) -> Self {
        self.writer.subresource = subresource.to_owned();
        self
    }
}

/// The API without its transport.
pub(crate) struct Cluster {
    pub(in crate::server) store: Store,
    registry: RwLock<Arc<Registry>>,
}

impl Cluster {
    pub(crate) fn new(store: Store) -> Self {
        let cluster = Cluster { store, registry: RwLock::new(Arc::new(Registry::builtin())) };
        cluster.refresh_registry();
        cluster
    }

    pub(crate) fn registry(&self) -> Arc<Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Built-in kinds, and those of the definitions in the store. The lock is held from the first look at the store, so that who
    /// looked earlier can't put back what somebody else has replaced since.
    pub(crate) fn refresh_registry(&self) {
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        let builtin = Registry::builtin();
        let defined = self.store.all(CRDS, "").into_iter().flat_map(|crd| custom::kinds(&crd.value())).map(Arc::new);
        *registry = Arc::new(Registry::new(builtin.kinds().iter().cloned().chain(defined)));
    }

    /// The kind of a table that is surely there.
    pub(crate) fn kind(&self, table: &str) -> Answer<Arc<Kind>> {
        self.registry().of_table(table).ok_or_else(Refusal::no_such_path)
    }

    pub(crate) fn get(&self, kind: &Kind, key: &Key) -> Answer<Arc<Entry>> {
        self.store.get(&kind.table(), key).ok_or_else(|| Refusal::not_found(kind, &key.name))
    }
}

/// An object in a version of its kind. Between versions of a custom resource only the name of the version differs:
/// there is no other conversion.
pub(crate) fn value_as(kind: &Kind, entry: &Entry) -> Value {
    let mut value = entry.value();
    if kind.versioned {
        value["apiVersion"] = json!(kind.api_version());
    }
    value
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
    !crate::machinery::notation::value::list(object, "metadata.finalizers").is_empty()
}

/// The autoscaling/v1 Scale of a workload.
pub(crate) fn scale_of(kind: &Kind, object: &Value) -> Value {
    let paths = scale_paths(kind);
    let selector = match &paths.selector {
        Some(path) => text(object, path).to_owned(),
        None => {
            let labels = at(object, "spec.selector.matchLabels")
                .or_else(|| at(object, "spec.selector"))
                .filter(|_| kind.rules.is_none())
                .and_then(Value::as_object);
            labels.into_iter().flatten().map(|(k, v)| format!("{k}={}", crate::machinery::notation::value::plain(v))).collect::<Vec<_>>().join(",")
        }
    };
    let mut scale = json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": text(object, "metadata.name"), "namespace": text(object, "metadata.namespace"), "uid": text(object, "metadata.uid"),
            "resourceVersion": text(object, "metadata.resourceVersion"), "creationTimestamp": text(object, "metadata.creationTimestamp")},
        "spec": {"replicas": number(object, &paths.replicas).or(kind.rules.is_none().then_some(0))},
        "status": {"replicas": number(object, &paths.current).unwrap_or(0)}});
    if !selector.is_empty() {
        scale["status"]["selector"] = json!(selector);
    }
    scale
}

/// Where a kind keeps its numbers of replicas.
pub(crate) fn scale_paths(kind: &Kind) -> Scale {
    let builtin = || Scale { replicas: "spec.replicas".to_owned(), current: "status.replicas".to_owned(), selector: None };
    kind.rules.as_ref().and_then(|rules| rules.scale.clone()).unwrap_or_else(builtin)
}
