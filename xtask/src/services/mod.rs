//! Database servers for the tests: one that the user names, else a throw-away one from Debian's packages.

mod account;
mod mariadb;
mod postgres;
mod sql;

use crate::{debian::Installed, job::Job};
use anyhow::{Context, Result, bail};
use std::{
    env,
    path::Path,
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
        self.ask(&format!("CREATE DATABASE {name}"))?;
        sql::with_database(&self.url, name)
    }

    /// Removes a database where the server outlives the tests.
    pub(crate) fn drop_database(&self, name: &str) -> Result<()> {
        if self.ours.is_some() {
            return Ok(());
        }
        self.ask(&format!("DROP DATABASE {name}")).map(drop)
    }

    /// What a statement answers in the server's own database.
    pub(crate) fn ask(&self, statement: &str) -> Result<String> {
        sql::run(self.kind, &self.url, statement)
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
