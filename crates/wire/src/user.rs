//! Users and their quota.

use serde::{Deserialize, Serialize};
use types::{Amount, Bytes, MilliCpu, Role, Timestamp, UserId};
use utoipa::ToSchema;

use crate::{schema, word::Word};

/// A user to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Unique name.
    #[schema(schema_with = schema::username)]
    pub username: String,
    /// See [`types::text::token`]. Left out, one is made and shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_token)]
    pub token: Option<String>,
    /// CPU cores that the user's instances may take in all.
    #[schema(schema_with = schema::cpu)]
    pub quota_cpu: Amount,
    /// Memory in GiB that the user's instances may take in all.
    #[schema(schema_with = schema::gib)]
    pub quota_memory: Amount,
    /// Persistent disk in GiB that the user's instances may take in all (default 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_gib)]
    pub quota_storage: Option<Amount>,
    /// How many clusters the user may have (default 100).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub quota_clusters: Option<i64>,
    /// How many instances all of them may have (default 1,000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub quota_instances: Option<i64>,
    /// How many virtual clusters the user may have (default 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub quota_virtual_clusters: Option<i64>,
    /// Default `user`. Only an admin may ask for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_role)]
    pub role: Option<Role>,
}

/// What to change of a user. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// CPU cores. Below what is used, it only stops growth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_cpu)]
    pub quota_cpu: Option<Amount>,
    /// Memory in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_gib)]
    pub quota_memory: Option<Amount>,
    /// Persistent disk in GiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_gib)]
    pub quota_storage: Option<Amount>,
    /// How many clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub quota_clusters: Option<i64>,
    /// How many instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub quota_instances: Option<i64>,
    /// How many virtual clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub quota_virtual_clusters: Option<i64>,
    /// What the user may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_role)]
    pub role: Option<Role>,
    /// Shut out at the next request. What the user runs goes on running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Small integer, never reused.
    #[schema(schema_with = schema::id)]
    pub id: UserId,
    /// Unique name.
    pub username: String,
    /// What the user may do.
    #[schema(schema_with = schema::role)]
    pub role: Word<Role>,
    /// Shut out.
    pub disabled: bool,
    /// CPU cores allowed.
    #[schema(schema_with = schema::decimal)]
    pub quota_cpu: MilliCpu,
    /// Memory in GiB allowed.
    #[schema(schema_with = schema::decimal)]
    pub quota_memory: Bytes,
    /// Persistent disk in GiB allowed.
    #[schema(schema_with = schema::decimal)]
    pub quota_storage: Bytes,
    /// Clusters allowed.
    pub quota_clusters: i64,
    /// Instances allowed, of all clusters.
    pub quota_instances: i64,
    /// Virtual clusters allowed.
    pub quota_virtual_clusters: i64,
    /// CPU cores taken.
    #[schema(schema_with = schema::decimal)]
    pub used_cpu: MilliCpu,
    /// Memory in GiB taken.
    #[schema(schema_with = schema::decimal)]
    pub used_memory: Bytes,
    /// Persistent disk in GiB taken.
    #[schema(schema_with = schema::decimal)]
    pub used_storage: Bytes,
    /// Clusters that there are.
    pub used_clusters: i64,
    /// Instances that there are.
    pub used_instances: i64,
    /// When the user was created.
    #[schema(schema_with = schema::time)]
    pub created_at: Timestamp,
}

/// A user just created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatedUser {
    /// The user.
    #[serde(flatten)]
    pub user: User,
    /// The token, when it was made here. It is shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A token in place of the former one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateToken {
    /// The new token. Left out, one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_new_token)]
    pub token: Option<String>,
}

/// The token that is good from now on. It is shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// Bearer token.
    pub token: String,
}

/// What a user may take, and takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Quota {
    /// CPU cores allowed.
    #[schema(schema_with = schema::decimal)]
    pub total_cpu: MilliCpu,
    /// Memory in GiB allowed.
    #[schema(schema_with = schema::decimal)]
    pub total_memory: Bytes,
    /// CPU cores taken by clusters that exist, running or not.
    #[schema(schema_with = schema::decimal)]
    pub used_cpu: MilliCpu,
    /// Memory in GiB taken.
    #[schema(schema_with = schema::decimal)]
    pub used_memory: Bytes,
    /// CPU cores left; zero when the quota was lowered below use.
    #[schema(schema_with = schema::decimal)]
    pub available_cpu: MilliCpu,
    /// Memory in GiB left.
    #[schema(schema_with = schema::decimal)]
    pub available_memory: Bytes,
    /// Persistent disk in GiB allowed.
    #[schema(schema_with = schema::decimal)]
    pub total_storage: Bytes,
    /// Persistent disk in GiB taken.
    #[schema(schema_with = schema::decimal)]
    pub used_storage: Bytes,
    /// Persistent disk in GiB left.
    #[schema(schema_with = schema::decimal)]
    pub available_storage: Bytes,
    /// Clusters allowed.
    pub total_clusters: i64,
    /// Clusters that there are.
    pub used_clusters: i64,
    /// Clusters left.
    pub available_clusters: i64,
    /// Instances allowed, of all clusters.
    pub total_instances: i64,
    /// Instances that there are.
    pub used_instances: i64,
    /// Instances left.
    pub available_instances: i64,
    /// Virtual clusters allowed.
    pub total_virtual_clusters: i64,
    /// Virtual clusters that there are.
    pub used_virtual_clusters: i64,
    /// Virtual clusters left.
    pub available_virtual_clusters: i64,
    /// CPU cores of the smallest instance.
    #[schema(schema_with = schema::decimal)]
    pub min_cpu_per_instance: MilliCpu,
    /// CPU cores of the largest instance; null: no limit but the quota.
    #[schema(schema_with = schema::optional_decimal)]
    pub max_cpu_per_instance: Option<MilliCpu>,
    /// Memory in GiB of the smallest instance.
    #[schema(schema_with = schema::decimal)]
    pub min_memory_per_instance: Bytes,
    /// Memory in GiB of the largest instance; null: no limit but the quota.
    #[schema(schema_with = schema::optional_decimal)]
    pub max_memory_per_instance: Option<Bytes>,
}
