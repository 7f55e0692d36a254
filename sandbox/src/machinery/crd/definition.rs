//! Is a definition sound: names, versions, subresources, columns. Its schemas are [`super::structural`]'s.
//!
//! What all versions have in common counts as said once for all of them, and is reported there: with a single version a
//! wrong schema is `spec.validation`, not `spec.versions[0].schema`.

use serde_json::{Value, json};

use super::structural;
use crate::machinery::notation::value::{at, list, text};
use crate::machinery::notation::{cause::Cause, name};

const LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const COLUMN_TYPES: &[&str] = &["boolean", "date", "integer", "number", "string"];

/// Judges a definition; `before` is what it was, if it changes.
pub(crate) fn check(before: Option<&Value>, definition: &Value) -> Vec<Cause> {
    let Some(spec) = at(definition, "spec") else { return vec![] };
    let mut causes = Vec::new();
    let name = text(definition, "metadata.name");
    if before.is_none() && name != format!("{}.{}", text(spec, "names.plural"), text(spec, "group")) {
        causes.push(Cause::invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
    }
    causes.extend(group(text(spec, "group")));
    match text(spec, "scope") {
        "Cluster" | "Namespaced" => {}
        "" => causes.push(Cause::required("spec.scope", "")),
        other => causes.push(Cause::unsupported("spec.scope", &json!(other), &["Cluster", "Namespaced"])),
    }
    causes.extend(versions(spec));
    causes.extend(names(spec));
    for (part, place) in
        [("schema", "spec.validation"), ("subresources", "spec.subresources"), ("additionalPrinterColumns", "spec.additionalPrinterColumns")]
    {
        if let Some(common) = common(spec, part) {
            causes.extend(check_part(part, common, place, list(spec, "versions").iter().any(has_status)));
        }
    }
    causes.extend(stored_versions(definition));
    causes.extend(before.iter().flat_map(|before| immutable(before, definition)));
    causes
}

/// Every version that objects were stored in must stay.
fn stored_versions(definition: &Value) -> Vec<Cause> {
    const FIELD: &str = "status.storedVersions";
    let stored = list(definition, FIELD);
    if stored.is_empty() {
        return vec![Cause::invalid(FIELD, Value::Null, "must have at least one stored version")];
    }
    let (mut causes, mut left): (Vec<Cause>, Vec<&str>) = (vec![], stored.iter().filter_map(Value::as_str).collect());
    for version in list(definition, "spec.versions") {
        let name = text(version, "name");
        if version["storage"] == true && !left.contains(&name) {
            causes.push(Cause::invalid(FIELD, json!(stored), &format!("must have the storage version {name}")));
        }
        left.retain(|other| *other != name);
    }
    for name in left {
        let at = stored.iter().position(|s| s == name).unwrap_or_default();
        let why = format!(
            "missing from spec.versions; {name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {name} and removes {name} from status.storedVersions"
        );
        causes.push(Cause::invalid(format!("{FIELD}[{at}]"), name, &why));
    }
    causes
}

fn group(group: &str) -> Option<Cause> {
    match group {
        "" => Some(Cause::required("spec.group", "")),
        other if !name::is_subdomain(other) => Some(Cause::invalid("spec.group", other, name::SUBDOMAIN)),
        other if !other.contains('.') => Some(Cause::invalid("spec.group", other, "should be a domain with at least one dot")),
        _ => None,
    }
}

fn versions(spec: &Value) -> Vec<Cause> {
    let (mut causes, versions) = (Vec::new(), list(spec, "versions"));
    for (index, version) in versions.iter().enumerate() {
        if at(version, "schema.openAPIV3Schema").is_none() {
            causes.push(Cause::required(format!("spec.versions[{index}].schema.openAPIV3Schema"), ""));
        }
    }
    for (index, version) in versions.iter().enumerate() {
        let place = format!("spec.versions[{index}]");
        causes.extend(label(text(version, "name"), &format!("{place}.name")));
        if at(version, "deprecationWarning").is_some() && version["deprecated"] != true {
            let warning = version["deprecationWarning"].clone();
            causes.push(Cause::invalid(format!("{place}.deprecationWarning"), warning, "can only be set for deprecated versions"));
        }
        for part in ["schema", "subresources", "additionalPrinterColumns"] {
            if common(spec, part).is_none() {
                causes.extend(check_part(part, version.get(part).unwrap_or(&Value::Null), &format!("{place}.{part}"), has_status(version)));
            }
        }
    }
    let called: Vec<&str> = versions.iter().map(|version| text(version, "name")).collect();
    let misfit = |why: &str| Cause::invalid("spec.versions", json!(called), why);
    if (1..called.len()).any(|at| called[..at].contains(&called[at])) {
        causes.push(misfit("must contain unique version names"));
    }
    if versions.iter().filter(|v| v["storage"] == true).count() != 1 {
        causes.push(misfit("must have exactly one version marked as storage version"));
    }
    // The first version has a place of its own, left from when there was only one.
    causes.extend(versions.first().map(|v| text(v, "name")).filter(|name| !name.is_empty()).and_then(|name| label(name, "spec.version")));
    causes
}

/// What every version says in the same way.
fn common<'s>(spec: &'s Value, part: &str) -> Option<&'s Value> {
    let (first, rest) = list(spec, "versions").split_first()?;
    let said = first.get(part).filter(|v| !v.is_null())?;
    rest.iter().all(|v| v.get(part) == Some(said)).then_some(said)
}

fn check_part(part: &str, said: &Value, place: &str, status: bool) -> Vec<Cause> {
    match part {
        "schema" => match &said["openAPIV3Schema"] {
            Value::Null => vec![],
            schema => {
                let place = format!("{place}.openAPIV3Schema");
                status_root(schema, &place, status).into_iter().chain(structural::check(schema, &place)).collect()
            }
        },
        "subresources" => scale(&said["scale"], place),
        _ => said.as_array().into_iter().flatten().enumerate().flat_map(|(index, c)| column(c, &format!("{place}[{index}]"))).collect(),
    }
}

fn has_status(version: &Value) -> bool {
    at(version, "subresources.status").is_some()
}

/// A status that is judged alone must be a part of an object.
fn status_root(schema: &Value, place: &str, status: bool) -> Vec<Cause> {
    let mut causes = Vec::new();
    let kind = text(schema, "type");
    if status && !matches!(kind, "" | "object") {
        let why = "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled";
        causes.push(Cause::invalid(format!("{place}.type"), kind, why));
    }
    if schema["nullable"] == true {
        causes.push(Cause::forbidden(format!("{place}.nullable"), "nullable cannot be true at the root"));
    }
    causes
}

fn scale(scale: &Value, place: &str) -> Vec<Cause> {
    if scale.is_null() {
        return vec![];
    }
    let check = |(name, under): (&str, &[&str])| {
        let (field, path) = (format!("{place}.scale.{name}"), text(scale, name));
        let why = match under {
            [one] => format!("should be a json path under {}", one.trim_end_matches('.')),
            _ => "should be a json path under either .spec or .status".to_owned(),
        };
        match path {
            "" if name == "labelSelectorPath" => None,
            "" => Some(Cause::required(field, "")),
            path if !path.starts_with('.') => Some(Cause::invalid(field, path, "must be a simple json path starting with .")),
            path if !under.iter().any(|prefix| path.starts_with(prefix)) => Some(Cause::invalid(field, path, &why)),
            _ => None,
        }
    };
    let paths: [(&str, &[&str]); 3] =
        [("specReplicasPath", &[".spec."]), ("statusReplicasPath", &[".status."]), ("labelSelectorPath", &[".spec.", ".status."])];
    paths.into_iter().filter_map(check).collect()
}

fn column(column: &Value, place: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let (kind, path, types) = (text(column, "type"), text(column, "jsonPath"), format!("must be one of {}", COLUMN_TYPES.join(",")));
    if text(column, "name").is_empty() {
        causes.push(Cause::required(format!("{place}.name"), ""));
    }
    if kind.is_empty() {
        causes.push(Cause::required(format!("{place}.type"), &types));
    } else if !COLUMN_TYPES.contains(&kind) {
        causes.push(Cause::invalid(format!("{place}.type"), kind, &types));
    }
    if path.is_empty() {
        causes.push(Cause::required(format!("{place}.JSONPath"), ""));
    } else if !path.starts_with('.') {
        causes.push(Cause::invalid(format!("{place}.JSONPath"), path, "must be a simple json path starting with ."));
    }
    causes
}

fn names(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let said = |name: &str| text(spec, &format!("names.{name}"));
    for name in ["plural", "singular", "kind", "listKind"].into_iter().filter(|name| said(name).is_empty()) {
        causes.push(Cause::required(format!("spec.names.{name}"), ""));
    }
    for name in ["plural", "singular"].into_iter().filter(|name| !said(name).is_empty()) {
        causes.extend(label(said(name), &format!("spec.names.{name}")));
    }
    for name in ["kind", "listKind"].into_iter().filter(|name| !name::is_word_label(&said(name).to_lowercase()) && !said(name).is_empty()) {
        causes.push(Cause::invalid(format!("spec.names.{name}"), said(name), &format!("may have mixed case, but should otherwise match: {LABEL}")));
    }
    let each = |which: &str, causes: &mut Vec<Cause>| {
        for (index, name) in list(spec, &format!("names.{which}")).iter().filter_map(Value::as_str).enumerate() {
            causes.extend(label(name, &format!("spec.names.{which}[{index}]")));
        }
    };
    each("shortNames", &mut causes);
    if !said("kind").is_empty() && said("kind") == said("listKind") {
        causes.push(Cause::invalid("spec.names.listKind", said("listKind"), "kind and listKind may not be the same"));
    }
    each("categories", &mut causes);
    causes
}

fn label(said: &str, field: &str) -> Option<Cause> {
    (!name::is_word_label(said)).then(|| Cause::invalid(field, said, LABEL))
}

/// What objects are stored under can't change once there may be some.
fn immutable(before: &Value, definition: &Value) -> Vec<Cause> {
    let established = text(before, "status.conditions.Established.status") == "True";
    let fields = [("spec.scope", established), ("spec.names.kind", established), ("spec.group", true), ("spec.names.plural", true)];
    let changed = fields.into_iter().filter(|(field, fixed)| *fixed && text(before, field) != text(definition, field));
    changed.map(|(field, _)| Cause::invalid(field, text(definition, field), "field is immutable")).collect()
}
