//! Command lines of KubeVirt's parts.

use super::VERSION;
use crate::kube::cluster::Cluster;
use std::path::Path;

pub(super) fn virt_api(cluster: &Cluster) -> Vec<String> {
    let pki = |name: &str| flag_path(&cluster.state.pki(name));
    vec![
        format!("--kubeconfig={}", pki("kubevirt-apiserver.kubeconfig")),
        "--listen=127.0.0.1".to_owned(),
        format!("--port={}", cluster.record.ports.virt_api),
        format!("--console-server-port={}", cluster.record.ports.node_agent),
        format!("--tls-cert-file={}", pki("virt-api.crt")),
        format!("--tls-key-file={}", pki("virt-api.key")),
        format!("--handler-cert-file={}", pki("handler-client.crt")),
        format!("--handler-key-file={}", pki("handler-client.key")),
        "-v=2".to_owned(),
    ]
}

pub(super) fn virt_controller(cluster: &Cluster) -> Vec<String> {
    let pki = |name: &str| flag_path(&cluster.state.pki(name));
    vec![
        format!("--kubeconfig={}", pki("kubevirt-controller.kubeconfig")),
        "--listen=127.0.0.1".to_owned(),
        format!("--port={}", cluster.record.ports.virt_controller),
        format!("--prom-cert-file={}", pki("virt-controller.crt")),
        format!("--prom-key-file={}", pki("virt-controller.key")),
        format!("--launcher-image=tools.invalid/virt-launcher:{VERSION}"),
        format!("--exporter-image=tools.invalid/virt-exportserver:{VERSION}"),
        "-v=2".to_owned(),
    ]
}

pub(super) fn node_agent(cluster: &Cluster) -> Vec<String> {
    let pki = |name: &str| flag_path(&cluster.state.pki(name));
    vec![
        "kube".to_owned(),
        "node-agent".to_owned(),
        format!("--handler-kubeconfig={}", pki("kubevirt-handler.kubeconfig")),
        format!("--kubelet-kubeconfig={}", flag_path(&cluster.state.kubeconfig())),
        format!("--port={}", cluster.record.ports.node_agent),
        format!("--client-ca={}", pki("kubevirt-ca.crt")),
        format!("--certificate={}", pki("handler-server.crt")),
        format!("--key={}", pki("handler-server.key")),
    ]
}

fn flag_path(path: &Path) -> String {
    path.display().to_string()
}
