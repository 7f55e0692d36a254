//! A small Kubernetes API server with a life-cycle simulator: the embedded default for trying and for fast tests.
//!
//! [`Sandbox::start`] listens on a loopback port with HTTPS and a token; [`Sandbox::kubeconfig`] is how clients come in,
//! ours as well as `kubectl`. Inside are floors, each of which uses only those before it: [`machinery`] says what objects
//! and their kinds are, [`server`] is kube-apiserver (store, rules, HTTP), [`node`] is what a kubelet is, with the containers
//! that `exec` meets, and [`simulator`] is the controllers, which move Pods, VMs and namespaces through their lives.
//! [`Sandbox::start`] plugs the upper two in where the server asks a kubelet or an aggregated API.
//!
//! It says that it is one (version suffix, `Warning` header), and runs nothing: no containers, no networks, no
//! webhooks. Quotas, roles and policies are kept and shown, not enforced: see `docs/sandbox.md`.
#![warn(missing_docs)]

mod error;
mod files;
mod identity;
mod machinery;
mod node;
mod server;
mod simulator;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use error::Error;

use files::Kept;
use node::host::Host;
use server::cluster::Cluster;
use server::http;
use server::http::served::Served;
use simulator::Simulator;
use simulator::actions::Actions;

/// How to start.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where port, certificate, token and objects are kept over restarts; without it everything ends with the sandbox.
    pub data_dir: Option<PathBuf>,
    /// The loopback port; 0 is the one kept in `data_dir`, or else a free one.
    pub port: u16,
}

/// A running sandbox. Dropping it stops it as well, without waiting.
pub struct Sandbox {
    cluster: Arc<Cluster>,
    kubeconfig: String,
    kubeconfig_path: Option<PathBuf>,
    url: String,
    stop: CancellationToken,
    tasks: TaskTracker,
    _lock: Option<std::fs::File>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts serving on 127.0.0.1; it is listening when this returns.
    ///
    /// # Errors
    /// When the data directory can't be read or written, or the port is taken.
    pub async fn start(options: Options) -> Result<Sandbox, Error> {
        let kept = open_kept(options.data_dir.as_deref()).await?;
        let acceptor = kept.identity.acceptor()?;
        let listener = listen(options.port, kept.port).await?;
        let port = listener.local_addr().map_err(|source| Error::Listen { port: options.port, source })?.port();
        let kubeconfig = kept.kubeconfig(port);
        let kubeconfig_path = kept.write(port, &kubeconfig)?;

        let cluster = Arc::new(Cluster::open(options.data_dir.as_deref())?);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (host, ended) = Host::new(cluster.clone(), stop.clone());
        let host = Arc::new(host);
        let simulator = Simulator::new(host.clone())?;
        let actions = Arc::new(Actions::load(host.clone())?);
        tasks.spawn(simulator.run(cluster.feed(), ended, stop.clone()));
        let served = Served { cluster: cluster.clone(), kubelet: host, virtual_machines: actions, token: kept.token, stop: stop.clone() };
        tasks.spawn(http::serve(listener, acceptor, Arc::new(served)));
        let url = format!("https://127.0.0.1:{port}");
        Ok(Sandbox { cluster, kubeconfig, kubeconfig_path, url, stop, tasks, _lock: kept.lock })
    }

    /// How to reach it, as YAML, with certificate and token inside.
    #[must_use]
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// The same as a file (mode 0600), when there is a data directory.
    #[must_use]
    pub fn kubeconfig_path(&self) -> Option<&Path> {
        self.kubeconfig_path.as_deref()
    }

    /// `https://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops serving and simulating, and brings everything to the disk.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.cluster.end_feed();
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(e) = self.cluster.flush() {
            tracing::warn!(error = %e, "the sandbox's log could not be flushed");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The data directory; of a process that was killed a moment ago, the system may still hold the lock.
async fn open_kept(dir: Option<&Path>) -> Result<Kept, Error> {
    for _ in 0..20 {
        match Kept::open(dir) {
            Err(Error::InUse(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
            other => return other,
        }
    }
    Kept::open(dir)
}

/// A port that is asked for must be free; one that is only remembered may have been taken by another meanwhile.
async fn listen(asked: u16, remembered: Option<u16>) -> Result<TcpListener, Error> {
    let bind = |port: u16| async move { TcpListener::bind(("127.0.0.1", port)).await.map_err(|source| Error::Listen { port, source }) };
    match remembered.filter(|_| asked == 0) {
        Some(port) => match bind(port).await {
            Ok(listener) => Ok(listener),
            Err(_) => bind(0).await,
        },
        None => bind(asked).await,
    }
}
