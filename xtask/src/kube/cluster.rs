//! A cluster on this machine: the processes started for it, and waiting for what they should do.

use super::{
    ports::Ports,
    process::Process,
    state::{Record, StateDir},
};
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use std::{
    fs,
    future::Future,
    path::Path,
    time::{Duration, Instant},
};

/// How long anything may take to come up on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
/// After this long a component that was asked to end is killed.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Stages of the stop. Clients end before their servers, or these wait for them; etcd ends last, or
/// the apiserver hangs.
const STOP_STAGES: u8 = 4;

fn stop_stage(component: &str) -> u8 {
    match component {
        "etcd" => 3,
        "kube-apiserver" => 2,
        "kwok" | "kube-scheduler" | "kube-controller-manager" => 1,
        _ => 0,
    }
}

pub(crate) struct Cluster {
    pub(crate) state: StateDir,
    pub(crate) record: Record,
}

impl Cluster {
    /// A cluster of which nothing runs yet.
    pub(crate) fn new(state: StateDir) -> Result<Self> {
        state.prepare()?;
        let record = Record { ports: Ports::free()?, processes: Vec::new(), control_plane: None, kubevirt: None };
        Ok(Self { state, record })
    }

    /// The cluster that was recorded, whether or not it still runs.
    pub(crate) fn recorded(state: &StateDir) -> Result<Option<Self>> {
        let state = state.clone();
        Ok(state.load()?.map(|record| Self { state, record }))
    }

    pub(crate) fn spawn(&mut self, name: &str, program: &Path, args: &[String]) -> Result<()> {
        let log = self.state.log(name);
        let process = Process::spawn(name, program, args, self.state.root(), &log)?;
        self.record.processes.push(process);
        self.save()
    }

    pub(crate) fn save(&self) -> Result<()> {
        self.state.save(&self.record)
    }

    pub(crate) fn all_alive(&self) -> bool {
        self.dead().is_none()
    }

    /// Whether a component of that name was ever started.
    pub(crate) fn has(&self, component: &str) -> bool {
        self.record.processes.iter().any(|process| process.name == component)
    }

    fn dead(&self) -> Option<&Process> {
        self.record.processes.iter().find(|process| !process.alive())
    }

    /// Waits until `check` gives something. Fails at once when any component dies, and at the
    /// deadline with the last reason; both name the log to read.
    pub(crate) async fn until<T, F>(&self, what: &str, component: &str, mut check: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let deadline = Instant::now() + START_LIMIT;
        let mut last = String::new();
        while Instant::now() < deadline {
            match check().await {
                Ok(Some(value)) => return Ok(value),
                Ok(None) => {}
                Err(error) => last = format!(": {error:#}"),
            }
            if let Some(dead) = self.dead() {
                let log = self.state.log(&dead.name);
                bail!("{} ended while waiting for: {what}\n{}", dead.name, tail(&log));
            }
            tokio::time::sleep(POLL).await;
        }
        let log = self.state.log(component);
        bail!("{} s were not enough for: {what}{last}\n{}", START_LIMIT.as_secs(), tail(&log))
    }

    /// Ends every recorded process, clients before servers, and forgets the cluster.
    pub(crate) fn stop(self) -> Result<()> {
        for stage in 0..STOP_STAGES {
            // Started last, stopped first.
            let members: Vec<&Process> = self.record.processes.iter().rev().filter(|process| stop_stage(&process.name) == stage).collect();
            for signal in [Signal::TERM, Signal::KILL] {
                for process in &members {
                    process.signal(signal);
                }
                if wait_gone(&members, STOP_LIMIT) {
                    break;
                }
            }
            if let Some(stubborn) = members.iter().find(|process| process.alive()) {
                bail!("{} could not be killed", stubborn.name);
            }
        }
        self.state.clear()
    }
}

/// Whether all of them ended within `limit`.
pub(super) fn wait_gone(processes: &[&Process], limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    while processes.iter().any(|process| process.alive()) {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(POLL);
    }
    true
}

/// The log's name and its last lines.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(12)..].join("\n  ");
    format!("last lines of {}:\n  {last}", log.display())
}

/// A client of the cluster's apiserver.
pub(crate) async fn client(kubeconfig: &Path) -> Result<kube::Client> {
    let config = kube::config::Kubeconfig::read_from(kubeconfig).with_context(|| format!("read {}", kubeconfig.display()))?;
    let config =
        kube::Config::from_custom_kubeconfig(config, &kube::config::KubeConfigOptions::default()).await.context("understand the kubeconfig")?;
    Ok(kube::Client::try_from(config)?)
}

/// `Some` when a component's own HTTPS port answers well. Whose certificate it is does not matter:
/// only life counts here.
pub(crate) async fn healthy(port: u16, path: &str) -> Result<Option<()>> {
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().timeout(Duration::from_secs(5)).build()?;
    let answer = client.get(format!("https://127.0.0.1:{port}{path}")).send().await?;
    Ok(answer.status().is_success().then_some(()))
}

/// Several clients share the process, so the TLS provider is named, not guessed.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime> {
    // Already installed is as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Runtime::new().context("start the async runtime")
}
