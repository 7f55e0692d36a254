//! Patches of all four types, of the object or of one subresource.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Cluster, TRIES, Write, seen_version, value_as};
use crate::machinery::fields::{apply, json, strategic, typed, validate};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, default, remove, set, text};
use crate::machinery::registry::Kind;
use crate::machinery::status::{Answer, Refusal};
use crate::server::store::{Entry, Key};

/// A patch of one of the four types.
#[derive(Debug, Clone)]
pub(crate) enum Patch {
    /// Operations, not looked into yet.
    Json(Vec<Value>),
    Merge(Value),
    Strategic(Value),
    Apply {
        config: Value,
        force: bool,
    },
}

impl Cluster {
    /// Patches an object; an apply patch creates it where there is none (then the second value is true).
    pub(crate) fn patch(&self, kind: &Kind, key: &Key, patch: &Patch, write: &Write) -> Answer<(Arc<Entry>, bool)> {
        if matches!(patch, Patch::Strategic(_)) && kind.custom {
            let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
            return Err(Refusal::new(415, "UnsupportedMediaType", message));
        }
        let write = &Write { applied: matches!(patch, Patch::Apply { .. }), ..write.clone() };
        for _ in 0..TRIES {
            let Some(live) = self.store.get(&kind.table(), key) else {
                return self.apply_new(kind, key, patch, write);
            };
            let object = patched(kind, &value_as(kind, &live), patch, write)?;
            check_identity(kind, key, &live, &object)?;
            if let Some(entry) = self.finish(kind, &live, object, write)? {
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
        if !text(&config, "metadata.uid").is_empty() {
            let uid = text(&config, "metadata.uid");
            let why = format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Refusal::conflict(kind, &key.name, &why));
        }
        let mut object = apply::apply(kind, &typed::empty(&kind.shape), &config, &write.writer, *force).map_err(|c| conflicts(&c))?;
        check_name(key, &object)?;
        set(&mut object, "metadata.name", json!(key.name));
        Ok((self.create(kind, &key.namespace, object, write)?, true))
    }
}

/// What names an object can't be patched; what says which version was seen must hold.
fn check_identity(kind: &Kind, key: &Key, live: &Entry, object: &Value) -> Answer<()> {
    check_name(key, object)?;
    let namespace = text(object, "metadata.namespace");
    if kind.namespaced && !namespace.is_empty() && namespace != &*key.namespace {
        return Err(Refusal::bad_request("the namespace of the provided object does not match the namespace sent on the request"));
    }
    if let Some(seen) = seen_version(object) {
        if seen.parse::<u64>().is_err() {
            return Err(Refusal::new(500, "", format!("strconv.ParseUint: parsing {seen:?}: invalid syntax")));
        }
        if seen != live.version.to_string() {
            return Err(Refusal::modified(kind, &key.name));
        }
    }
    let before = live.value();
    for field in ["metadata.uid", "metadata.deletionTimestamp"] {
        if let Some(value) = at(object, field).filter(|v| at(&before, field) != Some(v)) {
            // The real server finds it twice.
            let cause = Cause::invalid(field, value.clone(), "field is immutable");
            return Err(Refusal::invalid(kind, &key.name, &[cause.clone(), cause]));
        }
    }
    Ok(())
}

pub(super) fn check_name(key: &Key, object: &Value) -> Answer<()> {
    let named = text(object, "metadata.name");
    if named.is_empty() || named == &*key.name {
        return Ok(());
    }
    Err(Refusal::bad_request(format!("the name of the object ({named}) does not match the name on the URL ({})", key.name)))
}

fn patched(kind: &Kind, before: &Value, patch: &Patch, write: &Write) -> Answer<Value> {
    let mut object = before.clone();
    match patch {
        Patch::Json(patch) => json::patch(&mut object, patch).map_err(|_| Refusal::rejected())?,
        Patch::Merge(patch) => json_patch::merge(&mut object, patch),
        Patch::Strategic(patch) => strategic::merge(&kind.shape, &mut object, patch).map_err(unmergeable)?,
        Patch::Apply { config, force } => {
            let config = applicable(kind, config, write)?;
            object = apply::apply(kind, before, &config, &write.writer, *force).map_err(|c| conflicts(&c))?;
        }
    }
    if text(&object, "kind") != kind.kind || text(&object, "apiVersion") != kind.api_version() {
        let why = format!("no kind {:?} is registered for version {:?}", text(&object, "kind"), text(&object, "apiVersion"));
        if kind.versioned && text(&object, "kind") == kind.kind {
            let (said, wanted) = (text(&object, "apiVersion"), format!("must be {}", kind.api_version()));
            return Err(Refusal::invalid(kind, text(&object, "metadata.name"), &[Cause::invalid("apiVersion", said, &wanted)]));
        }
        return Err(if kind.custom { Refusal::bad_request(why) } else { wrong_result(&why) });
    }
    let unknown = typed::conform(&kind.shape, &mut object).map_err(|wrong| wrong_result(&wrong.decoding()))?;
    write.unknown_fields(&unknown, |all| wrong_result(&format!("strict decoding error: {all}")))?;
    Ok(object)
}

fn unmergeable(refused: strategic::Refused) -> Refusal {
    match refused {
        strategic::Refused::Malformed(why) => Refusal::bad_request(why),
        strategic::Refused::Unmergeable(why) => Refusal::new(500, "", why),
    }
}

/// A patch whose result is no object of its kind.
fn wrong_result(why: &str) -> Refusal {
    Refusal::invalid_named("", "", &[Cause::new("FieldValueInvalid", "patch", format!("Invalid value: {why}"))])
}

/// The part of a configuration that an apply may set: not the status, or nothing but the status.
fn applicable(kind: &Kind, config: &Value, write: &Write) -> Answer<Value> {
    let mut config = config.clone();
    let (version, name) = (text(&config, "apiVersion"), text(&config, "kind"));
    if version != kind.api_version() || name != kind.kind {
        return Err(Refusal::bad_request(format!("invalid object type: {}, Kind={name}", grouped(version))));
    }
    if at(&config, "metadata.managedFields").is_some() {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    if let Some(why) = validate::configuration(&kind.shape, &config) {
        let meta = |field: &str| text(&config, &format!("metadata.{field}"));
        let named = format!("{}/{}; {}, Kind={name}", meta("namespace"), meta("name"), grouped(version));
        return Err(Refusal::new(500, "", format!("failed to create typed patch object ({named}): {why}")));
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
    default(&mut config, "metadata", json!({}));
    Ok(config)
}

/// Group and version with the slash between them, even where there is no group.
fn grouped(version: &str) -> String {
    if version.contains('/') { version.to_owned() } else { format!("/{version}") }
}

/// One line for a single conflict; for more, the fields under each manager.
fn conflicts(causes: &[Cause]) -> Refusal {
    let message = match causes {
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
