//! What a serving process is made of: store, reconciler, use cases, HTTP.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use api::{MetricsHandle, State};
use app::{App, Policy};
use members::Member;
use rand::{Rng, distr::Alphanumeric};
use reconcile::{HealthSnapshot, Options, Reconciler};
use store::Store;
use tokio::{net::TcpListener, signal::unix, sync::watch};
use tokio_util::sync::CancellationToken;
use types::MemberId;
use wire::health::Check;

/// How long open requests may take to end after a stop signal.
const DRAIN: Duration = Duration::from_secs(10);

/// A process with everything started but HTTP.
pub(crate) struct Process {
    app: App,
    metrics: MetricsHandle,
    checks: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
    cancel: CancellationToken,
    reconciler: Option<Reconciler>,
}

/// The async runtime: as many threads as cores.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}

/// Listens for the API.
pub(crate) async fn listen(host: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}; --port chooses another port"))
}

/// Resolves at the first SIGINT or SIGTERM.
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

impl Process {
    /// Starts reconciling, if there is a Kubernetes, and puts the use cases together.
    pub(crate) async fn start(store: Store, policy: Policy, local: Option<Arc<Member>>) -> anyhow::Result<Self> {
        let metrics = api::install_metrics()?;
        let cancel = CancellationToken::new();
        let upkeep = metrics.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                upkeep.run_upkeep();
            }
        });
        let Some(member) = local else {
            // Nothing is ever observed here: the sender is dropped, and whoever waits asks the database.
            let (_, never) = watch::channel(0);
            let app = App::new(store, policy, None, Arc::new(|_| ()), never);
            return Ok(Self { app, metrics, checks: Arc::new(Vec::new), cancel, reconciler: None });
        };
        let reconciler = Reconciler::start(store.clone(), member.clone(), MemberId::LOCAL, Options::new(holder()), cancel.clone());
        let (wake, health) = (reconciler.wake(), reconciler.health());
        let wake: app::Wake = Arc::new(move |cluster| wake.wake(cluster));
        let app = App::new(store, policy, Some(member), wake, reconciler.changes().subscribe());
        let checks = Arc::new(move || checks(&health.snapshot()));
        Ok(Self { app, metrics, checks, cancel, reconciler: Some(reconciler) })
    }

    /// The use cases.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// Answers requests until `stop`, then ends in order: requests, reconciling (which gives its lease back).
    pub(crate) async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let Self { app, metrics, checks, cancel, reconciler } = self;
        let stopping = CancellationToken::new();
        let (stopped, open) = (stopping.clone(), stopping.clone());
        let shutdown = async move {
            stop.await;
            stopped.cancel();
        };
        // Reconciling goes on meanwhile: open requests may be waiting for it.
        let drained = async move {
            open.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            () = api::serve(listener, State { app, metrics, checks }, shutdown) => {}
            () = drained => tracing::warn!("requests were still open when the process ended"),
        }
        cancel.cancel();
        if let Some(reconciler) = reconciler {
            reconciler.stopped().await;
        }
        Ok(())
    }
}

/// Differs between processes and between two lives of one.
fn holder() -> String {
    let random: String = rand::rng().sample_iter(Alphanumeric).map(char::from).take(12).collect();
    format!("{}-{random}", std::process::id())
}

/// None of these keeps traffic away: the API answers, and keeps what it is told, without a member.
fn checks(health: &HealthSnapshot) -> Vec<Check> {
    let HealthSnapshot { member, running, lease_held, synced, reachable, kubevirt, trouble } = health;
    let check = |name: &str, ok: bool, message: &str| Check { name: format!("{member}/{name}"), ok, required: false, message: message.to_owned() };
    let trouble = trouble.as_deref().unwrap_or_default();
    vec![
        check("reconciling", *running, if *running { "" } else { "stopped" }),
        check("reachable", *reachable, trouble),
        check("watched", *synced || !*lease_held, if *lease_held { trouble } else { "by another replica" }),
        check("kubevirt", true, &format!("{kubevirt:?}").to_lowercase()),
    ]
}
