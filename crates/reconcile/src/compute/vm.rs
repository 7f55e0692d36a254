//! The VirtualMachine of a VM instance. Pure: intent in, object out.
//!
//! The boot disk is a container disk: it is new at each start. With `disk_gb` a second, persistent disk is attached
//! as a plain PersistentVolumeClaim, so that no importer (CDI) is needed. Only `runStrategy` says whether the VM runs,
//! and only we write it: never the deprecated `running`, never the start and stop subresources.

use serde_json::{Value, json};
use store::{ClusterIntent, InstanceIntent};
use types::{Desired, labels};

use super::{label, pod::GRACE_SECONDS, secret, volume};

/// Whether KubeVirt keeps the VM running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunStrategy {
    /// Running, or paused.
    Always,
    /// Off.
    Halted,
}

impl RunStrategy {
    /// Of a VM that should be so. A suspended VM runs first and is paused then.
    pub(super) const fn of(desired: Desired) -> Self {
        match desired {
            Desired::Running | Desired::Suspended => Self::Always,
            Desired::Stopped => Self::Halted,
        }
    }

    /// KubeVirt's word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "Always",
            Self::Halted => "Halted",
        }
    }
}

/// Builds it.
pub(super) fn build(installation: &str, cluster: &ClusterIntent, instance: &InstanceIntent, strategy: RunStrategy) -> Value {
    let labels = label::of_instance(installation, cluster, instance);
    let virtio = |name: &str| json!({"name": name, "disk": {"bus": "virtio"}});
    let mut disks = vec![virtio("root")];
    let mut volumes = vec![json!({"name": "root", "containerDisk": {"image": cluster.image}})];
    if cluster.disk.is_some() {
        disks.push(virtio("data"));
        volumes.push(json!({"name": "data", "persistentVolumeClaim": {"claimName": volume::name(instance)}}));
    }
    if secret::user_data(cluster).is_some() {
        disks.push(virtio("ci"));
        volumes.push(json!({"name": "ci", "cloudInitNoCloud": {"secretRef": {"name": secret::cloud_init_name(instance)}}}));
    }
    let mut spec = json!({
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "domain": {
            "cpu": {"cores": cluster.cpu.0 / 1000},
            "memory": {"guest": cluster.memory.kubernetes()},
            // Without it KubeVirt requests a tenth of the cores.
            "resources": {"requests": {"cpu": cluster.cpu.kubernetes()}},
            "devices": {"disks": disks, "interfaces": [{"name": "default", "masquerade": {}}]},
        },
        "networks": [{"name": "default", "pod": {}}],
        "volumes": volumes,
    });
    if secret::key_is_injected(cluster) {
        spec["accessCredentials"] = json!([{"sshPublicKey": {
            "source": {"secret": {"secretName": secret::ssh_name(instance)}},
            "propagationMethod": {"noCloud": {}},
        }}]);
    }
    json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {
            "name": instance.name,
            "namespace": cluster.namespace,
            "labels": labels,
            "annotations": {labels::START_GENERATION: instance.start_generation.to_string()},
        },
        "spec": {
            "runStrategy": strategy.as_str(),
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    })
}
