//! What the API refuses, as Kubernetes says it: code, reason, message and details of a `Status`.
//! The texts follow the real server where clients were seen to depend on them.

use serde_json::{Value, json};

use crate::machinery::notation::cause::Cause;
use crate::machinery::registry::Kind;

/// A request that is answered with a `Status` of failure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) metadata: Value,
    pub(crate) details: Value,
}

pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Refusal { code, reason, message: message.into(), metadata: json!({}), details: Value::Null }
    }

    pub(crate) fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    fn about(self, kind: &Kind, name: &str) -> Self {
        let details = drop_empty(json!({"name": name, "group": kind.group, "kind": kind.plural}));
        self.with_details(details)
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        Refusal::new(404, "NotFound", format!("{} {name:?} not found", kind.resource())).about(kind, name)
    }

    pub(crate) fn exists(kind: &Kind, name: &str) -> Self {
        Refusal::new(409, "AlreadyExists", format!("{} {name:?} already exists", kind.resource())).about(kind, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.resource());
        Refusal::new(409, "Conflict", message).about(kind, name)
    }

    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        Refusal::conflict(kind, name, "the object has been modified; please apply your changes to the latest version and try again")
    }

    pub(crate) fn forbidden(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("{} {name:?} is forbidden: {why}", kind.resource());
        Refusal::new(403, "Forbidden", message).about(kind, name)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Refusal::new(400, "BadRequest", message)
    }

    pub(crate) fn method() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Refusal::new(405, "MethodNotAllowed", message).with_details(json!({}))
    }

    pub(crate) fn no_such_path() -> Self {
        Refusal::new(404, "NotFound", "the server could not find the requested resource").with_details(json!({}))
    }

    pub(crate) fn gone(message: impl Into<String>) -> Self {
        Refusal::new(410, "Expired", message)
    }

    /// A `continue` token whose version is forgotten; another goes on with what is there now.
    pub(crate) fn expired_token(goes_on: String) -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue \
                       parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token \
                       results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and \
                       now may show up in the list.";
        Refusal { metadata: json!({"continue": goes_on}), ..Refusal::gone(message) }
    }

    /// A version that is not there yet.
    pub(crate) fn too_large_version(asked: u64, newest: u64) -> Self {
        let details = json!({"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}], "retryAfterSeconds": 1});
        Refusal::new(504, "Timeout", format!("Timeout: Too large resource version: {asked}, current: {newest}")).with_details(details)
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        let text = format!("Internal error occurred: {message}");
        Refusal::new(500, "InternalError", text).with_details(json!({"causes": [{"message": message.to_string()}]}))
    }

    /// The real server says no more than this of a JSON patch that does not apply.
    pub(crate) fn rejected() -> Self {
        Refusal::new(422, "Invalid", "the server rejected our request due to an error in our request").with_details(json!({}))
    }

    /// A 422 with every wrong field.
    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[Cause]) -> Self {
        let text = joined(causes);
        let title = if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) };
        let details = json!({"name": name, "group": kind.group, "kind": kind.kind, "causes": list(causes)});
        Refusal::new(422, "Invalid", format!("{title} {name:?} is invalid: {text}")).with_details(drop_empty(details))
    }

    /// A 422 about what is no resource.
    pub(crate) fn invalid_named(kind: &str, name: &str, causes: &[Cause]) -> Self {
        let each: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let text = if let [one] = each.as_slice() { one.clone() } else { format!("[{}]", each.join(", ")) };
        let details = json!({"name": name, "kind": kind, "causes": list(causes)});
        Refusal::new(422, "Invalid", format!("{kind} {name:?} is invalid: {text}")).with_details(drop_empty(details))
    }

    /// A 422 about the options of a call, such as `PatchOptions`.
    pub(crate) fn options(kind: &str, causes: &[Cause]) -> Self {
        let message = format!("{kind}.meta.k8s.io \"\" is invalid: {}", joined(causes));
        let details = json!({"group": "meta.k8s.io", "kind": kind, "causes": list(causes)});
        Refusal::new(422, "Invalid", message).with_details(details)
    }

    /// A 422 as an admission webhook words it.
    pub(crate) fn by_webhook(webhook: &str, causes: &[Cause]) -> Self {
        let text: Vec<&str> = causes.iter().map(|c| c.message.as_str()).collect();
        let message = format!("admission webhook {webhook:?} denied the request: {}", text.join(", "));
        Refusal::new(422, "Invalid", message).with_details(json!({"causes": list(causes)}))
    }

    /// The body.
    pub(crate) fn to_value(&self) -> Value {
        let mut body =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure", "message": self.message, "code": self.code});
        if !self.reason.is_empty() {
            body["reason"] = json!(self.reason);
        }
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        body
    }
}

fn joined(causes: &[Cause]) -> String {
    let mut each: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
    each.dedup();
    match each.as_slice() {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

fn list(causes: &[Cause]) -> Value {
    causes.iter().map(|c| drop_empty(json!({"reason": c.reason, "message": c.message, "field": c.field}))).collect()
}

fn drop_empty(mut value: Value) -> Value {
    if let Some(map) = value.as_object_mut() {
        map.retain(|_, v| v != "");
    }
    value
}

/// The `Status` of a delete that left nothing behind.
pub(crate) fn deleted(kind: &Kind, name: &str, uid: &str) -> Value {
    let details = drop_empty(json!({"name": name, "group": kind.group, "kind": kind.plural, "uid": uid}));
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}
