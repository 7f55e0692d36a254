//! CustomResourceDefinitions: what their schemas allow ([`schema`], [`judge`]), whether they are sound themselves ([`definition`]) and
//! which names they get ([`names`]). Which kinds they bring is [`crate::machinery::registry::custom`].
//!
//! Codes, reasons and fields are the real server's, and most texts, which people search the web for. Not here: validation rules in CEL
//! (`x-kubernetes-validations`), which are accepted and not evaluated, and conversion webhooks.

pub(crate) mod definition;
mod judge;
mod limits;
mod lists;
pub(crate) mod names;
mod schema;
mod structural;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, text};
use schema::Schema;

/// What one version of a definition demands of its objects.
#[derive(Debug)]
pub(crate) struct Rules {
    schema: Schema,
    status: bool,
    pub(crate) scale: Option<Scale>,
    /// The definition is being deleted.
    pub(crate) ends: bool,
}

/// Where the objects of a kind keep what their `scale` shows. Dotted paths.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    pub(crate) replicas: String,
    pub(crate) current: String,
    /// The label selector as text; built-in kinds have a structured one instead.
    pub(crate) selector: Option<String>,
}

impl Rules {
    pub(crate) fn of(definition: &Value, version: &Value) -> Self {
        let ends = at(definition, "metadata.deletionTimestamp").is_some();
        let schema = Schema::new(at(version, "schema.openAPIV3Schema").cloned().unwrap_or_default());
        Rules { schema, status: at(version, "subresources.status").is_some(), scale: scale(version), ends }
    }

    /// Judges a whole object. Where a change left a part as it was, what was wrong there before may stay so.
    pub(crate) fn check(&self, before: Option<&Value>, object: &Value) -> Vec<Cause> {
        let mut causes = self.schema.check(object, before);
        causes.extend(self.scale.iter().flat_map(|scale| scale.check(object, true)));
        causes.extend(lists::embedded(self.schema.root(), object));
        let repeated = |object| lists::repeated(self.schema.root(), object);
        if before.is_none_or(|before| repeated(before).is_empty()) {
            causes.extend(repeated(object));
        }
        causes
    }

    /// Judges a status alone.
    pub(crate) fn check_status(&self, before: &Value, object: &Value) -> Vec<Cause> {
        let mut causes = if self.status { self.schema.check_status(object, before) } else { vec![] };
        causes.extend(self.scale.iter().flat_map(|scale| scale.check(object, false)));
        if lists::repeated(self.schema.root(), before).is_empty() {
            causes.extend(lists::repeated(self.schema.root(), object));
        }
        causes
    }
}

/// The `scale` subresource that a version declares.
fn scale(version: &Value) -> Option<Scale> {
    let declared = at(version, "subresources.scale")?;
    let path = |name: &str| text(declared, name).trim_start_matches('.').to_owned();
    let selector = Some(path("labelSelectorPath")).filter(|path| !path.is_empty());
    Some(Scale { replicas: path("specReplicasPath"), current: path("statusReplicasPath"), selector })
}

impl Scale {
    /// Numbers of replicas must be numbers; those of the spec only where the whole object is judged.
    fn check(&self, object: &Value, whole: bool) -> Vec<Cause> {
        let numbers = whole.then_some(&self.replicas).into_iter().chain([&self.current]);
        let mut causes: Vec<Cause> = numbers.filter_map(|path| replicas(object, path)).collect();
        if let Some(path) = &self.selector
            && let Some(other) = at(object, path).filter(|v| !v.is_string())
        {
            causes.push(Cause::invalid(format!(".{path}"), "", &not_of_type(path, other, "string")));
        }
        causes
    }
}

fn replicas(object: &Value, path: &str) -> Option<Cause> {
    let found = at(object, path)?;
    let field = format!(".{path}");
    match found.as_i64() {
        None => Some(Cause::invalid(field, 0, &not_of_type(path, found, "int64"))),
        Some(n) if n < 0 => Some(Cause::invalid(field, n, "should be a non-negative integer")),
        Some(n) if n > i64::from(i32::MAX) => Some(Cause::invalid(field, n, &format!("should be less than or equal to {}", i32::MAX))),
        Some(_) => None,
    }
}

fn not_of_type(path: &str, found: &Value, wanted: &str) -> String {
    format!(".{path} accessor error: {found} is not of the type {wanted}")
}
