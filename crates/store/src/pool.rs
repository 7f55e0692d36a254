//! Connections to the database: what each part of the process may use of it, and for how long.
//!
//! A part has connections of its own, so that none can starve another: a request that waits for a lock never takes the
//! connection that renews the leases. SQLite is one file with one writer, where this cannot be: its parts share it.
//!
//! **No session outlives its process's usefulness.** A process that was stopped, or cut off, in the middle of a transaction
//! holds locks that others need. A server ends such a session by itself, long before a lease that others wait for would
//! matter: [`IDLE_IN_TRANSACTION`] after its last statement, or when its machine no longer answers.
//!
//! **No process waits for a server that does not answer.** A network that swallows what is sent looks like a slow statement
//! for a quarter of an hour. So each statement is given up after [`ANSWER`], and its connection closed and replaced: it
//! is asked whether it still works when it is given back, and that must be answered within [`GIVEN_BACK`].

use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr,
    sqlx::{self, Connection},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{Error, Result};

use crate::{
    error::{db, is_busy},
    location::Location,
};

/// A transaction that sends nothing for so long belongs to a process that is frozen or cut off. Shorter than a lease.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(5);
/// Longest wait for a row that another transaction has; then it is tried again from the start.
const LOCK_WAIT: Duration = Duration::from_secs(3);
/// Longest statement.
const STATEMENT: Duration = Duration::from_secs(10);
/// Longest wait for a statement's answer: after that the server has ended it, or is not there.
const ANSWER: Duration = Duration::from_secs(12);
/// Longest wait for a connection that is given back, possibly in the middle of a statement, to say that it still works.
const GIVEN_BACK: Duration = Duration::from_secs(1);
/// Longest wait for one's turn to write to SQLite.
const SQLITE_TURN: Duration = Duration::from_secs(30);
/// Longest wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A connection that lay idle for longer is asked whether it still works before it is used.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);

/// Connections for one part of the process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    read: DatabaseConnection,
    /// The same, except on SQLite: there one connection writes, so that writers queue here, in order, instead of in
    /// SQLite's busy handler.
    write: DatabaseConnection,
    /// On SQLite, of those who write beside somebody who comes first, one at a time queues for that connection.
    turn: Option<Arc<Semaphore>>,
}

impl Pool {
    /// The same connections, for those who write beside somebody who comes first.
    pub(crate) fn behind(&self) -> Self {
        Self { turn: Some(Arc::new(Semaphore::new(1))), ..self.clone() }
    }

    /// Waits for its turn, where there are turns. They end with what is answered.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.turn.clone()?.acquire_owned().await.ok()
    }

    pub(crate) async fn sqlite(path: &str) -> Result<Self> {
        let failed = |e: DbErr| cannot_open(path, &e);
        let write = open_sqlite(path, 1).await.map_err(failed)?;
        let read = open_sqlite(path, 4).await.map_err(failed)?;
        Ok(Self { read, write, turn: None })
    }

    /// Connections to a server.
    pub(crate) async fn server(url: &str, most: u32) -> Result<Self> {
        let both = open_server(url, most).await.map_err(|e| cannot_open("the database server", &e))?;
        Ok(Self { read: both.clone(), write: both, turn: None })
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

    pub(crate) async fn ping(&self) -> Result<()> {
        answered(self.backend(), self.read.ping()).await.map_err(db)
    }
}

/// What a server answers, unless it says nothing for too long. SQLite is not far away: its waits end by themselves.
pub(crate) async fn answered<T>(backend: DbBackend, answer: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    if backend == DbBackend::Sqlite {
        return answer.await;
    }
    let silent = || DbErr::Conn(RuntimeErr::Internal("the database does not answer".into()));
    tokio::time::timeout(ANSWER, answer).await.unwrap_or_else(|_| Err(silent()))
}

/// Whether a connection still works. The pool asks as well, but without an end.
async fn still_works(session: &mut impl Connection) -> Result<bool, sqlx::Error> {
    tokio::time::timeout(GIVEN_BACK, session.ping()).await.map_err(|_| sqlx::Error::PoolTimedOut)?.map(|()| true)
}

fn cannot_open(what: &str, error: &DbErr) -> Error {
    Error::Unavailable { message: format!("cannot open {what}: {error}"), retry_after_seconds: 5 }
}

/// Opens whatever a URL names, with at most so many connections where it is a server.
pub(crate) async fn open(location: &Location, most: u32) -> Result<Pool> {
    match location {
        Location::Sqlite(path) => Pool::sqlite(path).await,
        Location::Server(url) => Pool::server(url.expose(), most).await,
    }
}

async fn open_server(url: &str, most: u32) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(most)
        .min_connections(1)
        .connect_timeout(ACQUIRE)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .test_before_acquire_if_idle_for(TRUSTED_IDLE)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|postgres| postgres.options(postgres_limits()))
        .map_sqlx_postgres_pool_opts(|pool| pool.after_release(|session, _| Box::pin(still_works(session))))
        .map_sqlx_mysql_pool_opts(|pool| {
            pool.after_release(|session, _| Box::pin(still_works(session))).after_connect(|session, _| {
                Box::pin(async move {
                    for limit in mariadb_limits() {
                        sqlx::query(sqlx::AssertSqlSafe(limit)).execute(&mut *session).await?;
                    }
                    Ok(())
                })
            })
        });
    Database::connect(options).await
}

/// One connection without limits, for a lock that belongs to its session and may be waited for.
pub(crate) async fn patient_session(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).min_connections(1).connect_timeout(ACQUIRE).acquire_timeout(ACQUIRE).sqlx_logging(false);
    Database::connect(options).await
}

/// The server's own view of the connection counts: it is the server that must notice when we are gone.
fn postgres_limits() -> Vec<(&'static str, String)> {
    let millis = |limit: Duration| limit.as_millis().to_string();
    vec![
        ("idle_in_transaction_session_timeout", millis(IDLE_IN_TRANSACTION)),
        ("lock_timeout", millis(LOCK_WAIT)),
        ("statement_timeout", millis(STATEMENT)),
        ("tcp_keepalives_idle", "5".into()),
        ("tcp_keepalives_interval", "2".into()),
        ("tcp_keepalives_count", "3".into()),
        ("tcp_user_timeout", "10000".into()),
    ]
}

/// As MariaDB calls them; a comment for MariaDB alone, so that MySQL, which has no such limit for a transaction, lets them pass.
fn mariadb_limits() -> [String; 3] {
    let seconds = |limit: Duration| limit.as_secs();
    [
        format!("SET SESSION innodb_lock_wait_timeout = {}", seconds(LOCK_WAIT)),
        format!("/*M! SET SESSION idle_transaction_timeout = {} */", seconds(IDLE_IN_TRANSACTION)),
        format!("/*M! SET SESSION max_statement_time = {} */", seconds(STATEMENT)),
    ]
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
    use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
    let mut options = ConnectOptions::new(format!("sqlite:{path}?mode=rwc"));
    options.max_connections(connections).min_connections(1).acquire_timeout(SQLITE_TURN).sqlx_logging(false);
    options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
    let file = path.to_owned();
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(15))
            .foreign_keys(true)
            .optimize_on_close(false, None)
    });
    Database::connect(options).await
}
