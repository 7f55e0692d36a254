//! What the metadata of any object may hold: names, labels, annotations, finalizers and owners.

use serde_json::Value;

use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::name::{LABEL, LABEL_VALUE, QUALIFIED, SUBDOMAIN, is_label, is_label_value, is_qualified};
use crate::machinery::notation::value::{at, list, text};
use crate::machinery::registry::Kind;

/// The name: which rule it follows depends on the kind.
pub(super) fn name(kind: &Kind, name: &str) -> Vec<Cause> {
    let (fine, longest, rule) = match (kind.group.as_str(), kind.plural.as_str()) {
        ("rbac.authorization.k8s.io", _) => return path_segment(name),
        ("", "services") => (is_label(name), 63, LABEL),
        ("", "namespaces") => (is_label(name), 63, LABEL),
        _ => (name.split('.').all(is_label), 253, SUBDOMAIN),
    };
    let mut causes = Vec::new();
    if name.len() > longest {
        causes.push(Cause::invalid("metadata.name", name, &format!("must be no more than {longest} characters")));
    }
    if longest == 63 && rule == LABEL && name.contains('.') {
        causes.push(Cause::invalid("metadata.name", name, "must not contain dots"));
    } else if !fine {
        causes.push(Cause::invalid("metadata.name", name, rule));
    }
    causes
}

fn path_segment(name: &str) -> Vec<Cause> {
    let why = match name {
        "." => "may not be '.'".to_owned(),
        ".." => "may not be '..'".to_owned(),
        _ => match name.chars().find(|c| matches!(c, '/' | '%')) {
            Some(wrong) => format!("may not contain '{wrong}'"),
            None => return vec![],
        },
    };
    vec![Cause::invalid("metadata.name", name, &why)]
}

pub(super) fn labels(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in at(object, "metadata.labels").and_then(Value::as_object).into_iter().flatten() {
        if !is_qualified(key) {
            causes.push(Cause::invalid("metadata.labels", key.as_str(), QUALIFIED));
        }
        if value.as_str().is_some_and(|v| v.len() > 63) {
            causes.push(Cause::invalid("metadata.labels", value.clone(), "must be no more than 63 bytes"));
        } else if !value.as_str().is_some_and(is_label_value) {
            causes.push(Cause::invalid("metadata.labels", value.clone(), LABEL_VALUE));
        }
    }
    causes
}

pub(super) fn annotations(object: &Value) -> Vec<Cause> {
    const ANNOTATIONS: usize = 256 << 10;
    let mut causes = Vec::new();
    let mut size = 0;
    for (key, value) in at(object, "metadata.annotations").and_then(Value::as_object).into_iter().flatten() {
        size += key.len() + value.as_str().unwrap_or_default().len();
        if !is_qualified(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", key.as_str(), QUALIFIED));
        }
    }
    if size > ANNOTATIONS {
        causes.push(Cause::new("FieldValueTooLong", "metadata.annotations", format!("Too long: may not be more than {ANNOTATIONS} bytes")));
    }
    causes
}

/// Owners and finalizers.
pub(super) fn references(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for owner in list(object, "metadata.ownerReferences") {
        for field in ["apiVersion", "kind", "name", "uid"].into_iter().filter(|field| text(owner, field).is_empty()) {
            causes.push(Cause::invalid(format!("metadata.ownerReferences.{field}"), "", "must not be empty"));
        }
    }
    for (index, finalizer) in list(object, "metadata.finalizers").iter().filter_map(Value::as_str).enumerate() {
        if !finalizer.contains('/') && !["foregroundDeletion", "orphan", "kubernetes"].contains(&finalizer) {
            let why = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(format!("metadata.finalizers[{index}]"), finalizer, why));
        }
    }
    causes
}
