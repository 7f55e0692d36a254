//! `cargo xtask kube`: a real Kubernetes control plane with fake nodes, and KubeVirt on it; with `--node`
//! another one whose one node is real (`node/`).
//!
//! etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kwok, virt-api and virt-controller
//! are the real ones, unmodified, as plain processes on loopback. Only what a node would do is played:
//! by kwok's stages (`stages.yaml`) and by our node agent (`agent/`). Nothing runs a container or a
//! guest. There is no logs, exec or port-forward of Pods, and no NetworkPolicy is enforced.

mod agent;
mod cluster;
mod command;
mod control_plane;
mod kubevirt;
pub(crate) mod node;
mod nodes;
mod objects;
mod pki;
mod ports;
mod process;
mod state;
mod throwaway;

use crate::{
    host::which,
    tools::{self, Set},
};
use anyhow::{Context, Result, bail};
use cluster::{Cluster, runtime};
pub(crate) use command::{Args, run};
use state::StateDir;
use std::{
    env,
    path::{Path, PathBuf},
    time::Instant,
};
pub(crate) use throwaway::Throwaway;

/// An existing cluster to use in place of one of ours.
pub(crate) const TEST_KUBECONFIG: &str = "KUBEKCLOUD_TEST_KUBECONFIG";

/// Tells tests of a cluster whose node runs containers.
pub(crate) const TEST_NODE_KUBECONFIG: &str = "KUBEKCLOUD_TEST_NODE_KUBECONFIG";

#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// With KubeVirt on it.
    pub(crate) kubevirt: bool,
    /// Where the cluster lives; by default a directory per checkout in the user's state directory.
    pub(crate) state_dir: Option<PathBuf>,
}

/// A cluster that answers.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) kubectl: PathBuf,
}

/// Brings the cluster up, or finds it up: its processes outlive this one. Progress goes to standard
/// error. With `KUBEKCLOUD_TEST_KUBECONFIG` set, that cluster is it, as it is. Blocks: not for async code.
pub(crate) fn up(options: &Options) -> Result<Running> {
    let state = StateDir::open(options.state_dir.as_deref())?;
    if let Some(running) = existing(&state)? {
        eprintln!("using the existing cluster of {TEST_KUBECONFIG}");
        return Ok(running);
    }
    let sets: &[Set] = if options.kubevirt { &[Set::ControlPlane, Set::Kubevirt] } else { &[Set::ControlPlane] };
    let tools = tools::build(sets)?;
    let _lock = state.lock()?;
    let running = Running { kubeconfig: state.kubeconfig(), kubectl: tools.bin("kubectl")? };
    runtime()?.block_on(ensure(options, &state, &tools))?;
    Ok(running)
}

/// Stops the cluster: only the processes that were started for it. One that is not up is no error.
pub(crate) fn down(state_dir: Option<&Path>) -> Result<()> {
    let state = StateDir::open(state_dir)?;
    if named_elsewhere(&state).is_some() {
        eprintln!("the cluster of {TEST_KUBECONFIG} is not ours to stop");
    }
    let _lock = state.lock()?;
    match Cluster::recorded(&state)? {
        Some(cluster) => {
            let started = Instant::now();
            cluster.stop()?;
            eprintln!("stopped in {:.1} s", started.elapsed().as_secs_f64());
        }
        None => eprintln!("nothing is up"),
    }
    Ok(())
}

/// The cluster if it was brought up, without looking whether it is healthy.
pub(crate) fn known(state_dir: Option<&Path>) -> Result<Option<Running>> {
    let state = StateDir::open(state_dir)?;
    if let Some(running) = existing(&state)? {
        return Ok(Some(running));
    }
    let (Some(_), Some(tools)) = (state.load()?, tools::built(&[Set::ControlPlane])?) else {
        return Ok(None);
    };
    Ok(Some(Running { kubeconfig: state.kubeconfig(), kubectl: tools.bin("kubectl")? }))
}

/// Somebody else's cluster. A shell that evaluated `kube env` names ours, which is none.
fn named_elsewhere(state: &StateDir) -> Option<PathBuf> {
    let named = env::var_os(TEST_KUBECONFIG).map(PathBuf::from);
    named.filter(|path| *path != state.kubeconfig())
}

fn existing(state: &StateDir) -> Result<Option<Running>> {
    let Some(kubeconfig) = named_elsewhere(state) else {
        return Ok(None);
    };
    if !kubeconfig.is_file() {
        bail!("{TEST_KUBECONFIG} names {}, which is no file", kubeconfig.display());
    }
    Ok(Some(Running { kubeconfig, kubectl: kubectl()? }))
}

/// kubectl for an existing cluster: the one named, the one built, or the one on PATH.
fn kubectl() -> Result<PathBuf> {
    if let Some(path) = env::var_os("KUBECTL_PATH") {
        return Ok(path.into());
    }
    if let Some(tools) = tools::built(&[Set::ControlPlane])? {
        return tools.bin("kubectl");
    }
    which("kubectl").context("no kubectl: set KUBECTL_PATH, or build ours with `cargo xtask tools`")
}

async fn ensure(options: &Options, state: &StateDir, tools: &tools::Tools) -> Result<()> {
    let mut cluster = match reusable(state, options, tools).await? {
        Some(cluster) => cluster,
        None => Cluster::new(state.clone())?,
    };
    if cluster.record.control_plane.is_some() && (cluster.record.kubevirt.is_some() || !options.kubevirt) {
        eprintln!("already up");
        return Ok(());
    }
    let brought_up = tokio::select! {
        result = bring_up(&mut cluster, options, tools) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if brought_up.is_err() {
        eprintln!("stopping what was started");
        cluster.stop()?;
    }
    brought_up
}

/// The recorded cluster, if it is whole, healthy and made from the present pins. Any other is
/// stopped first, so that a new one never meets an old one's processes.
async fn reusable(state: &StateDir, options: &Options, tools: &tools::Tools) -> Result<Option<Cluster>> {
    let Some(cluster) = Cluster::recorded(state)? else {
        return Ok(None);
    };
    let same_control_plane = cluster.record.control_plane == Some(control_plane::fingerprint(tools)?);
    // Started but never ready: its start was cut off.
    let half_started = cluster.record.kubevirt.is_none() && cluster.has("virt-api");
    let same_kubevirt = !options.kubevirt || cluster.record.kubevirt.is_none() || cluster.record.kubevirt == Some(kubevirt::fingerprint(tools)?);
    let answers = match cluster::client(&state.kubeconfig()).await {
        Ok(client) => matches!(control_plane::ready(&client).await, Ok(Some(()))),
        Err(_) => false,
    };
    if same_control_plane && same_kubevirt && !half_started && cluster.all_alive() && answers {
        return Ok(Some(cluster));
    }
    eprintln!("stopping a cluster that is broken or outdated");
    cluster.stop()?;
    Ok(None)
}

async fn bring_up(cluster: &mut Cluster, options: &Options, tools: &tools::Tools) -> Result<()> {
    let started = Instant::now();
    if cluster.record.control_plane.is_none() {
        control_plane::start(cluster, tools).await?;
        cluster.record.control_plane = Some(control_plane::fingerprint(tools)?);
        cluster.save()?;
        eprintln!("control plane ready after {:.1} s", started.elapsed().as_secs_f64());
    }
    if options.kubevirt {
        kubevirt::start(cluster, tools).await?;
        cluster.record.kubevirt = Some(kubevirt::fingerprint(tools)?);
        cluster.save()?;
        eprintln!("KubeVirt ready after {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}
