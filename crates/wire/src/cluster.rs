//! Clusters.

use serde::{Deserialize, Serialize};
use types::{Amount, Bytes, ClusterId, ClusterStatus, InstanceId, InstanceStatus, InstanceType, MilliCpu, Timestamp, UserId};
use utoipa::ToSchema;

use crate::{
    instance::{Instance, SuspendSemantics},
    schema,
    word::Word,
};

/// A cluster to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCluster {
    /// Unique among its owner's clusters.
    #[schema(schema_with = schema::cluster_name)]
    pub name: String,
    /// Pods or VMs.
    #[schema(schema_with = schema::instance_type)]
    pub instance_type: InstanceType,
    /// CPU cores of each instance; whole for VMs.
    #[schema(schema_with = schema::cpu)]
    pub cpu_per_instance: Amount,
    /// Memory in GiB of each instance.
    #[schema(schema_with = schema::gib)]
    pub memory_per_instance: Amount,
    /// How many instances.
    #[schema(minimum = 1, maximum = 10_000)]
    pub instance_count: i64,
    /// Left out, the installation's own: see [`types::text::image`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_image)]
    pub image: Option<String>,
    /// See [`types::text::ssh_public_key`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_ssh_public_key)]
    pub ssh_public_key: Option<String>,
    /// Cloud-init user data (VMs only), at most 65,535 bytes, without NUL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 65535)]
    pub cloud_init: Option<String>,
    /// Persistent disk in GiB of each instance, at `/data` in a container, the second disk of a VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::optional_gib)]
    pub disk_gb: Option<Amount>,
    /// Where it shall live (default `local`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}

/// What to change of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateCluster {
    /// How many instances. Fewer removes those with the highest numbers.
    #[schema(minimum = 1, maximum = 10_000)]
    pub instance_count: i64,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Cluster {
    /// Small integer, never reused.
    #[schema(schema_with = schema::id)]
    pub id: ClusterId,
    /// The owner's name for it.
    pub name: String,
    /// Its namespace: `<name>-ns`, with a random part where that was taken.
    pub namespace: String,
    /// Pods or VMs.
    #[schema(schema_with = schema::instance_type)]
    pub instance_type: Word<InstanceType>,
    /// CPU cores of each instance.
    #[schema(schema_with = schema::decimal)]
    pub cpu_per_instance: MilliCpu,
    /// Memory in GiB of each instance.
    #[schema(schema_with = schema::decimal)]
    pub memory_per_instance: Bytes,
    /// How many instances.
    pub instance_count: i64,
    /// Derived from its instances.
    #[schema(schema_with = schema::cluster_status)]
    pub status: Word<ClusterStatus>,
    /// Whose it is.
    #[schema(schema_with = schema::id)]
    pub owner_id: UserId,
    /// Where it lives.
    pub member: String,
    /// What its instances are made from.
    pub image: String,
    /// Persistent disk in GiB of each instance.
    #[schema(schema_with = schema::optional_decimal)]
    pub disk_gb: Option<Bytes>,
    /// Why it is not where it should be, in a word.
    pub reason: Option<String>,
    /// Why it is not where it should be, in a sentence.
    pub message: Option<String>,
    /// Where it lives does not answer: what is said here was seen before.
    pub stale: bool,
    /// Since when that is so.
    #[schema(schema_with = schema::optional_time)]
    pub stale_since: Option<Timestamp>,
    /// When it was created.
    #[schema(schema_with = schema::time)]
    pub created_at: Timestamp,
    /// When its owner last changed it.
    #[schema(schema_with = schema::time)]
    pub updated_at: Timestamp,
}

/// A cluster with its instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterDetail {
    /// The cluster.
    #[serde(flatten)]
    pub cluster: Cluster,
    /// Its instances, lowest number first.
    pub instances: Vec<Instance>,
}

/// A cluster that is being deleted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterDeleted {
    /// A sentence.
    pub message: String,
    /// `deleting`.
    #[schema(schema_with = schema::cluster_status)]
    pub status: Word<ClusterStatus>,
}

/// A cluster that was given up, though nothing confirms that it is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClusterAbandoned {
    /// A sentence.
    pub message: String,
    /// The namespace that may still hold what is left of it.
    pub namespace: String,
    /// Where that namespace is.
    pub member: String,
}

/// How to stop all instances. May be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopCluster {
    /// Stop them whatever they are: also suspended ones, and those that are on their way elsewhere.
    #[serde(default)]
    pub force: bool,
}

/// What an operation on all instances did. The count of those operated on is named after the operation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// How many are suspended now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspended: Option<usize>,
    /// How many were resumed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed: Option<usize>,
    /// How many were started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<usize>,
    /// How many were stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<usize>,
    /// How many failed on the way.
    pub failed: usize,
    /// How many were left alone, because their state did not ask for it.
    pub skipped: usize,
    /// How many are still on their way.
    pub pending: usize,
    /// What suspending meant for these instances (suspend and resume only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<SuspendSemantics>,
    /// One line an instance.
    pub results: Vec<BulkLine>,
}

/// What an operation did to one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkLine {
    /// Which one.
    #[schema(schema_with = schema::id)]
    pub instance_id: InstanceId,
    /// Its name.
    pub instance_name: String,
    /// `done`, `failed`, `skipped` or `pending`.
    #[schema(value_type = BulkOutcome)]
    pub outcome: Word<BulkOutcome>,
    /// Its status now.
    #[schema(schema_with = schema::instance_status)]
    pub status: Word<InstanceStatus>,
    /// Why, where it is not done.
    pub message: Option<String>,
}

/// How an instance came out of an operation on all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkOutcome {
    /// It is where it should be.
    Done,
    /// It could not get there.
    Failed,
    /// It was left alone.
    Skipped,
    /// It is on its way.
    Pending,
}
