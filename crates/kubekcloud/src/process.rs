//! What a serving process is made of: store, reconciler, use cases, HTTP.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use api::{Checks, Limits, MetricsHandle, State};
use app::{App, Policy};
use ipnet::IpNet;
use members::{Fleet, Member};
use rand::{Rng, distr::Alphanumeric};
use reconcile::{Connect, HealthSnapshot, Options, Supervisor};
use rustix::process::{Resource, getrlimit, setrlimit};
use store::{Opened, TokenKey};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::CancellationToken;
use wire::health::Check;

/// How long open requests may take to end after a stop signal.
const DRAIN: Duration = Duration::from_secs(10);

/// Files that a process may open: its connections, and some for databases and members.
const FILES: u64 = 16_384;

/// Where the process answers, and whom.
pub(crate) struct Front {
    /// The API.
    pub(crate) listener: TcpListener,
    /// Health, readiness and measurements.
    pub(crate) admin: Admin,
    /// Bounds of the API's connections.
    pub(crate) limits: Limits,
    /// Between saying that no more traffic should come and closing the door: who sends it needs a moment to hear that.
    pub(crate) farewell: Duration,
}

/// Where operators ask.
pub(crate) enum Admin {
    /// On the API's port, which then answers only to this machine and to no page but its own and these.
    WithApi { allowed_origins: Vec<String> },
    /// On a port of its own.
    Apart(TcpListener),
    /// Nowhere.
    Off,
}

/// What a process is told.
pub(crate) struct Setup {
    /// What keys the digests of tokens; left out, the database's own.
    pub(crate) token_key: Option<TokenKey>,
    /// What an installation decides for itself.
    pub(crate) policy: Policy,
    /// Networks that tenants must not reach besides private ones.
    pub(crate) deny_cidrs: Vec<IpNet>,
    /// The Kubernetes that it is started with.
    pub(crate) local: Option<Member>,
}

/// A process with everything started but HTTP.
pub(crate) struct Process {
    app: App,
    metrics: MetricsHandle,
    checks: Checks,
    cancel: CancellationToken,
    supervisor: Option<Supervisor>,
}

/// The async runtime: as many threads as cores.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut files = getrlimit(Resource::Nofile);
    files.current = Some(files.maximum.unwrap_or(FILES).min(FILES).max(files.current.unwrap_or(FILES)));
    if let Err(error) = setrlimit(Resource::Nofile, files) {
        tracing::warn!(%error, "cannot allow more open files; fewer connections fit");
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}

/// Listens for the API.
pub(crate) async fn listen(host: IpAddr, port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}; --port chooses another port"))
}

impl Process {
    /// Starts reconciling, if there is a Kubernetes, and puts the use cases together.
    pub(crate) async fn start(db: Opened, setup: Setup) -> anyhow::Result<Self> {
        let Setup { token_key, policy, deny_cidrs, local } = setup;
        let metrics = api::install_metrics()?;
        let cancel = CancellationToken::new();
        let upkeep = metrics.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(5)).await;
                upkeep.run_upkeep();
            }
        });
        let Opened { intents, observations, leases, schema } = db;
        let token_key = match token_key {
            Some(key) => key,
            None => schema.token_key().await?,
        };
        let fleet = Fleet::default();
        if local.map(|member| fleet.put(member)).is_none() {
            // Nothing is ever observed here: the sender is dropped, and whoever waits asks the database.
            let (_, never) = watch::channel(0);
            let app = App::new(intents, token_key, policy, fleet, Arc::new(|_, _| ()), Arc::new(move |_| never.clone()));
            return Ok(Self { app, metrics, checks: Arc::new(Vec::new), cancel, supervisor: None });
        }
        let installation = schema.installation_id().await?;
        let options = Options { deny_cidrs, ..Options::new(holder()) };
        let known = fleet.clone();
        let connect: Connect = Arc::new(move |row| known.get(row.id));
        let supervisor = Supervisor::start((observations, leases), installation, connect, options, cancel.clone());
        let (wake, changes, health) = (supervisor.wake(), supervisor.changes(), supervisor.health());
        let wake: app::Wake = Arc::new(move |member, subject| wake.wake(member, subject));
        let app = App::new(intents, token_key, policy, fleet, wake, Arc::new(move |subject| changes.of(subject)));
        let checks = Arc::new(move || health.snapshot().iter().flat_map(checks).collect());
        Ok(Self { app, metrics, checks, cancel, supervisor: Some(supervisor) })
    }

    /// The use cases.
    pub(crate) const fn app(&self) -> &App {
        &self.app
    }

    /// Answers requests until `stop`, then ends in order: readiness, requests, reconciling (which gives its lease back).
    pub(crate) async fn serve(self, front: Front, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { app, metrics, checks, cancel, supervisor } = self;
        let Front { listener, admin, limits, farewell } = front;
        let waiting = app.clone();
        let state = State::new(app, metrics, with_stopping(checks, stop.clone()), limits.trusted.clone());
        let mut router = api::router(state.clone());
        match admin {
            Admin::WithApi { allowed_origins } => {
                let port = listener.local_addr()?.port();
                router = api::local_only(api::router_with_operations(state), port, allowed_origins);
            }
            Admin::Apart(listener) => {
                // Until the very end: whoever looks at a process that is ending wants to know.
                tokio::spawn(api::serve(listener, api::admin_router(state), Limits::default(), std::future::pending()));
            }
            Admin::Off => {}
        }
        let closing = stop.clone();
        let shutdown = async move {
            closing.cancelled().await;
            tokio::time::sleep(farewell).await;
            // Nobody's answer is cut off for what it still waits for.
            waiting.close();
        };
        // Reconciling goes on meanwhile: open requests may be waiting for it.
        let drained = async move {
            stop.cancelled().await;
            tokio::time::sleep(farewell + DRAIN).await;
        };
        tokio::select! {
            () = api::serve(listener, router, limits, shutdown) => {}
            () = drained => tracing::warn!("requests were still open when the process ended"),
        }
        cancel.cancel();
        if let Some(supervisor) = supervisor {
            supervisor.stopped().await;
        }
        Ok(())
    }
}

/// Readiness turns before the door closes.
fn with_stopping(checks: Checks, stop: CancellationToken) -> Checks {
    Arc::new(move || {
        let stopping = stop.is_cancelled();
        let message = if stopping { "stopping" } else { "" };
        let mut all = checks();
        all.push(Check { name: "serving".to_owned(), ok: !stopping, required: true, message: message.to_owned() });
        all
    })
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
