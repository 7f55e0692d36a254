//! How the process is.

use serde::Serialize;
use utoipa::ToSchema;

/// The health check of the original API.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `healthy` or `degraded`.
    pub status: &'static str,
    /// Version of this program.
    pub version: &'static str,
}

/// One thing that readiness depends on.
#[derive(Debug, Clone, Serialize, ToSchema)]
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
