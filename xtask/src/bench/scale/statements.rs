//! How many statements PostgreSQL has been given.

use crate::services::{self, Kind, Server};
use anyhow::{Context, Result, bail};

pub(super) struct Database<'a> {
    server: &'a Server,
    name: String,
    pub(super) url: String,
    /// Whether the server counts statements, not only transactions.
    counts_statements: bool,
}

/// So far.
pub(super) struct Work {
    /// With `BEGIN` and `COMMIT`; `None` where they are not counted.
    pub(super) statements: Option<f64>,
    pub(super) transactions: f64,
}

pub(super) fn server() -> Result<Server> {
    match services::start(Kind::Postgres)? {
        Ok(server) => Ok(server),
        Err(how) => bail!("PostgreSQL: {how}"),
    }
}

impl<'a> Database<'a> {
    pub(super) fn new(server: &'a Server, name: &str) -> Result<Self> {
        // A server that the user named may not have the module loaded.
        let counts_statements =
            server.ask("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").is_ok() && server.ask("SELECT count(*) FROM pg_stat_statements").is_ok();
        Ok(Self { server, name: name.to_owned(), url: server.database(name)?, counts_statements })
    }

    /// Asked from another database, so that asking is not counted.
    pub(super) fn work(&self) -> Result<Work> {
        let number = |sql: String| self.server.ask(&sql)?.trim().parse::<f64>().with_context(|| format!("understand the answer to: {sql}"));
        let name = &self.name;
        let calls = "SELECT coalesce(sum(s.calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname";
        let statements = if self.counts_statements { Some(number(format!("{calls} = '{name}'"))?) } else { None };
        let transactions = number(format!("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '{name}'"))?;
        Ok(Work { statements, transactions })
    }
}
