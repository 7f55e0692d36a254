//! How the process is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::word::Word;

/// The health check of the original API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `healthy` or `degraded`.
    #[schema(value_type = String)]
    pub status: Word<HealthStatus>,
    /// Version of this program.
    pub version: String,
}

/// Whether all that the process needs is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It is.
    Healthy,
    /// Some of it is not; the process answers.
    Degraded,
}

/// One thing that readiness depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether traffic should stay away while it isn't.
    pub required: bool,
    /// More about it.
    pub message: String,
}
