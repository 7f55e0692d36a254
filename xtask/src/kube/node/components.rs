//! Flags and configuration of what a node runs, and where they differ, of the control plane.

use super::{NAME, network, plan::Plan, registry};
use crate::{
    kube::{control_plane, ports::Ports, state::StateDir},
    tools::Tools,
};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// containerd's; the kubelet's way to it.
const RUNTIME: &str = "unix:///run/containerd/containerd.sock";

const PROGRAMS: &[&str] = &[
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "containerd",
    "containerd-shim-runc-v2",
    "runc",
    "bridge",
    "pause",
];

/// Paths of all programs that run inside.
pub(super) fn paths(tools: &Tools) -> Result<BTreeMap<String, PathBuf>> {
    PROGRAMS.iter().map(|name| Ok(((*name).to_owned(), tools.bin(name)?))).collect()
}

/// The other cluster's flags, and then those that count instead: Pods reach this apiserver, and it the kubelet.
pub(super) fn apiserver(state: &StateDir, ports: &Ports) -> Result<Vec<String>> {
    let pki = |name: &str| state.pki(name).display().to_string();
    let mut flags = control_plane::apiserver(state, ports)?;
    flags.extend([
        "--bind-address=0.0.0.0".to_owned(),
        format!("--advertise-address={}", network::NODE),
        "--endpoint-reconciler-type=lease".to_owned(),
        format!("--service-cluster-ip-range={}", network::SERVICES),
        // Above the ports that the apiserver's own is chosen from.
        "--service-node-port-range=32000-32767".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        format!("--kubelet-certificate-authority={}", pki("ca.crt")),
        format!("--kubelet-client-certificate={}", pki("admin.crt")),
        format!("--kubelet-client-key={}", pki("admin.key")),
    ]);
    Ok(flags)
}

pub(super) fn containerd(state: &StateDir, plan: &Plan) -> Result<Vec<String>> {
    let config = state.path("config");
    let plugins = plan.tool("bridge")?.parent().context("the plugins lie in a directory")?;
    state.create(&config.join("cni"))?;
    state.create(&config.join("registries/_default"))?;
    write(config.join("cni/10-pods.conflist"), &cni().to_string())?;
    write(config.join("registries/_default/hosts.toml"), &mirror())?;
    let text = format!(
        r#"version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.differ.v1.erofs",
  "io.containerd.nri.v1.nri",
  "io.containerd.tracing.processor.v1.otlp",
  "io.containerd.internal.v1.tracing",
]

[plugins."io.containerd.internal.v1.opt"]
  path = "/var/lib/containerd/opt"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  pinned_images.sandbox = "{pause}"
  registry.config_path = "{registries}"

[plugins."io.containerd.cri.v1.runtime"]
  # Where lowering it is not allowed, a container keeps its parent's.
  restrict_oom_score_adj = true
  cni.bin_dirs = ["{plugins}"]
  cni.conf_dir = "{cni}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "{shim}"
  options.BinaryName = "{runc}"
  options.SystemdCgroup = false
"#,
        pause = registry::PAUSE,
        registries = config.join("registries").display(),
        plugins = plugins.display(),
        cni = config.join("cni").display(),
        shim = plan.tool("containerd-shim-runc-v2")?.display(),
        runc = plan.tool("runc")?.display(),
    );
    Ok(vec![format!("--config={}", write(config.join("containerd.toml"), &text)?)])
}

/// Every registry is ours.
fn mirror() -> String {
    let url = format!("http://{}", registry::ADDRESS);
    format!("server = \"{url}\"\n[host.\"{url}\"]\n  capabilities = [\"pull\", \"resolve\"]\n")
}

/// Addresses of Pods. None is masked: there is no way out of here.
fn cni() -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": true,
                "hairpinMode": true,
                "ipMasq": false,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": network::PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
            },
            {"type": "portmap", "capabilities": {"portMappings": true}, "backend": "nftables"},
        ],
    })
}

pub(super) fn kubelet(state: &StateDir, plan: &Plan) -> Result<Vec<String>> {
    let pki = |name: &str| state.pki(name).display().to_string();
    let config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": network::NODE,
        "tlsCertFile": pki("kubelet-server.crt"),
        "tlsPrivateKeyFile": pki("kubelet-server.key"),
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": pki("ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": RUNTIME,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", plan.cgroup),
        "failCgroupV1": false,
        "failSwapOn": false,
        // What it would tune is shown to it as tuned: see mounts.rs.
        "protectKernelDefaults": true,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "clusterDomain": "cluster.local",
        "clusterDNS": [network::DNS_SERVICE],
        "resolvConf": "",
        "nodeStatusUpdateFrequency": "5s",
        // A full disk of the machine is not this node's.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "0%",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
        },
    });
    let config = write(state.path("config").join("kubelet.json"), &config.to_string())?;
    Ok(vec![
        format!("--config={config}"),
        format!("--kubeconfig={}", pki("kubelet.kubeconfig")),
        format!("--hostname-override={NAME}"),
        format!("--node-ip={}", network::NODE),
    ])
}

pub(super) fn kube_proxy(state: &StateDir) -> Result<Vec<String>> {
    let config = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": NAME,
        "clientConnection": {"kubeconfig": state.pki("kube-proxy.kubeconfig").display().to_string()},
        "clusterCIDR": network::PODS,
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
        // The machine's limits are not this node's to change.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    });
    Ok(vec![format!("--config={}", write(state.path("config").join("kube-proxy.json"), &config.to_string())?)])
}

/// Writes a file for a component to read; its path, as a flag has it.
fn write(path: PathBuf, text: &str) -> Result<String> {
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    Ok(path.display().to_string())
}
