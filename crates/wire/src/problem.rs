//! Errors, as `application/problem+json` (RFC 9457) with the original API's `detail`.

use serde::{Deserialize, Serialize};
use types::Operation;
use utoipa::ToSchema;

use crate::word::Word;

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the title says what the status code says.
    pub r#type: String,
    /// The status code in words.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// A sentence for a person.
    pub detail: String,
    /// A word for a program: `quota_exceeded`.
    #[schema(value_type = String)]
    pub code: Word<Code>,
    /// To find the request in the log.
    pub request_id: String,
    /// Which fields are wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Field>,
    /// What the present state allows instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed: Option<Vec<Word<Operation>>>,
    /// Where the quota stands in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quota: Vec<Shortage>,
}

/// Why, in a word for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request could not be understood at all.
    Malformed,
    /// Fields are wrong; `errors` names them.
    Invalid,
    /// No credential, or one that is not good.
    Unauthenticated,
    /// Known, but not allowed.
    Forbidden,
    /// Not there, or not the caller's.
    NotFound,
    /// The present state does not allow it; `allowed` says what it does.
    Conflict,
    /// Memory would be lost.
    SuspendNotSupported,
    /// `quota` says where.
    QuotaExceeded,
    /// Not now; see Retry-After.
    Unavailable,
    /// The caller asks for too much at a time; see Retry-After.
    TooManyRequests,
    /// A member did not do its part.
    MemberFailed,
    /// A member did not answer in time.
    MemberTimeout,
    /// A defect of the server.
    Internal,
    /// The method is not possible on this path.
    MethodNotAllowed,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not JSON.
    UnsupportedMediaType,
    /// The request took too long.
    Timeout,
}

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Cores.
    Cpu,
    /// GiB of memory.
    Memory,
    /// GiB of persistent disk.
    Storage,
    /// How many clusters.
    Clusters,
    /// How many instances.
    Instances,
}

/// A wrong field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Field {
    /// Its path in the request.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// A quota that stands in the way; cores or GiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Shortage {
    /// `cpu`, `memory`, `storage`, `clusters` or `instances`.
    #[schema(value_type = String)]
    pub resource: Word<Resource>,
    /// What was asked for.
    pub requested: f64,
    /// What is taken.
    pub used: f64,
    /// What there is in all.
    pub limit: f64,
    /// What is left.
    pub available: f64,
}
