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
    /// Who did it; null where nobody got in.
    #[schema(schema_with = schema::optional_id)]
    pub actor_id: Option<UserId>,
    /// What: `cluster.create`.
    pub action: String,
    /// To what: `cluster/1`.
    pub target: String,
    /// More about it.
    pub detail: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// From which address.
    pub address: Option<String>,
}
