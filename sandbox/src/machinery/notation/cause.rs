//! What is wrong with one field of an object: its path, and why in the words of the real server.

use serde_json::Value;

/// One wrong field of a 422.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cause {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) field: String,
}

impl Cause {
    pub(crate) fn new(reason: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Cause { reason, message: message.into(), field: field.into() }
    }

    pub(crate) fn required(field: impl Into<String>, detail: &str) -> Self {
        let text = if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
        Cause::new("FieldValueRequired", field, text)
    }

    pub(crate) fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Cause::new("FieldValueForbidden", field, format!("Forbidden: {why}"))
    }

    pub(crate) fn unsupported(field: impl Into<String>, value: &Value, supported: &[&str]) -> Self {
        let known: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
        Cause::new("FieldValueNotSupported", field, format!("Unsupported value: {value}: supported values: {}", known.join(", ")))
    }

    pub(crate) fn invalid(field: impl Into<String>, value: impl Into<Value>, detail: &str) -> Self {
        Cause::new("FieldValueInvalid", field, format!("Invalid value: {}: {detail}", value.into()))
    }
}
