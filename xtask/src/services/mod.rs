//! Database servers for the tests: one that the user names, else a throw-away one from Debian's packages.

pub(crate) mod debian;
mod mariadb;
mod postgres;
mod sql;

use crate::{job::Job, services::debian::Installed};
use anyhow::{Context, Result, bail};
use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a server may take to answer on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A kind of database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    /// What support for MySQL is tested on.
    MariaDb,
}

/// A server that answers; one of ours ends with this value.
pub(crate) struct Server {
    kind: Kind,
    /// With rights to make databases.
    pub(crate) url: String,
    /// The process before its directory: fields are dropped in order.
    ours: Option<(Job, TempDir)>,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// The variable that names a user's own server.
    const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "KUBEKCLOUD_TEST_POSTGRES_URL",
            Self::MariaDb => "KUBEKCLOUD_TEST_MYSQL_URL",
        }
    }
}

/// The named server, else one that is started, its program being installed first where that can be
/// done. The inner error says what to type where it cannot.
pub(crate) fn start(kind: Kind) -> Result<Result<Server, String>> {
    if let Some(url) = env::var(kind.variable()).ok().filter(|url| !url.is_empty()) {
        println!("      the server that {} names", kind.variable());
        return Ok(Ok(Server { kind, url, ours: None }));
    }
    let installed = match kind {
        Kind::Postgres => postgres::install()?,
        Kind::MariaDb => mariadb::install()?,
    };
    if let Installed::Not(how) = installed {
        return Ok(Err(format!("{how}; or name a server in {}", kind.variable())));
    }
    let server = match kind {
        Kind::Postgres => postgres::start(),
        Kind::MariaDb => mariadb::start(),
    };
    server.map(Ok).with_context(|| format!("start {}", kind.name()))
}

impl Server {
    /// Makes an empty database and returns its URL.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        sql::run(self.kind, &self.url, &format!("CREATE DATABASE {name}"))?;
        sql::with_database(&self.url, name)
    }

    /// Removes a database where the server outlives the tests.
    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        if self.ours.is_some() {
            return Ok(());
        }
        sql::run(self.kind, &self.url, &format!("DROP DATABASE {name}"))
    }

    /// Waits until the server takes statements.
    fn answering(mut self, log: &Path) -> Result<Self> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let Err(error) = sql::run(self.kind, &self.url, "SELECT 1") else { return Ok(self) };
            let ended = match &mut self.ours {
                Some((job, _)) => job.ended()?,
                None => None,
            };
            if ended.is_some() || Instant::now() >= deadline {
                let text = std::fs::read_to_string(log).unwrap_or_default();
                bail!("it does not answer: {error:#}\n{text}");
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A directory for a server's data that `user` may use; only what a server writes is in it.
fn data_dir(user: Option<&str>) -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("kubekcloud-").tempdir().context("make a temporary directory")?;
    if let Some(user) = user {
        crate::job::output(Command::new("chown").arg(user).arg(dir.path()))?;
    }
    Ok(dir)
}

/// The account to run a server under: they refuse to run as root.
fn account(name: &'static str) -> Option<&'static str> {
    rustix::process::geteuid().is_root().then_some(name)
}

/// The program, run under the account, in a directory that the account can enter.
fn run_as(user: Option<&str>, program: &Path, dir: &Path) -> Command {
    let mut command = match user {
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", user, "--init-groups", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command.current_dir(dir).env("HOME", dir).env("LC_ALL", "C.UTF-8");
    command
}

/// Where a program lies, on PATH or among those for administrators.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    dirs.map(|dir| dir.join(program)).find(|file| file.is_file())
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?.port())
}
