//! Update of an object or of one subresource, and what every change goes through.

use std::sync::Arc;

use serde_json::{Value, json};

use super::body::check_type;
use super::create::check_namespace;
use super::patch::check_name;
use super::{Cluster, TRIES, Write, finalizers, missed, seen_version, value_as};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, number, remove, set, text};
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{fields::managed, registry::Kind};
use crate::server::store::{Entry, Expect, Key};

const SYSTEM: [&str; 7] = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

impl Cluster {
    /// Replaces an object, or the part of it that the subresource in `write` covers.
    pub(crate) fn update(&self, kind: &Kind, key: &Key, mut object: Value, write: &Write) -> Answer<Arc<Entry>> {
        check_type(kind, &mut object, write)?;
        check_namespace(kind, &key.namespace, &mut object)?;
        let named = text(&object, "metadata.name");
        if named.is_empty() {
            let message = format!("the name of the object ({} based on URL) was undeterminable: name must be provided", key.name);
            return Err(Refusal::bad_request(message));
        }
        check_name(key, &object)?;
        let seen = seen_version(&object).map(str::to_owned);
        if let Some(wrong) = seen.as_ref().filter(|v| v.parse::<u64>().is_err()) {
            return Err(Refusal::new(500, "", format!("strconv.ParseUint: parsing {wrong:?}: invalid syntax")));
        }
        let uid = text(&object, "metadata.uid").to_owned();
        for _ in 0..TRIES {
            let live = self.get(kind, key)?;
            if kind.custom && seen.is_none() {
                let named = Kind { kind: kind.plural.clone(), ..kind.clone() };
                let cause = Cause::invalid("metadata.resourceVersion", 0, "must be specified for an update");
                return Err(Refusal::invalid(&named, &key.name, &[cause]));
            }
            if !uid.is_empty() && uid != *live.uid {
                let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.uid);
                return Err(Refusal::conflict(kind, &key.name, &why));
            }
            if seen.as_ref().is_some_and(|v| *v != live.version.to_string()) {
                return Err(Refusal::modified(kind, &key.name));
            }
            if let Some(entry) = self.finish(kind, &live, object.clone(), write)? {
                return Ok(entry);
            }
        }
        Err(Refusal::modified(kind, &key.name))
    }

    /// Puts a changed object through the rules and into the store. `None` when somebody else was faster.
    pub(super) fn finish(&self, kind: &Kind, live: &Arc<Entry>, mut object: Value, write: &Write) -> Answer<Option<Arc<Entry>>> {
        let before = value_as(kind, live);
        confine(kind, &before, &mut object, &write.writer.subresource);
        for field in SYSTEM {
            let path = format!("metadata.{field}");
            match at(&before, &path) {
                Some(value) => set(&mut object, &path, value.clone()),
                None => remove(&mut object, &path),
            }
        }
        set(&mut object, "metadata.resourceVersion", json!(live.version.to_string()));
        if write.writer.subresource != "binding" {
            raise_generation(kind, &before, &mut object);
        }
        // Only a write to the whole object may bring owners.
        if !write.applied && !write.writer.subresource.is_empty() {
            match at(&before, "metadata.managedFields") {
                Some(fields) => set(&mut object, "metadata.managedFields", fields.clone()),
                None => remove(&mut object, "metadata.managedFields"),
            }
        }
        if live.deleting {
            no_new_finalizers(kind, &before, &object)?;
        }
        crate::machinery::admit::on_update(kind, &before, &mut object, &write.writer.subresource)?;
        if !write.applied {
            managed::record(kind, Some(&before), &mut object, &write.writer);
        }
        if object == before {
            return Ok(Some(live.clone()));
        }
        if write.dry_run {
            return Ok(Some(Arc::new(Entry::unstored(&kind.fields, &object, live.version))));
        }
        let written = if gone(kind, &object) {
            self.store.remove_with(&kind.table(), object, live.version)
        } else {
            self.store.put(&kind.table(), &kind.fields, object, Expect::Version(live.version))
        };
        match written {
            Ok(entry) => {
                self.wrote(kind);
                Ok(Some(entry))
            }
            Err(crate::server::store::Miss::Changed) => Ok(None),
            Err(miss) => Err(missed(kind, &live.key.name, miss)),
        }
    }
}

/// What is on its way out can't be held by somebody new.
fn no_new_finalizers(kind: &Kind, before: &Value, object: &Value) -> Answer<()> {
    let held = crate::machinery::notation::value::list(before, "metadata.finalizers");
    let new: Vec<String> =
        crate::machinery::notation::value::list(object, "metadata.finalizers").iter().filter(|f| !held.contains(f)).map(Value::to_string).collect();
    if new.is_empty() {
        return Ok(());
    }
    let why = format!("no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}", new.join(", "));
    // The real server finds it twice.
    let cause = Cause::forbidden("metadata.finalizers", &why);
    Err(Refusal::invalid(kind, text(object, "metadata.name"), &[cause.clone(), cause]))
}

/// An object that is being deleted goes with its last finalizer.
fn gone(kind: &Kind, object: &Value) -> bool {
    let deleting = at(object, "metadata.deletionTimestamp").is_some();
    let waits = number(object, "metadata.deletionGracePeriodSeconds").unwrap_or(0) > 0;
    let held = kind.resource() == "namespaces" && !crate::machinery::notation::value::list(object, "spec.finalizers").is_empty();
    deleting && !waits && !finalizers(object) && !held
}

/// Keeps a write to what its subresource covers; a write to the object leaves the status alone.
fn confine(kind: &Kind, before: &Value, object: &mut Value, subresource: &str) {
    match subresource {
        "status" => {
            let (status, meta) = (object["status"].clone(), object["metadata"].clone());
            *object = before.clone();
            replace(object, "status", &status);
            // Most built-in kinds let labels and the like through with the status.
            if !kind.custom && kind.resource() != "deployments.apps" {
                set(object, "metadata", meta);
            } else if let Some(managed) = meta.get("managedFields") {
                set(object, "metadata.managedFields", managed.clone());
            }
        }
        "finalize" => {
            let wanted = object["spec"]["finalizers"].clone();
            *object = before.clone();
            set(object, "spec.finalizers", wanted);
        }
        "ephemeralcontainers" => {
            let (wanted, managed) = (object["spec"]["ephemeralContainers"].clone(), object["metadata"]["managedFields"].clone());
            *object = before.clone();
            replace(&mut object["spec"], "ephemeralContainers", &wanted);
            replace(&mut object["metadata"], "managedFields", &managed);
        }
        "" if kind.has("status") => replace(object, "status", &before["status"]),
        _ => {}
    }
}

fn replace(object: &mut Value, key: &str, value: &Value) {
    if value.is_null() {
        remove(object, key);
    } else {
        object[key] = value.clone();
    }
}

/// A change of anything but metadata and status is a new generation, where the kind has generations.
fn raise_generation(kind: &Kind, before: &Value, object: &mut Value) {
    let Some(generation) = number(before, "metadata.generation") else { return };
    let keys = |v: &Value| v.as_object().map(|m| m.keys().filter(|k| !matches!(k.as_str(), "metadata" | "status")).cloned().collect::<Vec<_>>());
    let status_is_spec = kind.custom && !kind.has("status") && before["status"] != object["status"];
    let same = keys(before) == keys(object) && keys(before).unwrap_or_default().iter().all(|k| before[k] == object[k]);
    if !same || status_is_spec {
        set(object, "metadata.generation", json!(generation + 1));
    }
}
