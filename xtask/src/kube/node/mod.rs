//! `cargo xtask kube up --node`: a cluster of one real node, on which Pods really run.
//!
//! Control plane, kubelet, containerd, runc and kube-proxy are the real ones, unmodified. All of them
//! live in network, mount and process namespaces of their own, which have no way out: no port can
//! clash, no rule or mount is seen outside, and the end of the namespaces' first process ends all of
//! it. What is left then is the directory and the cgroups; [`down`] removes both.
//!
//! The one way in is a listening socket, made outside and handed to that first process (`inside.rs`),
//! which passes what it accepts on to the apiserver. The apiserver has the same port on both sides, so
//! one kubeconfig serves both.
//!
//! Not here: more than one node, DNS, NetworkPolicies, metrics-server, storage provisioning.

mod bridge;
mod cgroups;
mod components;
mod host;
mod image;
mod inside;
mod mounts;
mod network;
mod plan;
mod registry;

use super::{
    Running,
    cluster::{self, Cluster, runtime, wait_gone},
    control_plane, nodes, pki,
    process::{self, Process},
    state::StateDir,
};
use crate::{
    debian::Installed,
    digest::digest,
    tools::{self, Set, Tools},
};
use anyhow::{Context, Result, bail};
pub(crate) use host::prepare;
pub(super) use inside::run;
use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use kube::Api;
use plan::Plan;
use rustix::process::Signal;
use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    os::fd::OwnedFd,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::signal::unix::{SignalKind, signal};

/// The node's name.
const NAME: &str = "real-node";

/// After SIGKILL; a kernel that is slow to take a namespace down needs some of it.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// What [`down`] leaves: the logs, until the next start.
const DIRS: &[&str] = &["etcd", "pki", "kubelet", "containerd", "pods", "config", "volume-plugins"];
const FILES: &[&str] = &["kubeconfig", "plan.json", "record.json"];

/// Brings the node up, or finds it up. It outlives this process.
pub(crate) fn up(state_dir: Option<&Path>) -> Result<Running> {
    if let Installed::Not(how) = prepare()? {
        bail!("this machine cannot hold a node: {how}");
    }
    let state = StateDir::open(state_dir)?.node()?;
    let tools = tools::build(&[Set::Node])?;
    let _lock = state.lock()?;
    runtime()?.block_on(ensure(&state, &tools))?;
    Ok(Running { kubeconfig: state.kubeconfig(), kubectl: tools.bin("kubectl")? })
}

/// Ends the node and removes all of it. One that is not up is no error.
pub(crate) fn down(state_dir: Option<&Path>) -> Result<()> {
    let state = StateDir::open(state_dir)?.node()?;
    let _lock = state.lock()?;
    let started = Instant::now();
    match stop(&state)? {
        true => eprintln!("stopped in {:.1} s", started.elapsed().as_secs_f64()),
        false => eprintln!("nothing is up"),
    }
    Ok(())
}

/// The node if it was brought up, without looking whether it is healthy.
pub(crate) fn known(state_dir: Option<&Path>) -> Result<Option<Running>> {
    let state = StateDir::open(state_dir)?.node()?;
    let (Some(_), Some(tools)) = (state.load()?, tools::built(&[Set::Node])?) else {
        return Ok(None);
    };
    Ok(Some(Running { kubeconfig: state.kubeconfig(), kubectl: tools.bin("kubectl")? }))
}

async fn ensure(state: &StateDir, tools: &Tools) -> Result<()> {
    if let Some(cluster) = Cluster::recorded(state)? {
        if reusable(&cluster, tools).await? {
            eprintln!("already up");
            return Ok(());
        }
        eprintln!("stopping a node that is broken or outdated");
    }
    // Also removes what a start that was killed has left.
    stop(state)?;
    let mut terminated = signal(SignalKind::terminate())?;
    let started = tokio::select! {
        result = start(state, tools) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
        _ = terminated.recv() => Err(anyhow::anyhow!("terminated")),
    };
    if started.is_err() {
        eprintln!("stopping what was started");
        stop(state)?;
    }
    started
}

async fn start(state: &StateDir, tools: &Tools) -> Result<()> {
    let started = Instant::now();
    let mut cluster = Cluster::new(state.clone())?;
    for dir in DIRS {
        state.create(&state.path(dir))?;
    }
    let ports = cluster.record.ports;
    let ca = pki::control_plane(state, ports.apiserver, &[network::NODE, network::FIRST_SERVICE])?;
    pki::node(state, &ca, ports.apiserver, NAME, network::NODE)?;
    Plan { ports, cgroup: cgroup(state), tools: components::paths(tools)? }.write(state)?;

    // Made here, so it stays this side's loopback wherever it is accepted from.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.apiserver)).context("listen for clients of the apiserver")?;
    let mut command = process::component(Path::new("unshare"), &namespaces(state)?, state.root(), &state.log("node"))?;
    command.stdin(Stdio::from(OwnedFd::from(listener)));
    cluster.record.processes.push(Process::start("node", &mut command)?);
    drop(command);
    cluster.save()?;

    let client = cluster::client(&state.kubeconfig()).await?;
    cluster.until("kube-apiserver is ready", "node", || control_plane::ready(&client)).await?;
    let nodes: Api<Node> = Api::all(client.clone());
    cluster.until("the node takes Pods", "kubelet", || async { Ok(nodes.get_opt(NAME).await?.filter(takes_pods)) }).await?;
    let accounts: Api<ServiceAccount> = Api::namespaced(client, "default");
    cluster.until("the default service account is there", "kube-controller-manager", || async { Ok(accounts.get_opt("default").await?) }).await?;

    cluster.record.control_plane = Some(fingerprint(tools)?);
    cluster.save()?;
    eprintln!("node ready after {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// This program again, as the first process of new namespaces. That one is killed when `unshare` is.
fn namespaces(state: &StateDir) -> Result<Vec<String>> {
    let this = env::current_exe().context("find this executable")?.display().to_string();
    let root = state.root().display().to_string();
    let words = ["--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc", "--"];
    let again = [this.as_str(), "kube", "inside-node", root.as_str()];
    Ok(words.into_iter().chain(again).map(str::to_owned).collect())
}

/// Ready, and no longer marked as new.
fn takes_pods(node: &Node) -> bool {
    nodes::is_ready(node) && node.spec.as_ref().is_none_or(|spec| spec.taints.as_ref().is_none_or(Vec::is_empty))
}

async fn reusable(cluster: &Cluster, tools: &Tools) -> Result<bool> {
    if cluster.record.control_plane != Some(fingerprint(tools)?) || !cluster.all_alive() {
        return Ok(false);
    }
    let Ok(client) = cluster::client(&cluster.state.kubeconfig()).await else { return Ok(false) };
    let ready = matches!(control_plane::ready(&client).await, Ok(Some(())));
    let node = Api::<Node>::all(client).get_opt(NAME).await;
    Ok(ready && matches!(node, Ok(Some(node)) if takes_pods(&node)))
}

/// What a running node must have been made from to be used again.
fn fingerprint(tools: &Tools) -> Result<String> {
    let paths = components::paths(tools)?;
    let paths = paths.values().map(|path| path.display().to_string());
    Ok(digest(paths.chain([image::names()])))
}

/// Ends everything at once and removes it; whether there was anything.
fn stop(state: &StateDir) -> Result<bool> {
    let cluster = Cluster::recorded(state)?;
    let processes: Vec<&Process> = cluster.iter().flat_map(|cluster| &cluster.record.processes).collect();
    for process in &processes {
        process.signal(Signal::KILL);
    }
    if !wait_gone(&processes, STOP_LIMIT) {
        bail!("the node's first process could not be killed");
    }
    // They can be removed once every process in them is gone.
    let had_cgroups = cgroups::remove(&cgroup(state), STOP_LIMIT)?;
    state.remove(DIRS, FILES)?;
    Ok(cluster.is_some() || had_cgroups)
}

/// One per state directory, at the top of each hierarchy.
fn cgroup(state: &StateDir) -> String {
    format!("kubekcloud-{}", digest([state.root().as_os_str().as_encoded_bytes()]))
}
