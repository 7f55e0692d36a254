//! Labels of everything that we make. The watches select by them, and prune and delete by nothing else.

use serde_json::{Value, json};
use store::{ClusterIntent, InstanceIntent};
use types::labels;

/// Of what belongs to a cluster as a whole.
pub(super) fn of_cluster(installation: &str, cluster: &ClusterIntent) -> Value {
    json!({
        labels::MANAGED_BY: labels::MANAGED_BY_VALUE,
        labels::INSTANCE_TYPE: cluster.instance_type.as_str(),
        labels::INSTALLATION: installation,
        labels::CLUSTER_ID: cluster.id.to_string(),
    })
}

/// Of what belongs to one instance.
pub(super) fn of_instance(installation: &str, cluster: &ClusterIntent, instance: &InstanceIntent) -> Value {
    let mut labels = of_cluster(installation, cluster);
    labels[labels::INSTANCE_ID] = json!(instance.id.to_string());
    labels
}

/// Selects what belongs to a cluster.
pub(super) fn selector(installation: &str, cluster: &ClusterIntent) -> String {
    format!("{}={installation},{}={}", labels::INSTALLATION, labels::CLUSTER_ID, cluster.id)
}

/// Selects what belongs to one instance.
pub(super) fn selector_of(installation: &str, instance: &InstanceIntent) -> String {
    format!("{}={installation},{}={}", labels::INSTALLATION, labels::INSTANCE_ID, instance.id)
}
