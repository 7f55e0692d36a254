//! Opening the database that `DATABASE_URL` names.

use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, sqlx::sqlite};
use types::{Error, Result, Secret};

use crate::error::{db, is_busy};

/// The database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    read: DatabaseConnection,
    /// The same pool, except on SQLite: there one connection writes, so that writers queue here, in order,
    /// instead of in SQLite's busy handler.
    write: DatabaseConnection,
    /// Where a server is; `None` for SQLite.
    server: Option<Secret>,
}

impl Store {
    /// Opens the database, without looking at its schema. Accepts SQLAlchemy's URL forms, for example
    /// `sqlite:///./cmp.db`, `postgresql://user:password@host/name`, `mysql+pymysql://user:password@host/name`.
    pub async fn open(url: &str) -> Result<Self> {
        match Location::parse(url)? {
            Location::Sqlite(path) => {
                let write = open_sqlite(&path, 1).await.map_err(|e| cannot_open(&path, &e))?;
                let read = open_sqlite(&path, 4).await.map_err(|e| cannot_open(&path, &e))?;
                Ok(Self { read, write, server: None })
            }
            Location::Server(url) => {
                let both = open_server(&url, 20).await.map_err(|e| cannot_open("the database server", &e))?;
                Ok(Self { read: both.clone(), write: both, server: Some(Secret::new(url)) })
            }
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.read.ping().await.map_err(db)
    }

    /// A connection outside the pool, for a lock that belongs to its session.
    pub(crate) async fn one_more_session(&self) -> Result<DatabaseConnection, DbErr> {
        match &self.server {
            Some(url) => open_server(url.expose(), 1).await,
            None => Ok(self.write.clone()),
        }
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.read.get_database_backend()
    }

    pub(crate) fn reader(&self) -> &DatabaseConnection {
        &self.read
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.write
    }
}

fn cannot_open(what: &str, error: &DbErr) -> Error {
    Error::Unavailable { message: format!("cannot open {what}: {error}"), retry_after_seconds: 5 }
}

async fn open_server(url: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .connect_timeout(Duration::from_secs(5))
        .acquire_timeout(Duration::from_secs(5))
        .sqlx_logging(false);
    Database::connect(options).await
}

/// Switching a new file to WAL needs it alone, and does not wait for its turn: another process that opens the same file
/// at the same moment is waited for here.
async fn open_sqlite(path: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    const TRIES: u32 = 100;
    for _ in 1..TRIES {
        match try_open_sqlite(path, connections).await {
            Err(error) if is_busy(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
            done => return done,
        }
    }
    try_open_sqlite(path, connections).await
}

async fn try_open_sqlite(path: &str, connections: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(format!("sqlite:{path}?mode=rwc"));
    options.max_connections(connections).min_connections(1).acquire_timeout(Duration::from_secs(30)).sqlx_logging(false);
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let file = path.to_owned();
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlite::SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(15))
            .foreign_keys(true)
            .optimize_on_close(false, None)
    });
    Database::connect(options).await
}

/// Where a database is.
#[derive(Debug, PartialEq, Eq)]
enum Location {
    Sqlite(String),
    Server(String),
}

impl Location {
    fn parse(url: &str) -> Result<Self> {
        let invalid = |why: String| Error::field("DATABASE_URL", why);
        let (scheme, rest) = url.split_once(':').ok_or_else(|| invalid("is not a URL".into()))?;
        // SQLAlchemy names a driver behind a plus sign; the driver is ours to choose.
        let dialect = scheme.split('+').next().unwrap_or_default();
        match dialect {
            "sqlite" => {
                // SQLAlchemy: three slashes are relative, four absolute.
                let path = rest.strip_prefix("///").unwrap_or_else(|| rest.trim_start_matches("//"));
                let path = path.split('?').next().unwrap_or_default();
                if path.is_empty() || path == ":memory:" {
                    return Err(invalid("names an SQLite database in memory, which would lose everything at the end".into()));
                }
                Ok(Self::Sqlite(path.to_owned()))
            }
            "postgresql" | "postgres" => Ok(Self::Server(format!("postgres:{rest}"))),
            "mysql" | "mariadb" => Ok(Self::Server(format!("mysql:{rest}"))),
            other => Err(invalid(format!("'{other}' is not supported; use sqlite, postgresql or mysql"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_urls_are_understood() {
        let sqlite = |p: &str| Location::Sqlite(p.into());
        let server = |u: &str| Location::Server(u.into());
        let cases = [
            ("sqlite:///./cmp.db", sqlite("./cmp.db")),
            ("sqlite:///cmp.db", sqlite("cmp.db")),
            ("sqlite:////var/lib/cmp.db", sqlite("/var/lib/cmp.db")),
            ("postgresql://user:password@localhost/dbname", server("postgres://user:password@localhost/dbname")),
            ("postgresql+psycopg2://u@h/d", server("postgres://u@h/d")),
            ("mysql+pymysql://user:password@localhost/dbname", server("mysql://user:password@localhost/dbname")),
            ("mariadb://u@h/d", server("mysql://u@h/d")),
        ];
        for (url, expected) in cases {
            assert_eq!(Location::parse(url).expect(url), expected);
        }
        for bad in ["", "cmp.db", "oracle://x", "sqlite://", "sqlite:///:memory:"] {
            assert!(Location::parse(bad).is_err(), "{bad}");
        }
    }
}
