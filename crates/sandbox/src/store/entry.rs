//! One object at one version: its JSON text, and beside it what selectors and garbage collection look at.

use bytes::Bytes;
use serde_json::Value;

use crate::registry::Kind;
use crate::value::{at, list, plain, text};

/// Namespace (empty for cluster-wide objects) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: Box<str>,
    pub(crate) name: Box<str>,
}

impl Key {
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        Key { namespace: namespace.into(), name: name.into() }
    }

    pub(crate) fn of(object: &Value) -> Self {
        Key::new(text(object, "metadata.namespace"), text(object, "metadata.name"))
    }
}

/// One object at one version. Never changed once made.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) uid: Box<str>,
    pub(crate) version: u64,
    pub(crate) deleting: bool,
    pub(crate) owners: Box<[Box<str>]>,
    pub(crate) finalizers: Box<[Box<str>]>,
    labels: Box<[(Box<str>, Box<str>)]>,
    fields: Box<[(Box<str>, Box<str>)]>,
    /// The object as JSON text.
    pub(crate) json: Bytes,
}

impl Entry {
    /// Takes an object that already carries its version.
    pub(crate) fn new(kind: &Kind, object: &Value, version: u64) -> Self {
        // To an exact allocation: a growing buffer would leave up to half of it unused, for as long as the object lives.
        let json = serde_json::to_vec(object).unwrap_or_default().into_boxed_slice();
        Entry::with_json(kind, object, version, Bytes::from(json))
    }

    pub(crate) fn with_json(kind: &Kind, object: &Value, version: u64, json: Bytes) -> Self {
        let labels = at(object, "metadata.labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten().map(|(k, v)| (k.as_str().into(), plain(v).into())).collect();
        let fields = kind.fields.iter().filter_map(|f| Some((f.as_str().into(), plain(field(object, f)?).into()))).collect();
        let owners = list(object, "metadata.ownerReferences").iter().map(|o| text(o, "uid").into()).collect();
        Entry {
            key: Key::of(object),
            uid: text(object, "metadata.uid").into(),
            version,
            deleting: at(object, "metadata.deletionTimestamp").is_some(),
            owners,
            finalizers: list(object, "metadata.finalizers").iter().map(|f| plain(f).into()).collect(),
            labels,
            fields,
            json,
        }
    }

    /// The object, parsed.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    pub(crate) fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(k, _)| **k == *key).map(|(_, v)| &**v)
    }

    /// A field for field selectors; empty when it is not set.
    pub(crate) fn field(&self, key: &str) -> &str {
        match key {
            "metadata.name" => &self.key.name,
            "metadata.namespace" => &self.key.namespace,
            _ => self.fields.iter().find(|(k, _)| **k == *key).map_or("", |(_, v)| v),
        }
    }
}

/// The field that a selector means. `source` of an Event is its component, as on the real server.
fn field<'o>(object: &'o Value, path: &str) -> Option<&'o Value> {
    at(object, if path == "source" { "source.component" } else { path })
}
