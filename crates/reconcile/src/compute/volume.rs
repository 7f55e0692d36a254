//! The persistent disk of an instance. Pure: intent in, object out.

use serde_json::{Value, json};
use store::{ClusterIntent, InstanceIntent};

use super::label;

/// Its name.
pub(super) fn name(instance: &InstanceIntent) -> String {
    format!("{}-data", instance.name)
}

/// Builds the claim, if the cluster has disks. The member's default storage class serves it.
pub(super) fn build(installation: &str, cluster: &ClusterIntent, instance: &InstanceIntent) -> Option<Value> {
    let size = cluster.disk?;
    Some(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name(instance),
            "namespace": cluster.namespace,
            "labels": label::of_instance(installation, cluster, instance),
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size.kubernetes()}},
        },
    }))
}
