//! Defaults and checks of objects on their way in: what clients, tables and the simulator need, not all that the real
//! server knows. Unknown fields pass. Quotas, limit ranges and security levels are accepted and not enforced.

mod defaults;
mod metadata;
mod pod;
mod rules;
mod virtual_machine;

#[cfg(test)]
mod tests;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use serde_json::{Value, json};

use crate::machinery::crd::{definition, names};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, list, number, remove, text};
use crate::machinery::registry::Kind;
use crate::machinery::status::{Answer, Refusal};

/// Kinds whose status a client may set at creation; of all others it is dropped, as the real server does.
const STATUS_FROM_CLIENT: &[&str] = &["nodes", "namespaces"];

/// Completes and checks a new object.
pub(crate) fn on_create(kind: &Kind, object: &mut Value) -> Answer<()> {
    if kind.has("status") && !STATUS_FROM_CLIENT.contains(&kind.resource().as_str()) {
        remove(object, "status");
    }
    virtual_machine::on_create(kind, object)?;
    protect(kind, object);
    readable(kind, object)?;
    defaults::fill(kind, object);
    defaults::first_status(kind, object);
    check(kind, None, object)
}

/// Volumes and claims are not to go while they are in use.
fn protect(kind: &Kind, object: &mut Value) {
    let finalizer = match kind.resource().as_str() {
        "persistentvolumeclaims" => "kubernetes.io/pvc-protection",
        "persistentvolumes" => "kubernetes.io/pv-protection",
        _ => return,
    };
    let mut all = crate::machinery::notation::value::list(object, "metadata.finalizers").to_vec();
    if !all.iter().any(|f| f == finalizer) {
        all.push(json!(finalizer));
        crate::machinery::notation::value::set(object, "metadata.finalizers", Value::Array(all));
    }
}

/// Base64 is refused where it is read, not among the causes of a 422.
fn readable(kind: &Kind, object: &Value) -> Answer<()> {
    let refuse = |why: String| Err(Refusal::bad_request(format!("{0} in version {1:?} cannot be handled as a {0}: {why}", kind.kind, kind.version)));
    let encoded = (kind.resource() == "secrets").then(|| at(object, "data").and_then(Value::as_object)).flatten();
    for (_, value) in encoded.into_iter().flatten() {
        if let Err(e) = STANDARD.decode(value.as_str().unwrap_or_default()) {
            let place = match e {
                DecodeError::InvalidByte(place, _) | DecodeError::InvalidLastSymbol(place, _) => place,
                DecodeError::InvalidLength(length) => length,
                DecodeError::InvalidPadding => value.as_str().map_or(0, str::len),
            };
            return refuse(format!("illegal base64 data at input byte {place}"));
        }
    }
    Ok(())
}

/// The part of a new object that its creator owns: not what the server decided.
pub(crate) fn claimed(kind: &Kind, object: &Value) -> Value {
    let resource = kind.resource();
    let mut claimed = object.clone();
    if kind.has("status") && resource != "nodes" {
        remove(&mut claimed, "status");
    }
    defaults::SERVER_SET.iter().filter(|(of, _)| *of == resource).for_each(|(_, path)| remove(&mut claimed, path));
    claimed
}

/// Completes and checks a changed object.
pub(crate) fn on_update(kind: &Kind, before: &Value, object: &mut Value, subresource: &str) -> Answer<()> {
    if subresource == "ephemeralcontainers" {
        defaults::fill(kind, object);
        let causes = pod::on_debug(before, object);
        return if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(kind, text(object, "metadata.name"), &causes)) };
    }
    if !subresource.is_empty() {
        let causes = kind.rules.iter().filter(|_| subresource == "status").flat_map(|rules| rules.check_status(before, object)).collect::<Vec<_>>();
        return if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(kind, text(object, "metadata.name"), &causes)) };
    }
    readable(kind, object)?;
    defaults::fill(kind, object);
    if kind.resource() == crate::machinery::registry::builtin::CRDS {
        names::remember_stored(object);
    }
    virtual_machine::on_update(kind, object)?;
    let mut causes = immutable(kind, before, object);
    causes.extend(pod::on_update(kind, before, object));
    if !causes.is_empty() {
        return Err(Refusal::invalid(kind, text(object, "metadata.name"), &causes));
    }
    check(kind, Some(before), object)
}

/// The namespaces that Kubernetes itself needs stay.
pub(crate) fn on_delete(kind: &Kind, name: &str) -> Answer<()> {
    let needed = kind.resource() == "namespaces" && ["default", "kube-system", "kube-public"].contains(&name);
    if needed { Err(Refusal::forbidden(kind, name, "this namespace may not be deleted")) } else { Ok(()) }
}

fn check(kind: &Kind, before: Option<&Value>, object: &Value) -> Answer<()> {
    let name = text(object, "metadata.name");
    let mut causes = metadata::name(kind, name);
    causes.extend(metadata::labels(object));
    causes.extend(metadata::annotations(object));
    causes.extend(metadata::references(object));
    causes.extend(service(kind, object));
    causes.extend(rules::check(kind, object));
    if kind.resource() == crate::machinery::registry::builtin::CRDS {
        causes.extend(definition::check(before, object));
    }
    causes.extend(kind.rules.iter().flat_map(|rules| rules.check(before, object)));
    if kind.resource() == "persistentvolumeclaims" && at(object, "spec.resources.requests.storage").is_none() {
        causes.push(Cause::required("spec.resources[storage]", ""));
    }
    if kind.resource() == "secrets" && text(object, "type") == "kubernetes.io/tls" {
        let missing = ["tls.crt", "tls.key"].into_iter().filter(|key| object["data"].get(*key).is_none());
        causes.extend(missing.map(|key| Cause::required(format!("data[{key}]"), "")));
    }
    causes.extend(pod::check(kind, object));
    causes.extend(workload(kind, object));
    causes.extend(schedule(kind, object));
    if causes.is_empty() { Ok(()) } else { Err(Refusal::invalid(kind, name, &causes)) }
}

/// Ports have numbers, and names where there are several.
fn service(kind: &Kind, object: &Value) -> Vec<Cause> {
    let ports = list(object, "spec.ports");
    if kind.resource() != "services" {
        return vec![];
    }
    let portless = text(object, "spec.type") == "ExternalName" || text(object, "spec.clusterIP") == "None";
    if ports.is_empty() && !portless {
        return vec![Cause::required("spec.ports", "")];
    }
    let nameless = |(index, port): (usize, &Value)| {
        (ports.len() > 1 && text(port, "name").is_empty()).then(|| Cause::required(format!("spec.ports[{index}].name"), ""))
    };
    ports.iter().enumerate().filter_map(nameless).collect()
}

/// What workloads have in common: a selector that selects their own Pods, and no negative number of them.
fn workload(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if kind.group != "apps" || kind.kind == "ControllerRevision" {
        return causes;
    }
    if number(object, "spec.replicas").is_some_and(|n| n < 0) {
        causes.push(Cause::invalid("spec.replicas", object["spec"]["replicas"].clone(), "must be greater than or equal to 0"));
    }
    if text(object, "spec.strategy.type") == "Recreate" && at(object, "spec.strategy.rollingUpdate").is_some() {
        causes.push(Cause::forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"));
    }
    let wanted = at(object, "spec.selector.matchLabels").and_then(Value::as_object);
    let labels = at(object, "spec.template.metadata.labels").unwrap_or(&Value::Null);
    match wanted {
        None if at(object, "spec.selector").is_none() => {
            causes.push(Cause::required("spec.selector", ""));
            if kind.kind == "Deployment" {
                causes.push(Cause::invalid("spec.template.metadata.labels", labels.clone(), "`selector` does not match template `labels`"));
            }
        }
        Some(wanted) if wanted.iter().any(|(k, v)| &labels[k] != v) => {
            causes.push(Cause::invalid("spec.template.metadata.labels", labels.clone(), "`selector` does not match template `labels`"));
        }
        _ => {}
    }
    causes
}

/// A CronJob's schedule must be one.
fn schedule(kind: &Kind, object: &Value) -> Option<Cause> {
    // A missing one is missed by the table of rules.
    if text(object, "spec.schedule").is_empty() {
        return None;
    }
    if kind.resource() != "cronjobs.batch" {
        return None;
    }
    let (field, message) = crate::machinery::notation::schedule::wrong(text(object, "spec.schedule"), text(object, "spec.timeZone"))?;
    Some(Cause::invalid(field, text(object, field), &message))
}

fn immutable(kind: &Kind, before: &Value, object: &Value) -> Vec<Cause> {
    let fields: &[&str] = match kind.resource().as_str() {
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" | "statefulsets.apps" => &["spec.selector"],
        "jobs.batch" => &["spec.selector", "spec.completions"],
        "secrets" => &["type"],
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => &["roleRef"],
        _ => &[],
    };
    let mut causes = Vec::new();
    for field in fields {
        if *field == "roleRef" && before["roleRef"] != object["roleRef"] {
            let role = |part: &str| text(object, &format!("roleRef.{part}")).to_owned();
            let value = json!({"APIGroup": role("apiGroup"), "Kind": role("kind"), "Name": role("name")});
            causes.push(Cause::invalid(*field, value, "cannot change roleRef"));
        } else if at(before, field) != at(object, field) {
            let value = at(object, field).cloned().unwrap_or(Value::Null);
            causes.push(Cause::invalid(*field, value, "field is immutable"));
        }
    }
    if before["immutable"] == json!(true) {
        let fields = ["immutable", "data", "binaryData"];
        if let Some(field) = fields.into_iter().find(|f| before[*f] != object[*f]) {
            causes.push(Cause::forbidden(field, "field is immutable when `immutable` is set"));
        }
    }
    match kind.resource().as_str() {
        "services" if moved(before, object) => {
            causes.push(Cause::invalid("spec.clusterIPs[0]", json!([object["spec"]["clusterIP"]]), "may not change once set"));
        }
        "persistentvolumeclaims" if fixed_claim(before) != fixed_claim(object) => {
            let why = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
            causes.push(Cause::forbidden("spec", why));
        }
        _ => {}
    }
    causes
}

/// Whether a Service that has an address asks for another.
fn moved(before: &Value, service: &Value) -> bool {
    let had = text(before, "spec.clusterIP");
    text(service, "spec.type") != "ExternalName" && !had.is_empty() && had != text(service, "spec.clusterIP")
}

/// What of a claim cannot change once it is said.
fn fixed_claim(claim: &Value) -> Value {
    let mut spec = at(claim, "spec").cloned().unwrap_or_default();
    for free in ["resources", "volumeName", "volumeAttributesClassName"] {
        remove(&mut spec, free);
    }
    spec
}
