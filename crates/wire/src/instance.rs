//! Instances.

use serde::{Deserialize, Serialize};
use types::{ClusterId, Desired, InstanceId, InstanceStatus, InstanceType, Operation, Suspension, Timestamp, Transition};
use utoipa::ToSchema;

use crate::{schema, word::Word};

/// What to do to an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperateInstance {
    /// `start`, `stop`, `suspend` or `resume`.
    #[schema(schema_with = schema::operation)]
    pub operation: Operation,
    /// Stop it whatever it is: also when it is suspended, or on its way elsewhere (`stop` only).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
}

/// How much an operation may lose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// What is possible for this kind of instance.
    #[default]
    Usual,
    /// Refuse to suspend where memory would be lost.
    Strict,
}

/// One container or VM.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Instance {
    /// Small integer, never reused.
    #[schema(schema_with = schema::id)]
    pub id: InstanceId,
    /// `<cluster>-instance-<n>`.
    pub instance_name: String,
    /// What it was last seen to be.
    #[schema(schema_with = schema::instance_status)]
    pub status: Word<InstanceStatus>,
    /// What it should be.
    #[schema(schema_with = schema::desired)]
    pub desired: Word<Desired>,
    /// Where it is going, when it is not there yet.
    #[schema(schema_with = schema::optional_transition)]
    pub transition: Option<Word<Transition>>,
    /// Its cluster.
    #[schema(schema_with = schema::id)]
    pub cluster_id: ClusterId,
    /// Name of its Pod or VirtualMachine.
    pub k8s_resource_name: String,
    /// Its namespace.
    pub namespace: String,
    /// Pod or VM.
    #[schema(schema_with = schema::instance_type)]
    pub instance_type: Word<InstanceType>,
    /// What suspending it means.
    pub suspend: SuspendSemantics,
    /// Its address within the member.
    pub ip: Option<String>,
    /// The node it runs on.
    pub node: Option<String>,
    /// Why it is in its state, in a word of Kubernetes.
    pub reason: Option<String>,
    /// Why it is in its state, in a sentence.
    pub message: Option<String>,
    /// Where it lives does not answer: what is said here was seen before.
    pub stale: bool,
    /// Since when that is so.
    #[schema(schema_with = schema::optional_time)]
    pub stale_since: Option<Timestamp>,
    /// Since when it is in its state.
    #[schema(schema_with = schema::time)]
    pub since: Timestamp,
    /// When it was created.
    #[schema(schema_with = schema::time)]
    pub created_at: Timestamp,
    /// When it was last seen to change.
    #[schema(schema_with = schema::time)]
    pub updated_at: Timestamp,
}

/// What suspending means: a VM is paused in memory, a container is scaled to zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuspendSemantics {
    /// `paused-in-ram` or `scale-to-zero`.
    #[schema(value_type = String)]
    pub semantics: Word<Suspension>,
    /// Whether processes go on where they were.
    pub memory_preserved: bool,
    /// Whether what was written to disk is still there.
    pub disk_preserved: bool,
    /// Whether a suspended instance outlives the loss of its node.
    pub survives_node_loss: bool,
}

/// An instance after an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperatedInstance {
    /// The instance.
    #[serde(flatten)]
    pub instance: Instance,
    /// What was done.
    #[schema(schema_with = schema::operation)]
    pub operation: Word<Operation>,
    /// Whether it has arrived (200) or is still on its way (202).
    pub settled: bool,
}

/// Something that happened to an instance, as its member tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub r#type: String,
    /// A word: `Scheduled`.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// What it happened to: `Pod/web-instance-1`.
    pub object: String,
    /// How often.
    pub count: i32,
    /// First time, RFC 3339.
    pub first_seen: Option<String>,
    /// Last time, RFC 3339.
    pub last_seen: Option<String>,
}

/// What this installation can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Capabilities {
    /// What suspending means for a container.
    pub container: SuspendSemantics,
    /// What suspending means for a VM.
    pub vm: SuspendSemantics,
    /// Where clusters can be placed.
    pub members: Vec<String>,
    /// Whether anybody may create a user.
    pub open_sign_up: bool,
}
