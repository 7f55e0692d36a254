//! Who owns which field, and patches: the parts of the API that look at single fields of any object.
//!
//! [`set`] is a set of fields, [`compare`] makes such sets from values, [`managed`] keeps the `managedFields` of an object
//! for plain writes, [`apply`] is server-side apply on top of [`merge`], [`strategic`] is kubectl's strategic merge patch, [`json`]
//! is JSON patch, [`typed`] brings objects into the form of their type, [`validate`] says why one can't be applied.

pub(crate) mod apply;
pub(crate) mod compare;
pub(crate) mod json;
pub(crate) mod managed;
pub(crate) mod merge;
pub(crate) mod set;
pub(crate) mod strategic;
pub(crate) mod typed;
pub(crate) mod validate;

#[cfg(test)]
mod tests;

use serde_json::Value;

/// A value as Go prints it, which is how it stands in some of the real server's messages.
pub(crate) fn go_print(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(" ");
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", joined(list.iter().map(go_print).collect())),
        Value::Object(map) => format!("map[{}]", joined(map.iter().map(|(k, v)| format!("{k}:{}", go_print(v))).collect())),
        other => other.to_string(),
    }
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
