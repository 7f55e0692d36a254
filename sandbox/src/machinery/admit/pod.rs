//! Checks of Pods and of Pod templates.

use serde_json::Value;

use crate::machinery::notation::value::{at, list, remove, text};
use crate::machinery::notation::{cause::Cause, name, quantity::Quantity};
use crate::machinery::registry::Kind;

/// Where a kind keeps a Pod's spec.
pub(super) fn spec_path(kind: &Kind) -> Option<&'static str> {
    match kind.resource().as_str() {
        "pods" => Some("spec"),
        "deployments.apps" | "replicasets.apps" | "replicationcontrollers" | "statefulsets.apps" | "daemonsets.apps" | "jobs.batch" => {
            Some("spec.template.spec")
        }
        "cronjobs.batch" => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

pub(super) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let Some(path) = spec_path(kind) else { return vec![] };
    let containers = list(object, &format!("{path}.containers"));
    if containers.is_empty() {
        return vec![Cause::required(format!("{path}.containers"), "")];
    }
    let mut causes = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        check_container(&format!("{path}.containers[{index}]"), container, &mut causes);
        let name = text(container, "name");
        if containers[..index].iter().any(|c| text(c, "name") == name) && !name.is_empty() {
            causes.push(Cause::new("FieldValueDuplicate", format!("{path}.containers[{index}].name"), format!("Duplicate value: {name:?}")));
        }
    }
    let volumes = list(object, &format!("{path}.volumes"));
    for (index, container) in containers.iter().enumerate() {
        for (at, mount) in list(container, "volumeMounts").iter().enumerate() {
            let wanted = text(mount, "name");
            if !volumes.iter().any(|v| text(v, "name") == wanted) {
                causes.push(Cause::new(
                    "FieldValueNotFound",
                    format!("{path}.containers[{index}].volumeMounts[{at}].name"),
                    format!("Not found: {wanted:?}"),
                ));
            }
        }
    }
    causes
}

fn check_container(path: &str, container: &Value, causes: &mut Vec<Cause>) {
    let called = text(container, "name");
    if called.is_empty() {
        causes.push(Cause::required(format!("{path}.name"), ""));
    } else if !name::is_label(called) || called.len() > 63 {
        causes.push(Cause::invalid(format!("{path}.name"), called, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"));
    }
    if text(container, "image").is_empty() {
        causes.push(Cause::required(format!("{path}.image"), ""));
    }
}

/// Containers to debug a Pod with come, but never go or change.
pub(super) fn on_debug(before: &Value, object: &Value) -> Vec<Cause> {
    let path = "spec.ephemeralContainers";
    let (old, new) = (list(before, path), list(object, path));
    let mut causes = Vec::new();
    let mut taken: Vec<&str> =
        ["spec.containers", "spec.initContainers"].iter().flat_map(|path| list(object, path)).map(|c| text(c, "name")).collect();
    for (index, container) in new.iter().enumerate() {
        check_container(&format!("{path}[{index}]"), container, &mut causes);
        let name = text(container, "name");
        if taken.contains(&name) && !name.is_empty() {
            causes.push(Cause::new("FieldValueDuplicate", format!("{path}[{index}].name"), format!("Duplicate value: {name:?}")));
        }
        taken.push(name);
    }
    for was in old {
        let name = text(was, "name");
        match new.iter().find(|container| text(container, "name") == name) {
            None => causes.push(Cause::forbidden(path, &format!("existing ephemeral containers {name:?} may not be removed\n"))),
            Some(is) if is != was => causes.push(Cause::forbidden(path, &format!("existing ephemeral containers {name:?} may not be changed\n"))),
            Some(_) => {}
        }
    }
    causes
}

/// Of a Pod's spec only few fields can change.
pub(super) fn on_update(kind: &Kind, before: &Value, object: &Value) -> Vec<Cause> {
    if kind.resource() != "pods" {
        return vec![];
    }
    if fixed(before) == fixed(object) {
        return vec![];
    }
    let text = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    vec![Cause::new("FieldValueForbidden", "spec", text)]
}

fn fixed(pod: &Value) -> Value {
    let mut spec = at(pod, "spec").cloned().unwrap_or_default();
    for free in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName", "schedulingGates"] {
        remove(&mut spec, free);
    }
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            remove(container, "image");
        }
    }
    spec
}

/// Quantities are not negative, and no request is above its limit.
pub(super) fn resources(kind: &Kind, object: &Value) -> Vec<Cause> {
    let Some(path) = spec_path(kind) else { return vec![] };
    let mut causes = Vec::new();
    for (index, container) in list(object, &format!("{path}.containers")).iter().enumerate() {
        let place = format!("{path}.containers[{index}].resources.requests");
        for (name, request) in at(container, "resources.requests").and_then(Value::as_object).into_iter().flatten() {
            let amount = Quantity::of(request).map(|q| q.billionths);
            if amount.is_some_and(|n| n < 0) {
                causes.push(Cause::invalid(format!("{place}[{name}]"), request.clone(), "must be greater than or equal to 0"));
            }
            let limit = &container["resources"]["limits"][name.as_str()];
            if let (Some(amount), Some(most)) = (amount, Quantity::of(limit).map(|q| q.billionths))
                && amount > most
            {
                let why = format!("must be less than or equal to {name} limit of {}", crate::machinery::notation::value::plain(limit));
                causes.push(Cause::invalid(place.clone(), request.clone(), &why));
            }
        }
    }
    causes
}
