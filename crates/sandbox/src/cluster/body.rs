//! Is a body what its path says? Kind, version and the shape of the metadata, with the real server's words.
//! Shapes deeper inside are not looked at: there are no schemas here.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::registry::{Kind, Registry};
use crate::status::{Answer, Refusal};
use crate::value::{at, default, set, text};

/// What the server has Go types for: the built-in kinds.
static TYPES: LazyLock<HashSet<(String, String)>> = LazyLock::new(|| {
    Registry::builtin()
        .kinds()
        .iter()
        .filter(|k| !k.custom)
        .flat_map(|k| ["", "List"].map(|list| (k.api_version(), format!("{}{list}", k.kind))))
        .collect()
});

/// Maps of text beside the metadata.
const TEXTS: &[(&str, &str)] = &[("ConfigMap", "data"), ("Secret", "data"), ("Secret", "stringData")];

/// Metadata, and what Go calls its type.
const META: &[(&str, &str)] = &[("name", "string"), ("namespace", "string"), ("generateName", "string"), ("resourceVersion", "string")];

/// The body must be of the kind that the path names; missing kind and version are filled in.
pub(super) fn check_type(kind: &Kind, object: &mut Value) -> Answer<()> {
    default(object, "kind", kind.kind.clone());
    default(object, "apiVersion", kind.api_version());
    let (version, name) = (text(object, "apiVersion").to_owned(), text(object, "kind").to_owned());
    if name != kind.kind || version != kind.api_version() {
        return Err(Refusal::bad_request(mismatch(kind, &version, &name)));
    }
    check_shape(kind, object)?;
    if !object["metadata"].is_object() {
        set(object, "metadata", json!({}));
    }
    Ok(())
}

fn mismatch(kind: &Kind, version: &str, name: &str) -> String {
    let short = version.rsplit('/').next().unwrap_or(version);
    let handled = format!("{name} in version {short:?} cannot be handled as a {}", kind.kind);
    match () {
        () if kind.custom && name == kind.kind => {
            format!("the API version in the data ({version}) does not match the expected API version ({})", kind.api_version())
        }
        () if kind.custom => format!("{handled}: unable to decode into a custom resource"),
        () if !TYPES.contains(&(version.to_owned(), name.to_owned())) => {
            format!("{handled}: no kind {name:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\"")
        }
        () => format!("{handled}: converting ({short}.{name}) to ({}.{}): unknown conversion", package(kind), kind.kind),
    }
}

/// The Go package of a group's types.
fn package(kind: &Kind) -> &str {
    if kind.group.is_empty() { "core" } else { kind.group.split('.').next().unwrap_or_default() }
}

fn check_shape(kind: &Kind, object: &Value) -> Answer<()> {
    let wrong = |value: &Value, field: &str, ty: &str| {
        let message = format!(
            "{} in version {:?} cannot be handled as a {}: json: cannot unmarshal {} into Go struct field {field} of type {ty}",
            kind.kind,
            kind.version,
            kind.kind,
            go_name(value)
        );
        Err(Refusal::bad_request(message))
    };
    let types = [
        ("metadata", "v1.ObjectMeta".to_owned()),
        ("spec", format!("{}.{}Spec", kind.version, kind.kind)),
        ("status", format!("{}.{}Status", kind.version, kind.kind)),
    ];
    for (part, ty) in &types {
        if let Some(value) = at(object, part).filter(|v| !v.is_object()) {
            return wrong(value, &format!("{}.{part}", kind.kind), ty);
        }
    }
    for (_, field) in TEXTS.iter().filter(|(of, _)| *of == kind.kind) {
        let texts = object[*field].as_object().into_iter().flatten().map(|(_, v)| v);
        if let Some(inner) = texts.into_iter().find(|v| !v.is_string() && !v.is_null()) {
            return wrong(inner, &format!("{}.{field}", kind.kind), if *field == "data" && kind.kind == "Secret" { "[]uint8" } else { "string" });
        }
    }
    for (field, ty) in META {
        if let Some(value) = object["metadata"].get(*field).filter(|v| !v.is_string() && !v.is_null()) {
            return wrong(value, &format!("ObjectMeta.metadata.{field}"), ty);
        }
    }
    for map in ["labels", "annotations"] {
        let value = &object["metadata"][map];
        if !value.is_object() && !value.is_null() {
            return wrong(value, &format!("ObjectMeta.metadata.{map}"), "map[string]string");
        }
        if let Some(inner) = value.as_object().into_iter().flatten().map(|(_, v)| v).find(|v| !v.is_string() && !v.is_null()) {
            return wrong(inner, &format!("ObjectMeta.metadata.{map}"), "string");
        }
    }
    Ok(())
}

/// What Go calls a JSON value.
pub(crate) fn go_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
