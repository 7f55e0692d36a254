//! Statements through the servers' own clients. A password travels in the environment, not in argv.

use super::Kind;
use crate::job::output;
use anyhow::{Context, Result};
use percent_encoding::percent_decode_str;
use std::process::Command;
use url::Url;

/// What a statement answers: lines of values, without names.
pub(super) fn run(kind: Kind, url: &str, statement: &str) -> Result<String> {
    let url = parse(url)?;
    let host = url.host_str().context("the database URL names no host")?;
    let user = percent_decode_str(url.username()).decode_utf8_lossy();
    let password = percent_decode_str(url.password().unwrap_or_default()).decode_utf8_lossy();
    let mut client;
    match kind {
        Kind::Postgres => {
            client = Command::new("psql");
            client.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--tuples-only", "--no-align", "--host", host]);
            client.args(["--port", &url.port().unwrap_or(5432).to_string(), "--username", &user, "--dbname", name(&url)]);
            client.args(["--command", statement]).env("PGPASSWORD", &*password).env("PGCONNECT_TIMEOUT", "5");
        }
        Kind::MariaDb => {
            client = Command::new("mariadb");
            client.args(["--no-defaults", "--silent", "--skip-column-names", "--protocol=tcp", "--connect-timeout=5", "--host", host]);
            client.args(["--port", &url.port().unwrap_or(3306).to_string(), "--user", &user, "--database", name(&url)]);
            client.args(["--execute", statement]).env("MYSQL_PWD", &*password);
        }
    }
    let printed = output(&mut client)?.stdout;
    Ok(String::from_utf8_lossy(&printed).trim().to_owned())
}

/// The same server, another database.
pub(super) fn with_database(url: &str, name: &str) -> Result<String> {
    let mut url = parse(url)?;
    url.set_path(name);
    Ok(url.into())
}

fn parse(url: &str) -> Result<Url> {
    // The URL itself may hold a password: it is not part of the error.
    Url::parse(url).context("understand the database URL")
}

fn name(url: &Url) -> &str {
    url.path().trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_keeps_the_rest() {
        assert_eq!(with_database("postgresql://u:p@h:5/postgres?sslmode=disable", "x").unwrap(), "postgresql://u:p@h:5/x?sslmode=disable");
        assert_eq!(with_database("mysql+pymysql://root@h/mysql", "x").unwrap(), "mysql+pymysql://root@h/x");
    }
}
