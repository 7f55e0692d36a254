//! The Pod of a container instance. Pure: intent in, object out.

use serde_json::{Value, json};
use store::{ClusterIntent, InstanceIntent};
use types::{
    Bytes, labels,
    quantity::{GIB, MIB},
};

use super::{label, secret, volume};

/// Seconds that a Pod gets to end by itself.
pub(super) const GRACE_SECONDS: u32 = 30;

/// What a container may write to its node's disk (its own layer, its log): who writes more is evicted, not its neighbours.
pub(super) const DISK_LIMIT: Bytes = Bytes(2 * GIB);
/// What is set aside for it there. Most write little, and a node's disk is small: to set the limit aside would leave room
/// for a few dozen on each node.
pub(super) const DISK_REQUEST: Bytes = Bytes(128 * MIB);

/// The name of the one container.
pub(super) const CONTAINER: &str = "main";

/// Where the persistent disk is mounted.
const DATA_PATH: &str = "/data";

/// Where the SSH public key is found, in file `authorized_keys`.
const SSH_PATH: &str = "/etc/ssh-keys";

/// Builds it. Requests equal limits in CPU and memory, so the Pod is of the guaranteed class and the quota's sum is exact.
pub(super) fn build(installation: &str, cluster: &ClusterIntent, instance: &InstanceIntent) -> Value {
    let size = |disk: Bytes| json!({"cpu": cluster.cpu.kubernetes(), "memory": cluster.memory.kubernetes(), "ephemeral-storage": disk.kubernetes()});
    let mut mounts = Vec::new();
    let mut volumes = Vec::new();
    if cluster.disk.is_some() {
        mounts.push(json!({"name": "data", "mountPath": DATA_PATH}));
        volumes.push(json!({"name": "data", "persistentVolumeClaim": {"claimName": volume::name(instance)}}));
    }
    if cluster.ssh_public_key.is_some() {
        mounts.push(json!({"name": "ssh-keys", "mountPath": SSH_PATH, "readOnly": true}));
        volumes.push(json!({"name": "ssh-keys", "secret": {"secretName": secret::ssh_name(instance)}}));
    }
    let mut container = json!({
        "name": CONTAINER,
        "image": cluster.image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": size(DISK_REQUEST), "limits": size(DISK_LIMIT)},
        "securityContext": {"allowPrivilegeEscalation": false},
    });
    let mut spec = json!({
        "restartPolicy": "Always",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
    });
    if !mounts.is_empty() {
        container["volumeMounts"] = json!(mounts);
        spec["volumes"] = json!(volumes);
    }
    spec["containers"] = json!([container]);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": instance.name,
            "namespace": cluster.namespace,
            "labels": label::of_instance(installation, cluster, instance),
            "annotations": {labels::START_GENERATION: instance.start_generation.to_string()},
        },
        "spec": spec,
    })
}
