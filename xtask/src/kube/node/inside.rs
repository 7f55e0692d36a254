//! The first process of the node's namespaces: prepares them, starts the components and reaps.
//!
//! When a component ends, this process ends, and with it all: a node that lacks a part is none. (To see
//! a node go away, stop its kubelet with SIGSTOP.) It also ends when who started it dies over it.

use super::{
    bridge, cgroups, components,
    image::{self, Images},
    mounts, network,
    plan::Plan,
    registry,
};
use crate::kube::{cluster, control_plane, process, state::StateDir};
use anyhow::{Context, Result, bail};
use rustix::{
    fs::{FlockOperation, flock},
    process::{WaitOptions, wait},
};
use std::{
    collections::HashMap,
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const START_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(20);

/// Names of the running components by pid.
type Children = Arc<Mutex<HashMap<i32, &'static str>>>;

/// Never returns but with an error.
pub(crate) async fn run(state: StateDir) -> Result<()> {
    // Standard input is the listener that was made outside.
    let clients = TcpListener::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let plan = Plan::read(&state)?;
    cgroups::create(&plan.cgroup)?;
    mounts::prepare(&state)?;
    network::prepare()?;

    let images = Images::new(image::make(plan.tool("pause")?)?);
    let apiserver = SocketAddr::from((Ipv4Addr::LOCALHOST, plan.ports.apiserver));
    let node = NodeProcesses { state, plan, children: Children::default() };
    tokio::select! {
        done = bridge::serve(clients, apiserver) => done,
        done = registry::serve(Arc::new(images)) => done,
        done = node.run() => done,
    }
}

struct NodeProcesses {
    state: StateDir,
    plan: Plan,
    children: Children,
}

impl NodeProcesses {
    async fn run(&self) -> Result<()> {
        self.spawn("etcd", &control_plane::etcd(&self.state, &self.plan.ports))?;
        self.spawn("kube-apiserver", &components::apiserver(&self.state, &self.plan.ports)?)?;
        self.spawn("containerd", &components::containerd(&self.state, &self.plan)?)?;
        let children = self.children.clone();
        let state = self.state.clone();
        tokio::try_join!(self.start_clients(), aside(move || outlive_start(&state)), aside(move || reap(&children)))?;
        Ok(())
    }

    /// What ends, or waits long, when it meets no apiserver.
    async fn start_clients(&self) -> Result<()> {
        let client = cluster::client(&self.state.kubeconfig()).await?;
        let deadline = Instant::now() + START_LIMIT;
        while !matches!(control_plane::ready(&client).await, Ok(Some(()))) {
            if Instant::now() >= deadline {
                bail!("{} s were not enough for kube-apiserver", START_LIMIT.as_secs());
            }
            tokio::time::sleep(POLL).await;
        }
        self.spawn("kubelet", &components::kubelet(&self.state, &self.plan)?)?;
        self.spawn("kube-controller-manager", &control_plane::controller_manager(&self.state, &self.plan.ports))?;
        self.spawn("kube-scheduler", &control_plane::scheduler(&self.state, &self.plan.ports))?;
        self.spawn("kube-proxy", &components::kube_proxy(&self.state)?)
    }

    fn spawn(&self, name: &'static str, args: &[String]) -> Result<()> {
        let mut command = process::component(self.plan.tool(name)?, args, self.state.root(), &self.state.log(name))?;
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn().with_context(|| format!("start {name}"))?;
        children.insert(i32::try_from(child.id())?, name);
        Ok(())
    }
}

/// Runs what blocks on a thread that nobody waits for at the end.
async fn aside(task: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || done.send(task()));
    result.await.context("a thread ended without a result")?
}

/// Waits until `up` lets go of its lock, by which it has noted that all is well, or died.
fn outlive_start(state: &StateDir) -> Result<()> {
    let lock = File::open(state.path("lock"))?;
    flock(&lock, FlockOperation::LockShared)?;
    match state.load()?.and_then(|record| record.control_plane) {
        Some(_) => Ok(()),
        None => bail!("the start was cut off"),
    }
}

/// Takes every child's end, also those of processes that lost their parent, until it is a component's.
fn reap(children: &Children) -> Result<()> {
    loop {
        let Some((pid, status)) = wait(WaitOptions::empty()).context("wait for children")? else { continue };
        let name = children.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid.as_raw_nonzero().get());
        if let Some(name) = name {
            let how = match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("with code {code}"),
                (None, signal) => format!("by signal {}", signal.unwrap_or_default()),
            };
            bail!("{name} ended {how}; see its log");
        }
    }
}
