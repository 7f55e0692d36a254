//! Update and patch, of the object or of one subresource.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::body::check_type;
use super::create::check_namespace;
use super::{Cluster, TRIES, Write, finalizers, missed, seen_version};
use crate::fields::{apply, json, managed, strategic};
use crate::registry::Kind;
use crate::status::{Answer, Refusal};
use crate::store::{Entry, Expect, Key};
use crate::value::{at, number, remove, set, text};

/// A patch of one of the four types.
#[derive(Debug, Clone)]
pub(crate) enum Patch {
    Json(json_patch::Patch),
    Merge(Value),
    Strategic(Value),
    Apply { config: Value, force: bool },
}

/// What a patch may do besides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PatchOptions {
    /// The simulator's own patches may be strategic on any kind.
    pub(crate) internal: bool,
}

const SYSTEM: [&str; 7] = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"];

impl Cluster {
    /// Replaces an object, or the part of it that the subresource in `write` covers.
    pub(crate) fn update(&self, kind: &Kind, key: &Key, mut object: Value, write: &Write) -> Answer<Arc<Entry>> {
        check_type(kind, &mut object)?;
        check_namespace(kind, &key.namespace, &mut object)?;
        let named = text(&object, "metadata.name");
        if named.is_empty() {
            let message = format!("the name of the object ({} based on URL) was undeterminable: name must be provided", key.name);
            return Err(Refusal::bad_request(message));
        }
        if named != &*key.name {
            let message = format!("the name of the object ({named}) does not match the name on the URL ({})", key.name);
            return Err(Refusal::bad_request(message));
        }
        let seen = seen_version(&object).map(str::to_owned);
        if let Some(wrong) = seen.as_ref().filter(|v| v.parse::<u64>().is_err()) {
            return Err(Refusal::new(500, "", format!("strconv.ParseUint: parsing {wrong:?}: invalid syntax")));
        }
        let uid = text(&object, "metadata.uid").to_owned();
        for _ in 0..TRIES {
            let live = self.get(kind, key)?;
            if !uid.is_empty() && uid != *live.uid {
                let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", live.uid);
                return Err(Refusal::conflict(kind, &key.name, &why));
            }
            if seen.as_ref().is_some_and(|v| *v != live.version.to_string()) {
                return Err(Refusal::modified(kind, &key.name));
            }
            if let Some(entry) = self.finish(kind, &live, object.clone(), write, false)? {
                return Ok(entry);
            }
        }
        Err(Refusal::modified(kind, &key.name))
    }

    /// Patches an object; an apply patch creates it where there is none (then the second value is true).
    pub(crate) fn patch(&self, kind: &Kind, key: &Key, patch: &Patch, options: PatchOptions, write: &Write) -> Answer<(Arc<Entry>, bool)> {
        if matches!(patch, Patch::Strategic(_)) && kind.custom && !options.internal {
            let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
        for _ in 0..TRIES {
            let Some(live) = self.store.get(&kind.table(), key) else {
                return self.apply_new(kind, key, patch, write);
            };
            let before = live.value();
            let mut object = patched(kind, &before, patch, write)?;
            check_type(kind, &mut object)?;
            if seen_version(&object).is_some_and(|v| v != live.version.to_string()) {
                return Err(Refusal::modified(kind, &key.name));
            }
            let applied = matches!(patch, Patch::Apply { .. });
            if let Some(entry) = self.finish(kind, &live, object, write, applied)? {
                return Ok((entry, false));
            }
        }
        Err(Refusal::modified(kind, &key.name))
    }

    fn apply_new(&self, kind: &Kind, key: &Key, patch: &Patch, write: &Write) -> Answer<(Arc<Entry>, bool)> {
        let Patch::Apply { config, force } = patch else {
            return Err(Refusal::not_found(kind, &key.name));
        };
        if !write.writer.subresource.is_empty() {
            return Err(Refusal::not_found(kind, &key.name));
        }
        let config = applicable(kind, config, write)?;
        let mut object = apply::apply(kind, &json!({}), &config, &write.writer, *force).map_err(|c| conflicts(&c))?;
        set(&mut object, "metadata.name", json!(key.name));
        Ok((self.create(kind, &key.namespace, object, write)?, true))
    }

    /// Puts a changed object through the rules and into the store. `None` when somebody else was faster.
    fn finish(&self, kind: &Kind, live: &Entry, mut object: Value, write: &Write, applied: bool) -> Answer<Option<Arc<Entry>>> {
        let before = live.value();
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
        if !applied {
            match at(&before, "metadata.managedFields") {
                Some(fields) => set(&mut object, "metadata.managedFields", fields.clone()),
                None => remove(&mut object, "metadata.managedFields"),
            }
        }
        if live.deleting {
            no_new_finalizers(kind, &before, &object)?;
        }
        crate::admit::on_update(kind, &before, &mut object, &write.writer.subresource)?;
        if object == before {
            return Ok(Some(Arc::new(Entry::with_json(kind, &before, live.version, live.json.clone()))));
        }
        if !applied {
            managed::record(kind, &before, &mut object, &write.writer);
        }
        if write.dry_run {
            return Ok(Some(Arc::new(Entry::new(kind, &object, live.version))));
        }
        let written = if gone(kind, &object) {
            self.store.remove_with(kind, object, live.version)
        } else {
            self.store.put(kind, object, Expect::Version(live.version))
        };
        match written {
            Ok(entry) => {
                self.wrote(kind);
                Ok(Some(entry))
            }
            Err(crate::store::Miss::Changed) => Ok(None),
            Err(miss) => Err(missed(kind, &live.key.name, miss)),
        }
    }
}

/// What is on its way out can't be held by somebody new.
fn no_new_finalizers(kind: &Kind, before: &Value, object: &Value) -> Answer<()> {
    let held = crate::value::list(before, "metadata.finalizers");
    let new: Vec<String> = crate::value::list(object, "metadata.finalizers").iter().filter(|f| !held.contains(f)).map(Value::to_string).collect();
    if new.is_empty() {
        return Ok(());
    }
    let why = format!("no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}", new.join(", "));
    // The real server finds it twice.
    let cause = crate::status::Cause::forbidden("metadata.finalizers", &why);
    Err(Refusal::invalid(kind, text(object, "metadata.name"), &[cause.clone(), cause]))
}

/// An object that is being deleted goes with its last finalizer.
fn gone(kind: &Kind, object: &Value) -> bool {
    let deleting = at(object, "metadata.deletionTimestamp").is_some();
    let waits = number(object, "metadata.deletionGracePeriodSeconds").unwrap_or(0) > 0;
    let held = kind.resource() == "namespaces" && !crate::value::list(object, "spec.finalizers").is_empty();
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

fn patched(kind: &Kind, before: &Value, patch: &Patch, write: &Write) -> Answer<Value> {
    let mut object = before.clone();
    match patch {
        Patch::Json(patch) => {
            json::patch(&mut object, patch).map_err(|_| rejected())?;
        }
        Patch::Merge(patch) => json_patch::merge(&mut object, patch),
        Patch::Strategic(patch) => strategic::merge(if kind.custom { "Custom" } else { &kind.kind }, &mut object, patch),
        Patch::Apply { config, force } => {
            let config = applicable(kind, config, write)?;
            object = apply::apply(kind, before, &config, &write.writer, *force).map_err(|c| conflicts(&c))?;
        }
    }
    Ok(object)
}

/// The real server says no more than this either.
fn rejected() -> Refusal {
    Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request").with_details(json!({}))
}

/// The part of a configuration that an apply may set: not the status, or nothing but the status.
fn applicable(kind: &Kind, config: &Value, write: &Write) -> Answer<Value> {
    let mut config = config.clone();
    check_type(kind, &mut config)?;
    if at(&config, "metadata.managedFields").is_some() {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    if write.writer.subresource == "status" {
        if let Some(map) = config.as_object_mut() {
            map.retain(|key, _| matches!(key.as_str(), "apiVersion" | "kind" | "status" | "metadata"));
        }
        let version = config["metadata"]["resourceVersion"].clone();
        config["metadata"] = if version.is_null() { json!({}) } else { json!({"resourceVersion": version}) };
    } else if kind.has("status") {
        remove(&mut config, "status");
    }
    Ok(config)
}

/// One line for a single conflict; for more, the fields under each manager.
fn conflicts(found: &apply::Conflicts) -> Refusal {
    let causes = &found.0;
    let message = match causes.as_slice() {
        [one] => format!("Apply failed with 1 conflict: {}: {}", one.message, one.field),
        many => {
            let mut by_manager: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            many.iter().for_each(|c| by_manager.entry(&c.message).or_default().push(format!("\n- {}", c.field)));
            let each =
                by_manager.iter().map(|(message, fields)| format!("{}:{}", message.replacen("conflict with", "conflicts with", 1), fields.concat()));
            format!("Apply failed with {} conflicts: {}", many.len(), each.collect::<Vec<_>>().join("\n"))
        }
    };
    let list: Vec<Value> = causes.iter().map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field})).collect();
    Refusal::new(409, "Conflict", message).with_details(json!({"causes": list}))
}
