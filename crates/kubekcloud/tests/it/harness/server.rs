//! A `serve` process.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Client, Kubernetes, TestDatabase};

/// The binary under test.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubekcloud"));
    for name in ["DATABASE_URL", "K8S_CONFIG_PATH", "K8S_NAMESPACE", "KUBEKCLOUD_BOOTSTRAP_TOKEN", "RUST_LOG", "KUBERNETES_SERVICE_HOST"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// How a server differs from the usual.
#[derive(Default, Clone)]
pub(crate) struct ServerOptions {
    /// Another kubeconfig than the tests' own.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Where the process kills itself.
    pub(crate) kill_at: Option<String>,
    /// Where the process stops itself, once.
    pub(crate) stop_at: Option<&'static str>,
    /// Whether the tests are a proxy in front of it.
    pub(crate) behind_proxy: bool,
}

/// A running `serve`, killed when dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    /// An admin of the API.
    pub(crate) admin: Client,
    /// Whoever may ask for health, readiness and measurements.
    pub(crate) operator: Client,
    child: Child,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

const ADMIN_TOKEN: &str = "test-admin-token-0123456789";

impl Server {
    /// A server on a fresh database.
    pub(crate) async fn fresh() -> (Self, TestDatabase, Kubernetes) {
        let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
        let server = Self::start(&database, &kubernetes, ServerOptions::default()).await;
        (server, database, kubernetes)
    }

    /// A server on this database; answers once it listens.
    pub(crate) async fn start(database: &TestDatabase, kubernetes: &Kubernetes, options: ServerOptions) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let log = dir.path().join("log");
        let out = dir.path().join("out");
        let mut command = binary();
        command
            .args(["serve", "--port", "0", "--host", "127.0.0.1", "--admin-listen", "127.0.0.1:0", "--log-format", "text"])
            .current_dir(dir.path())
            .env("DATABASE_URL", &database.url)
            .env("K8S_CONFIG_PATH", options.kubeconfig.as_ref().unwrap_or(&kubernetes.kubeconfig))
            .env("KUBEKCLOUD_BOOTSTRAP_TOKEN", ADMIN_TOKEN)
            .env("RUST_LOG", "info")
            .stdout(std::fs::File::create(&out).expect("creates"))
            .stderr(std::fs::File::create(&log).expect("creates"));
        if let Some(point) = options.kill_at {
            command.env("KUBEKCLOUD_KILL_AT", point);
        }
        if let Some(point) = options.stop_at {
            command.env("KUBEKCLOUD_STOP_AT", point);
        }
        if options.behind_proxy {
            command.env("KUBEKCLOUD_TRUSTED_PROXIES", "127.0.0.1");
        }
        let mut child = command.spawn().expect("the binary starts");
        let (operations, url) = wait_for_addresses(&mut child, &out, &log).await;
        let (admin, operator) = (Client::new(&url, Some(ADMIN_TOKEN)), Client::new(&operations, None));
        Self { url, admin, operator, child, log, _dir: dir }
    }

    /// A user with ample quota.
    pub(crate) async fn user(&self) -> Client {
        self.admin.user(1000, 1000).await
    }

    /// Somebody without a token.
    pub(crate) fn anonymous(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_died(&mut self) -> bool {
        self.child.try_wait().expect("asks").is_some()
    }

    /// Ends the process as SIGKILL does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("waits");
    }

    /// Its process.
    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(self.pid(), signal).expect("signals");
    }

    /// Whether it stands still, by SIGSTOP.
    pub(crate) fn is_stopped(&self) -> bool {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a status");
        status.lines().any(|line| line.starts_with("State:\tT"))
    }

    /// Whether this process holds the member's lease.
    pub(crate) async fn leads(&self) -> bool {
        let metrics = self.operator.get("/metrics").await.text;
        metrics.lines().any(|line| line.starts_with("kubekcloud_lease_held") && line.ends_with(" 1"))
    }

    /// Memory that it has, in MiB.
    pub(crate) fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident set");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    /// Waits for the process to end by itself.
    pub(crate) async fn ended(mut self) -> std::process::ExitStatus {
        super::eventually("the server ends", 20, || {
            let ended = self.child.try_wait().expect("asks");
            async move { ended }
        })
        .await
    }

    /// Ends the process as Ctrl-C does; answers whether it ended well.
    pub(crate) async fn interrupt(self) -> bool {
        self.signal(rustix::process::Signal::INT);
        self.ended().await.success()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The installation's name, from a label that it has put on a cluster's namespace.
    pub(crate) async fn installation(&self, database: &TestDatabase) -> String {
        use sea_orm::{ConnectionTrait, Statement};
        let raw = database.raw().await;
        let statement = Statement::from_string(raw.get_database_backend(), "SELECT uid FROM installation");
        let row = raw.query_one_raw(statement).await.expect("asks").expect("migrated");
        raw.close().await.expect("closes");
        row.try_get("", "uid").expect("a name")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server\n{}", self.log());
        }
    }
}

/// Of operations, and of the API, which is said last.
async fn wait_for_addresses(child: &mut Child, out: &Path, log: &Path) -> (String, String) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = std::fs::read_to_string(out).unwrap_or_default();
        let said = |what: &str| text.lines().find_map(|line| line.strip_prefix(what)).map(str::to_owned);
        if let (Some(operations), Some(api)) = (said("Admin on "), said("Listening on ")) {
            return (operations, api);
        }
        let ended = child.try_wait().expect("asks");
        let log = || std::fs::read_to_string(log).unwrap_or_default();
        assert!(ended.is_none(), "the server ended: {ended:?}\n{}", log());
        assert!(Instant::now() < deadline, "the server does not listen\n{}", log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
