//! How Go writes values, which is how they stand in some of the real server's messages.

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
