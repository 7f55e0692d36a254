//! What single fields may hold, as a table: resource, path, rule. Only what people get wrong often; the texts are the real
//! server's. Rules about several fields at once are code in [`super`] and [`super::pod`].

use serde_json::{Value, json};

use super::pod::spec_path;
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{list, text};
use crate::machinery::registry::Kind;

#[derive(Debug, Clone, Copy)]
enum Rule {
    /// Must be there; the text says more, if it isn't empty.
    Required(&'static str),
    OneOf(&'static [&'static str]),
    /// Inclusive.
    Between(i64, i64),
    /// The keys of a map are file names.
    Keys,
}

use Rule::{Between, Keys, OneOf, Required};

const PORT: Rule = Between(1, 65535);
const BINDING: &[&str] = &["Role", "ClusterRole"];

/// In a path `*` is each element of a list.
#[rustfmt::skip]
const TABLE: &[(&str, &str, Rule)] = &[
    ("services", "spec.ports.*.port", PORT),
    ("services", "spec.ports.*.targetPort", PORT),
    ("services", "spec.type", OneOf(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])),
    ("configmaps", "data", Keys),
    ("secrets", "data", Keys),
    ("persistentvolumeclaims", "spec.accessModes", Required("at least 1 access mode is required")),
    ("cronjobs.batch", "spec.schedule", Required("")),
    ("rolebindings.rbac.authorization.k8s.io", "roleRef.kind", OneOf(BINDING)),
    ("rolebindings.rbac.authorization.k8s.io", "roleRef.name", Required("")),
    ("clusterrolebindings.rbac.authorization.k8s.io", "roleRef.name", Required("")),
];

/// Of the spec of a Pod, or of a Pod template.
#[rustfmt::skip]
const POD: &[(&str, Rule)] = &[
    ("containers.*.ports.*.containerPort", PORT),
    ("containers.*.imagePullPolicy", OneOf(&["Always", "IfNotPresent", "Never"])),
    ("initContainers.*.imagePullPolicy", OneOf(&["Always", "IfNotPresent", "Never"])),
    ("activeDeadlineSeconds", Between(1, 2_147_483_647)),
    ("dnsPolicy", OneOf(&["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])),
];

pub(super) fn check(kind: &Kind, object: &Value) -> Vec<Cause> {
    let resource = kind.resource();
    let mut causes = Vec::new();
    for (_, path, rule) in TABLE.iter().filter(|(of, ..)| *of == resource) {
        walk(object, "", path, *rule, &mut causes);
    }
    if let Some((at, spec)) = spec_path(kind)
        .and_then(|at| Some((at, crate::machinery::notation::value::at(object, at)?)))
        .filter(|(_, spec)| !list(spec, "containers").is_empty())
    {
        let (containers, others): (Vec<_>, Vec<_>) = POD.iter().partition(|(path, _)| path.contains('*'));
        containers.into_iter().for_each(|(path, rule)| walk(spec, at, path, rule, &mut causes));
        causes.extend(restart_policy(kind, at, spec));
        others.into_iter().for_each(|(path, rule)| walk(spec, at, path, rule, &mut causes));
    }
    causes.extend(super::pod::resources(kind, object));
    causes
}

fn walk(value: &Value, so_far: &str, path: &str, rule: Rule, causes: &mut Vec<Cause>) {
    let (head, rest) = path.split_once('.').unwrap_or((path, ""));
    if head == "*" {
        for (index, element) in value.as_array().into_iter().flatten().enumerate() {
            walk(element, &format!("{so_far}[{index}]"), rest, rule, causes);
        }
        return;
    }
    let dot = if so_far.is_empty() { "" } else { "." };
    let place = format!("{so_far}{dot}{head}");
    let inner = value.get(head).unwrap_or(&Value::Null);
    if rest.is_empty() { judge(inner, &place, rule, causes) } else { walk(inner, &place, rest, rule, causes) }
}

fn judge(value: &Value, place: &str, rule: Rule, causes: &mut Vec<Cause>) {
    let empty = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
    match rule {
        Required(why) if empty => causes.push(Cause::required(place, why)),
        OneOf(known) if !value.as_str().is_some_and(|v| known.contains(&v)) => {
            let said = if value.is_null() { json!("") } else { value.clone() };
            causes.push(Cause::unsupported(place, &said, known));
        }
        Between(low, high) if value.as_i64().is_some_and(|n| n < low || n > high) => {
            causes.push(Cause::invalid(place, value.clone(), &format!("must be between {low} and {high}, inclusive")));
        }
        Keys => {
            for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
                    let why = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
                    causes.push(Cause::invalid(format!("{place}[{key}]"), key.as_str(), why));
                }
            }
        }
        _ => {}
    }
}

/// What keeps Pods running wants Pods that restart; a Job wants some that end.
fn restart_policy(kind: &Kind, at: &str, spec: &Value) -> Option<Cause> {
    let (place, said) = (format!("{at}.restartPolicy"), text(spec, "restartPolicy"));
    let known: &[&str] = match kind.group.as_str() {
        "apps" => &["Always"],
        "batch" => &["OnFailure", "Never"],
        _ => &["Always", "OnFailure", "Never"],
    };
    if known.contains(&said) {
        return None;
    }
    if kind.group == "batch" && said == "Always" {
        return Some(Cause::required(place, "valid values: \"OnFailure\", \"Never\""));
    }
    Some(Cause::unsupported(place, &json!(said), known))
}
