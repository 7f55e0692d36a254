//! One transaction: what `app` writes, it writes here, all of it or nothing.

use rand::{Rng, distr::Alphanumeric};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use types::Result;

use crate::{Store, connect::placeholders, error::db};

/// An open transaction. Dropping it undoes everything. No call to Kubernetes belongs between its begin and commit.
pub struct Tx {
    pub(crate) tx: DatabaseTransaction,
}

impl Store {
    /// Begins a transaction that will write.
    pub async fn begin(&self) -> Result<Tx> {
        let options = match self.backend() {
            DbBackend::Sqlite => {
                TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() }
            }
            // Said, not left to the server: a repeatable read would sum from a snapshot taken before the owner's lock was had.
            _ => TransactionOptions { isolation_level: Some(IsolationLevel::ReadCommitted), ..TransactionOptions::default() },
        };
        Ok(Tx { tx: self.writer().begin_with_options(options).await.map_err(db)? })
    }
}

impl Tx {
    /// Makes it durable.
    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await.map_err(db)
    }

    pub(crate) fn sql(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
        let backend = self.tx.get_database_backend();
        Statement::from_sql_and_values(backend, placeholders(backend, sql), values)
    }

    pub(crate) async fn execute(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64> {
        let done = self.tx.execute_raw(self.sql(sql, values)).await.map_err(db)?;
        Ok(done.rows_affected())
    }

    /// A shared lock: readers of the row don't wait for each other, but whoever writes it waits for them.
    pub(crate) fn for_share(&self) -> &'static str {
        match self.tx.get_database_backend() {
            DbBackend::Sqlite => "",
            DbBackend::MySql => " LOCK IN SHARE MODE",
            _ => " FOR SHARE",
        }
    }

    /// ` FOR UPDATE` where the database has row locks; SQLite's writer is alone anyway.
    pub(crate) fn for_update(&self) -> &'static str {
        if self.tx.get_database_backend() == DbBackend::Sqlite { "" } else { " FOR UPDATE" }
    }
}

/// A random word of lower-case letters and digits, fit for a DNS label.
pub(crate) fn random_word(length: usize) -> String {
    rand::rng().sample_iter(Alphanumeric).map(|c| char::from(c).to_ascii_lowercase()).take(length).collect()
}
