//! Create: names, namespace rules, system metadata.

use std::sync::Arc;

use rand::Rng;
use serde_json::{Value, json};

use super::body::check_type;
use super::{Cluster, Write, define, missed};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, remove, set, text};
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{fields::managed, notation::clock, registry::Kind};
use crate::server::store::{Entry, Expect, Key, Miss};

impl Cluster {
    /// Creates an object. With `dry_run` everything happens but the write.
    pub(crate) fn create(&self, kind: &Kind, namespace: &str, object: Value, write: &Write) -> Answer<Arc<Entry>> {
        let generated = text(&object, "metadata.name").is_empty() && !text(&object, "metadata.generateName").is_empty();
        for _ in 0..8 {
            match self.create_once(kind, namespace, object.clone(), write) {
                Err(refusal) if generated && refusal.reason == "AlreadyExists" => {}
                answer => return answer,
            }
        }
        Err(Refusal::internal("no free name was found"))
    }

    fn create_once(&self, kind: &Kind, namespace: &str, mut object: Value, write: &Write) -> Answer<Arc<Entry>> {
        prepare(kind, namespace, &mut object, write)?;
        let name = text(&object, "metadata.name").to_owned();
        define::still_open(kind, &name)?;
        crate::machinery::admit::on_create(kind, &mut object)?;
        if kind.namespaced {
            self.namespace_accepts(kind, namespace, &name)?;
        }
        if !write.applied {
            let mut claimed = crate::machinery::admit::claimed(kind, &object);
            managed::record(kind, None, &mut claimed, &write.writer);
            // A kind in whose object nothing is owned has none.
            if let Some(fields) = at(&claimed, "metadata.managedFields") {
                set(&mut object, "metadata.managedFields", fields.clone());
            }
        }
        if write.dry_run {
            if self.store.get(&kind.table(), &Key::of(&object)).is_some() {
                return Err(Refusal::exists(kind, &name));
            }
            return Ok(Arc::new(Entry::unstored(&kind.fields, &object, 0)));
        }
        let entry = self.store.put(&kind.table(), &kind.fields, object, Expect::Absent).map_err(|miss| match miss {
            Miss::Changed => Refusal::exists(kind, &name),
            log => missed(kind, &name, log),
        })?;
        self.wrote(kind);
        Ok(entry)
    }

    /// A namespace must be there, and not on its way out.
    fn namespace_accepts(&self, kind: &Kind, namespace: &str, name: &str) -> Answer<()> {
        let namespaces = self.kind("namespaces")?;
        let found = self.get(&namespaces, &Key::new("", namespace))?;
        if !found.deleting {
            return Ok(());
        }
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut refusal = Refusal::forbidden(kind, name, &why);
        refusal.details["causes"] = json!([{"reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"), "field": "metadata.namespace"}]);
        Err(refusal)
    }
}

/// Fills in what the server decides about a new object.
fn prepare(kind: &Kind, namespace: &str, object: &mut Value, write: &Write) -> Answer<()> {
    check_type(kind, object, write)?;
    check_namespace(kind, namespace, object)?;
    if !text(object, "metadata.resourceVersion").is_empty() {
        return Err(Refusal::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    let prefix = text(object, "metadata.generateName").to_owned();
    if text(object, "metadata.name").is_empty() {
        if prefix.is_empty() {
            let causes = [Cause::required("metadata.name", "name or generateName is required")];
            return Err(Refusal::invalid(kind, "", &causes));
        }
        set(object, "metadata.name", json!(format!("{}{}", &prefix[..prefix.len().min(58)], suffix())));
    }
    for gone in ["resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
        remove(object, &format!("metadata.{gone}"));
    }
    set(object, "metadata.uid", json!(uuid::Uuid::new_v4().to_string()));
    set(object, "metadata.creationTimestamp", json!(clock::now()));
    if kind.generation {
        set(object, "metadata.generation", json!(1));
    }
    Ok(())
}

/// The namespace of the body is that of the path, or missing.
pub(super) fn check_namespace(kind: &Kind, namespace: &str, object: &mut Value) -> Answer<()> {
    if !kind.namespaced {
        remove(object, "metadata.namespace");
        return Ok(());
    }
    let own = text(object, "metadata.namespace");
    if !own.is_empty() && own != namespace {
        return Err(Refusal::bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    }
    set(object, "metadata.namespace", json!(namespace));
    Ok(())
}

/// Five characters that neither spell words nor look like one another.
pub(crate) fn suffix() -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut random = rand::rng();
    (0..5).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect()
}
