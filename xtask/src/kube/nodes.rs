//! Fake nodes, large enough for thousands of Pods and labelled as KubeVirt wants them.

use super::objects;
use anyhow::Result;
use k8s_openapi::api::core::v1::Node;
use kube::{Api, Client, api::ListParams};
use serde_json::{Value, json};

const COUNT: usize = 3;

pub(crate) async fn create(client: &Client) -> Result<()> {
    objects::create(client, (0..COUNT).map(node).collect()).await
}

/// `Some` when every node is Ready.
pub(crate) async fn ready(client: &Client) -> Result<Option<()>> {
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await?.items;
    let ready = nodes.iter().filter(|node| is_ready(node)).count();
    Ok((ready >= COUNT).then_some(()))
}

pub(super) fn is_ready(node: &Node) -> bool {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn node(index: usize) -> Value {
    let name = format!("node-{index}");
    // Without ephemeral storage a launcher Pod is unschedulable; the devices stand for /dev/kvm and friends.
    let resources = json!({
        "cpu": "1000",
        "memory": "4000Gi",
        "pods": "5000",
        "ephemeral-storage": "4000Gi",
        "devices.kubevirt.io/kvm": "1k",
        "devices.kubevirt.io/tun": "1k",
        "devices.kubevirt.io/vhost-net": "1k",
    });
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "machine-type.node.kubevirt.io/q35": "true",
            },
        },
        "spec": {},
        "status": {
            "allocatable": resources,
            "capacity": resources,
            "nodeInfo": {
                "architecture": "amd64",
                "operatingSystem": "linux",
                "osImage": "simulated",
                "kernelVersion": "simulated",
                "containerRuntimeVersion": "simulated://1",
                "kubeletVersion": "v1.36.3",
                "kubeProxyVersion": "",
                "bootID": "",
                "machineID": "",
                "systemUUID": "",
            },
        },
    })
}
