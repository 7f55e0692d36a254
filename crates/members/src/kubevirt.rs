//! The parts of KubeVirt's objects that we read. What we write is built as plain JSON by `reconcile`.
//!
//! Fields that are false or empty are left out by KubeVirt, so everything has a default.

use serde::Deserialize;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VmSpec {
    pub(crate) run_strategy: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VmStatus {
    pub(crate) printable_status: String,
    pub(crate) created: bool,
    pub(crate) conditions: Vec<VmCondition>,
    pub(crate) state_change_requests: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VmCondition {
    #[serde(rename = "type")]
    pub(crate) type_: String,
    pub(crate) status: String,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VmiStatus {
    pub(crate) phase: String,
    pub(crate) node_name: Option<String>,
    pub(crate) interfaces: Vec<VmiInterface>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VmiInterface {
    pub(crate) ip_address: Option<String>,
}
