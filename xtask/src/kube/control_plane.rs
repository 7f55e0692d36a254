//! etcd, the Kubernetes control plane and kwok's fake nodes, as plain processes on loopback.
//!
//! Pods get loopback addresses too: virt-api dials a guest by its Pod's address, and nothing may
//! leave the machine. For the same reason the apiserver publishes no endpoints of itself.

use super::{
    cluster::{self, Cluster},
    nodes, pki,
    ports::Ports,
    state::StateDir,
};
use crate::{digest::digest, tools::Tools};
use anyhow::{Context, Result};
use http::Request;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use std::fs;

const STAGES: &str = include_str!("stages.yaml");

/// What a running control plane must have been made from to be used again.
pub(crate) fn fingerprint(tools: &Tools) -> Result<String> {
    let mut parts = Vec::new();
    for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"] {
        parts.push(tools.bin(name)?.display().to_string());
    }
    parts.push(STAGES.to_owned());
    Ok(digest(&parts))
}

/// Starts everything and returns when Pods can run.
pub(crate) async fn start(cluster: &mut Cluster, tools: &Tools) -> Result<()> {
    let (state, ports) = (cluster.state.clone(), cluster.record.ports);
    pki::control_plane(&state, ports.apiserver, &[])?;
    // The apiserver waits for etcd by itself.
    cluster.spawn("etcd", &tools.bin("etcd")?, &etcd(&state, &ports))?;
    cluster.spawn("kube-apiserver", &tools.bin("kube-apiserver")?, &apiserver(&state, &ports)?)?;
    let client = cluster::client(&cluster.state.kubeconfig()).await?;
    cluster.until("kube-apiserver is ready", "kube-apiserver", || ready(&client)).await?;

    let program = tools.bin("kube-controller-manager")?;
    cluster.spawn("kube-controller-manager", &program, &controller_manager(&state, &ports))?;
    cluster.spawn("kube-scheduler", &tools.bin("kube-scheduler")?, &scheduler(&state, &ports))?;
    cluster.spawn("kwok", &tools.bin("kwok")?, &kwok(cluster)?)?;
    nodes::create(&client).await?;

    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    cluster.until("the default service account is there", "kube-controller-manager", || async { Ok(accounts.get_opt("default").await?) }).await?;
    let port = cluster.record.ports.scheduler;
    cluster.until("kube-scheduler is healthy", "kube-scheduler", || cluster::healthy(port, "/healthz")).await?;
    cluster.until("the nodes are ready", "kwok", || nodes::ready(&client)).await?;
    Ok(())
}

/// `Some` when the apiserver says that it is ready.
pub(crate) async fn ready(client: &kube::Client) -> Result<Option<()>> {
    let answer = client.request_text(Request::get("/readyz").body(Vec::new())?).await?;
    Ok((answer == "ok").then_some(()))
}

pub(super) fn etcd(state: &StateDir, ports: &Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd_client);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peer);
    vec![
        format!("--data-dir={}", state.path("etcd").display()),
        // The data is thrown away at the end.
        "--unsafe-no-fsync".to_owned(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--log-level=warn".to_owned(),
    ]
}

pub(super) fn apiserver(state: &StateDir, ports: &Ports) -> Result<Vec<String>> {
    let pki = |name: &str| state.pki(name).display().to_string();
    let tokens = state.pki("tokens.csv");
    let token = token();
    let row = format!("{token},token-admin,token-admin,system:masters\n");
    state.write_private(&tokens, &row)?;
    state.write_private(&state.pki("admin.token"), &token)?;
    Ok(vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd_client),
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        format!("--secure-port={}", ports.apiserver),
        format!("--tls-cert-file={}", pki("apiserver.crt")),
        format!("--tls-private-key-file={}", pki("apiserver.key")),
        format!("--client-ca-file={}", pki("ca.crt")),
        format!("--token-auth-file={}", tokens.display()),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", pki("service-accounts.pub")),
        format!("--service-account-signing-key-file={}", pki("service-accounts.key")),
        "--service-cluster-ip-range=127.97.0.0/16".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--enable-admission-plugins=NodeRestriction".to_owned(),
        "--allow-privileged=true".to_owned(),
        "--enable-priority-and-fairness=false".to_owned(),
        "--max-requests-inflight=0".to_owned(),
        "--max-mutating-requests-inflight=0".to_owned(),
        // Who may speak for users of the aggregated APIs behind it.
        format!("--requestheader-client-ca-file={}", pki("front-proxy-ca.crt")),
        "--requestheader-allowed-names=front-proxy-client".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        format!("--proxy-client-cert-file={}", pki("front-proxy.crt")),
        format!("--proxy-client-key-file={}", pki("front-proxy.key")),
    ])
}

/// Flags that the controller manager and the scheduler share. Their default rate limits cost seconds.
fn client_flags(state: &StateDir, port: u16) -> Vec<String> {
    let kubeconfig = state.kubeconfig();
    let kubeconfig = kubeconfig.display();
    vec![
        format!("--kubeconfig={kubeconfig}"),
        format!("--authentication-kubeconfig={kubeconfig}"),
        format!("--authorization-kubeconfig={kubeconfig}"),
        "--leader-elect=false".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        "--kube-api-qps=500".to_owned(),
        "--kube-api-burst=1000".to_owned(),
    ]
}

pub(super) fn controller_manager(state: &StateDir, ports: &Ports) -> Vec<String> {
    let pki = |name: &str| state.pki(name).display().to_string();
    let mut flags = client_flags(state, ports.controller_manager);
    flags.extend([
        format!("--service-account-private-key-file={}", pki("service-accounts.key")),
        format!("--root-ca-file={}", pki("ca.crt")),
        "--use-service-account-credentials".to_owned(),
        "--concurrent-namespace-syncs=50".to_owned(),
        // It makes this directory, by default one of the machine's.
        format!("--flex-volume-plugin-dir={}", state.path("volume-plugins").display()),
        "--controllers=*,-nodeipam,-node-route-controller,-cloud-node-lifecycle-controller".to_owned(),
    ]);
    flags
}

pub(super) fn scheduler(state: &StateDir, ports: &Ports) -> Vec<String> {
    client_flags(state, ports.scheduler)
}

fn kwok(cluster: &Cluster) -> Result<Vec<String>> {
    let stages = cluster.state.path("kwok.yaml");
    fs::write(&stages, STAGES).with_context(|| format!("write {}", stages.display()))?;
    Ok(vec![
        format!("--config={}", stages.display()),
        format!("--kubeconfig={}", cluster.state.kubeconfig().display()),
        "--manage-all-nodes=true".to_owned(),
        "--cidr=127.96.0.1/16".to_owned(),
        "--node-ip=127.0.0.1".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        format!("--server-address=127.0.0.1:{}", cluster.record.ports.kwok),
    ])
}

fn token() -> String {
    rand::random::<[u8; 24]>().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::STAGES;
    use serde_json::Value;
    use std::collections::BTreeSet;

    #[test]
    fn stages_are_whole_and_named_once() {
        let stages: Vec<Value> = serde_saphyr::from_multiple(STAGES).unwrap();
        let names: BTreeSet<&str> = stages
            .iter()
            .map(|stage| {
                assert_eq!(stage["kind"], "Stage");
                assert!(stage["spec"]["next"].is_object());
                stage["metadata"]["name"].as_str().unwrap()
            })
            .collect();
        assert_eq!(names.len(), stages.len());
    }
}
