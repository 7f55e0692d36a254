//! The product's binary, started by a task: `dev` and `serve` on a port of the system's choice.

use crate::{checkout::clean, job::Job};
use anyhow::{Context, Result, bail};
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const START_LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(10);

/// A server that takes requests; it ends with this value.
pub(crate) struct Product {
    pub(crate) url: String,
    /// Of health, readiness and measurements.
    pub(crate) operations_url: String,
    pub(crate) admin_token: String,
    /// Of the Kubernetes behind `dev`.
    pub(crate) kubeconfig: Option<PathBuf>,
    job: Job,
    log: PathBuf,
}

/// The part of `dev.json` that tasks need.
#[derive(Deserialize)]
struct DevInfo {
    api_url: String,
    admin_token: String,
    kubeconfig: PathBuf,
    pid: u32,
}

impl Product {
    /// `kubekcloud dev` with its data in `dir`.
    pub(crate) fn dev(binary: &Path, dir: &Path) -> Result<Self> {
        let mut command = bare(binary);
        command.args(["dev", "--port", "0", "--data-dir"]).arg(dir.join("data"));
        let (mut job, log) = started("kubekcloud dev", &mut command, dir)?;
        let info = dir.join("data").join("dev.json");
        let pid = job.id();
        let DevInfo { api_url, admin_token, kubeconfig, pid: _ } = until(&mut job, &log, || {
            let info: DevInfo = serde_json::from_slice(&fs::read(&info).ok()?).ok()?;
            // An earlier process may have left one.
            (info.pid == pid).then_some(info)
        })?;
        Ok(Self { operations_url: api_url.clone(), url: api_url, admin_token, kubeconfig: Some(kubeconfig), job, log })
    }

    /// `kubekcloud serve` with SQLite in `dir`, on the Kubernetes that is named, if any.
    pub(crate) fn serve(binary: &Path, dir: &Path, kubeconfig: Option<&Path>) -> Result<Self> {
        Self::serve_on(binary, dir, "sqlite:///./serve.db", kubeconfig)
    }

    /// `kubekcloud serve` on a database, which it may share with others.
    pub(crate) fn serve_on(binary: &Path, dir: &Path, database_url: &str, kubeconfig: Option<&Path>) -> Result<Self> {
        const TOKEN: &str = "admin-token-of-a-throw-away-server";
        let mut command = bare(binary);
        command.args(["serve", "--host", "127.0.0.1", "--port", "0", "--admin-listen", "127.0.0.1:0"]);
        command.env("DATABASE_URL", database_url).env("KUBEKCLOUD_BOOTSTRAP_TOKEN", TOKEN).env("RUST_LOG", "warn");
        if let Some(path) = kubeconfig {
            command.env("K8S_CONFIG_PATH", path);
        }
        let (mut job, log) = started("kubekcloud serve", &mut command, dir)?;
        let (url, operations_url) = until(&mut job, &log, || {
            let text = fs::read_to_string(&log).ok()?;
            let said = |what| text.lines().find_map(|line| line.strip_prefix(what)).map(|url: &str| url.trim().to_owned());
            text.ends_with('\n').then_some((said("Listening on ")?, said("Admin on ")?))
        })?;
        Ok(Self { url, operations_url, admin_token: TOKEN.to_owned(), kubeconfig: None, job, log })
    }

    pub(crate) fn id(&self) -> u32 {
        self.job.id()
    }

    /// Ends it as SIGKILL does.
    pub(crate) fn kill(self) -> Result<()> {
        self.job.kill()
    }

    /// One request with `token`; an answer that is no success is an error.
    pub(crate) fn call(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Result<Value> {
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the async runtime")?;
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().timeout(START_LIMIT).build()?;
            let mut request = client.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(token);
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await?;
            let (status, text) = (answer.status(), answer.text().await?);
            if !status.is_success() {
                bail!("{method} {path}: {status}: {text}");
            }
            Ok(serde_json::from_str(&text).unwrap_or_default())
        })
    }

    /// Fails, with what it printed, when it ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        match self.job.ended()? {
            Some(status) => bail!("the server ended with {status}:\n{}", fs::read_to_string(&self.log).unwrap_or_default()),
            None => Ok(()),
        }
    }
}

/// The binary without what the user's environment would tell it.
fn bare(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    clean(&mut command);
    command
}

fn started(name: &str, command: &mut Command, dir: &Path) -> Result<(Job, PathBuf)> {
    let log = dir.join("output.log");
    let out = File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let job = Job::start(name, command.current_dir(dir).stdout(Stdio::from(out.try_clone()?)).stderr(out))?;
    Ok((job, log))
}

fn until<T>(job: &mut Job, log: &Path, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        if let Some(value) = ready() {
            return Ok(value);
        }
        let ended = job.ended()?.is_some();
        if ended || Instant::now() >= deadline {
            let text = fs::read_to_string(log).unwrap_or_default();
            bail!("the server {}:\n{text}", if ended { "ended at once" } else { "is not ready after a minute" });
        }
        thread::sleep(POLL);
    }
}
