//! One transaction: all of what it writes, or nothing.
//!
//! It is a closure that is given nothing but the transaction: it cannot wait for a second connection while it holds one,
//! and it can be run again. It is, when the database took another's side (deadlock, serialization, a lock that was waited
//! for too long): nothing was committed then.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use types::{Error, MemberId, Result, Subject};

use crate::{error::db, pool::Pool};

/// How often a transaction is run that others stand in the way of.
const TRIES: u32 = 4;
/// Longest pause before the second run; twice that before the third.
const PAUSE: Duration = Duration::from_millis(40);

/// An open transaction. No call to Kubernetes belongs into it.
///
/// A closure that borrowed it could not be used where futures are sent between threads (its future would have to be so for every
/// lifetime); so it is given a handle, which must be gone when the closure ends.
pub struct Tx {
    shared: Arc<Shared>,
}

struct Shared {
    tx: DatabaseTransaction,
    wakes: Mutex<Vec<Woken>>,
}

/// A subject whose intent changed, and where it is reconciled.
pub type Woken = (MemberId, Subject);

/// What a committed transaction leaves behind.
#[derive(Debug)]
#[must_use = "whoever reconciles what has changed is to be woken"]
pub struct Done<T> {
    /// The closure's result.
    pub value: T,
    /// Whom to wake; forgetting it costs time only, because the work table has it too.
    pub woken: Vec<Woken>,
}

/// A transaction under way. Its type is hidden: whoever waits for it would carry all of it, many levels up.
pub type Running<'a, T> = Pin<Box<dyn Future<Output = Result<Done<T>>> + Send + 'a>>;

impl Pool {
    /// Runs `work` in a transaction that will write, and commits it where it succeeds.
    pub(crate) fn transact<'a, T, F>(&'a self, work: impl Fn(Tx) -> F + Send + Sync + 'a) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T>> + Send + 'a,
    {
        Box::pin(async move {
            let mut tries = 1;
            loop {
                match self.transact_once(&work).await {
                    Err(Error::Contended) if tries < TRIES => {
                        let most = PAUSE * 2_u32.pow(tries - 1);
                        tokio::time::sleep(most.mul_f64(rand::random_range(0.25..1.0))).await;
                        tries += 1;
                    }
                    done => return done,
                }
            }
        })
    }

    async fn transact_once<T, F: Future<Output = Result<T>>>(&self, work: &impl Fn(Tx) -> F) -> Result<Done<T>> {
        let shared = Arc::new(Shared { tx: self.begin().await?, wakes: Mutex::default() });
        let value = work(Tx { shared: shared.clone() }).await?;
        let shared = Arc::into_inner(shared).ok_or_else(|| Error::internal("a transaction is used after its end"))?;
        let Shared { tx, wakes } = shared;
        tx.commit().await.map_err(db)?;
        let mut woken = wakes.into_inner().unwrap_or_else(PoisonError::into_inner);
        woken.sort_unstable();
        woken.dedup();
        Ok(Done { value, woken })
    }

    async fn begin(&self) -> Result<DatabaseTransaction> {
        let options = match self.backend() {
            DbBackend::Sqlite => {
                TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() }
            }
            // Said, not left to the server: a repeatable read would sum from a snapshot taken before the owner's lock was had.
            _ => TransactionOptions { isolation_level: Some(IsolationLevel::ReadCommitted), ..TransactionOptions::default() },
        };
        self.writer().begin_with_options(options).await.map_err(db)
    }
}

impl Tx {
    pub(crate) fn connection(&self) -> &DatabaseTransaction {
        &self.shared.tx
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.connection().get_database_backend()
    }

    pub(crate) fn wakes(&self, member: MemberId, subject: Subject) {
        self.shared.wakes.lock().unwrap_or_else(PoisonError::into_inner).push((member, subject));
    }
}
