//! One transaction: what `app` writes, it writes here, all of it or nothing.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use types::Result;

use crate::{Store, error::db};

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

    pub(crate) fn backend(&self) -> DbBackend {
        self.tx.get_database_backend()
    }
}
