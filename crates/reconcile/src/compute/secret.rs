//! What an instance is given at its start: an SSH public key, cloud-init user data. Pure: intent in, objects out.
//!
//! A container finds the key in a file. A VM gets it by cloud-init: alone it becomes a small user data of its own;
//! beside the tenant's user data KubeVirt adds it (`accessCredentials`), so that we never edit what a tenant wrote.
//! User data is always a Secret: inline it is limited to 2 KiB.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use store::{ClusterIntent, InstanceIntent};
use types::InstanceType;

use super::label;

/// Name of the Secret with the key.
pub(super) fn ssh_name(instance: &InstanceIntent) -> String {
    format!("{}-ssh", instance.name)
}

/// Name of the Secret with user data.
pub(super) fn cloud_init_name(instance: &InstanceIntent) -> String {
    format!("{}-ci", instance.name)
}

/// A VM's cloud-init user data.
pub(super) fn user_data(cluster: &ClusterIntent) -> Option<String> {
    match (cluster.instance_type, &cluster.cloud_init, &cluster.ssh_public_key) {
        (InstanceType::Container, ..) | (InstanceType::Vm, None, None) => None,
        (InstanceType::Vm, Some(text), _) => Some(text.clone()),
        // A JSON string is a YAML string, whatever the key's comment holds.
        (InstanceType::Vm, None, Some(key)) => Some(format!("#cloud-config\nssh_authorized_keys:\n  - {}\n", json!(key.trim()))),
    }
}

/// Whether KubeVirt adds the key to the tenant's own user data.
pub(super) fn key_is_injected(cluster: &ClusterIntent) -> bool {
    cluster.instance_type == InstanceType::Vm && cluster.cloud_init.is_some() && cluster.ssh_public_key.is_some()
}

/// Builds the Secrets of an instance, with their names.
pub(super) fn build(installation: &str, cluster: &ClusterIntent, instance: &InstanceIntent) -> Vec<(String, Value)> {
    let secret = |name: String, key: &str, value: &str| {
        let object = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": cluster.namespace,
                "labels": label::of_instance(installation, cluster, instance),
            },
            "type": "Opaque",
            "data": {key: STANDARD.encode(value)},
        });
        (name, object)
    };
    let mut secrets = Vec::new();
    let wants_file = cluster.instance_type == InstanceType::Container;
    if let Some(key) = cluster.ssh_public_key.as_ref().filter(|_| wants_file || key_is_injected(cluster)) {
        secrets.push(secret(ssh_name(instance), "authorized_keys", &format!("{}\n", key.trim())));
    }
    if let Some(text) = user_data(cluster) {
        secrets.push(secret(cloud_init_name(instance), "userdata", &text));
    }
    secrets
}

/// Names of all Secrets that an instance may have had.
pub(super) fn names(instance: &InstanceIntent) -> [String; 2] {
    [ssh_name(instance), cloud_init_name(instance)]
}
