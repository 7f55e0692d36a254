//! What a cluster has from the first moment: namespaces, a node, a storage class, the Service of the API.

use serde_json::{Value, json};

use super::made::NODE;
use crate::machinery::VERSION;
use crate::machinery::notation::clock;
use crate::server::cluster::{Cluster, Write};

/// Creates what is missing of it.
pub(super) fn run(cluster: &Cluster) {
    let meta = |name: &str| json!({"metadata": {"name": name}});
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        create(cluster, "namespaces", "", meta(name));
    }
    create(cluster, "nodes", "", node());
    let class = json!({"metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "sandbox.kubekcloud.io/simulated"});
    create(cluster, "storageclasses.storage.k8s.io", "", class);
    let service = json!({"metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {"ports": [{"name": "https", "port": 443, "protocol": "TCP"}]}});
    create(cluster, "services", "default", service);
}

fn create(cluster: &Cluster, table: &str, namespace: &str, object: Value) {
    let Ok(kind) = cluster.kind(table) else { return };
    match cluster.create(&kind, namespace, object, &Write::by("sandbox")) {
        Err(refusal) if refusal.reason != "AlreadyExists" => {
            tracing::warn!(table, message = refusal.message, "the cluster could not be bootstrapped")
        }
        _ => {}
    }
}

/// A big node, so that nothing is unschedulable unless asked to be.
fn node() -> Value {
    let now = clock::now();
    let resources = json!({"cpu": "1024", "memory": "4096Gi", "ephemeral-storage": "16384Gi", "pods": "20000", "devices.kubevirt.io/kvm": "1000",
        "devices.kubevirt.io/tun": "1000", "devices.kubevirt.io/vhost-net": "1000"});
    let condition = |kind: &str, status: &str, reason: &str, message: &str| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastHeartbeatTime": now, "lastTransitionTime": now});
    let labels = json!({"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": "amd64", "kubevirt.io/schedulable": "true", "node-role.kubernetes.io/worker": ""});
    json!({"metadata": {"name": NODE, "labels": labels}, "spec": {}, "status": {"capacity": resources, "allocatable": resources,
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": NODE}],
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {"architecture": "amd64", "operatingSystem": "linux", "kubeletVersion": VERSION, "kubeProxyVersion": "", "osImage": "KubeKCloud sandbox",
            "kernelVersion": "simulated", "containerRuntimeVersion": "simulated://1", "bootID": "sandbox", "machineID": "sandbox", "systemUUID": "sandbox"}}})
}
