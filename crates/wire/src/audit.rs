//! Who did what.

use serde::{Deserialize, Serialize};
use types::{Timestamp, UserId};
use utoipa::ToSchema;

use crate::schema;

/// Something done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Grows with time.
    pub id: i64,
    /// When.
    #[schema(schema_with = schema::time)]
    pub at: Timestamp,
    /// Who did it.
    #[schema(schema_with = schema::id)]
    pub actor_id: UserId,
    /// What: `cluster.create`.
    pub action: String,
    /// To what: `cluster/1`.
    pub target: String,
    /// More about it.
    pub detail: Option<String>,
}
