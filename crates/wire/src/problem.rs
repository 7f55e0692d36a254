//! Errors, as `application/problem+json` (RFC 9457) with the original API's `detail`.

use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the title says what the status code says.
    pub r#type: &'static str,
    /// The status code in words.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// A sentence for a person.
    pub detail: String,
    /// A word for a program: `quota_exceeded`.
    pub code: &'static str,
    /// To find the request in the log.
    pub request_id: String,
    /// Which fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Field>,
    /// What the present state allows instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<&'static str>>,
    /// Where the quota stands in the way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quota: Vec<Shortage>,
}

/// A wrong field.
#[derive(Debug, Serialize, ToSchema)]
pub struct Field {
    /// Its path in the request.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// A quota that stands in the way; cores or GiB.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shortage {
    /// `cpu`, `memory` or `storage`.
    pub resource: &'static str,
    /// What was asked for.
    pub requested: f64,
    /// What is taken.
    pub used: f64,
    /// What there is in all.
    pub limit: f64,
    /// What is left.
    pub available: f64,
}
