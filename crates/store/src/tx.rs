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

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, IsolationLevel, SqliteTransactionMode, TransactionOptions, TransactionTrait, Value};
use types::{Error, MemberId, Result, Subject};

use crate::{
    error::db,
    pool::{Pool, answered},
    sql,
};

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
    deferred: Mutex<Vec<Write>>,
}

/// A statement whose answer nobody needs.
struct Write {
    sql: String,
    values: Vec<Value>,
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
        let _turn = self.turn().await;
        let shared = Arc::new(Shared { tx: self.begin().await?, wakes: Mutex::default(), deferred: Mutex::default() });
        let value = work(Tx { shared: shared.clone() }).await?;
        Tx { shared: shared.clone() }.send_deferred().await?;
        let shared = Arc::into_inner(shared).ok_or_else(|| Error::internal("a transaction is used after its end"))?;
        let Shared { tx, wakes, deferred: _ } = shared;
        answered(self.backend(), tx.commit()).await.map_err(db)?;
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
        answered(self.backend(), self.writer().begin_with_options(options)).await.map_err(db)
    }
}

impl Tx {
    /// Where statements are run whose answer is needed. What was deferred before has been run then.
    pub(crate) async fn connection(&self) -> Result<&DatabaseTransaction> {
        self.send_deferred().await?;
        Ok(&self.shared.tx)
    }

    /// Runs a statement whose answer nobody needs before the next one whose answer somebody does, at the latest before the commit.
    /// On SQLite such statements travel together: each way to its thread and back costs more than what it does there.
    pub(crate) async fn defer(&self, sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Result<()> {
        /// More would be a statement of its own each time.
        const MOST: usize = 16;
        let write = Write { sql: sql.into(), values: values.into_iter().collect() };
        let waiting = {
            let mut deferred = self.shared.deferred.lock().unwrap_or_else(PoisonError::into_inner);
            deferred.push(write);
            deferred.len()
        };
        if waiting < MOST { Ok(()) } else { self.send_deferred().await }
    }

    async fn send_deferred(&self) -> Result<()> {
        let deferred = std::mem::take(&mut *self.shared.deferred.lock().unwrap_or_else(PoisonError::into_inner));
        if deferred.is_empty() {
            return Ok(());
        }
        let tx = &self.shared.tx;
        if self.backend() == DbBackend::Sqlite {
            let sql = deferred.iter().map(|write| write.sql.as_str()).collect::<Vec<_>>().join("; ");
            sql::execute(tx, &sql, deferred.into_iter().flat_map(|write| write.values)).await?;
            return Ok(());
        }
        for Write { sql, values } in deferred {
            sql::execute(tx, &sql, values).await?;
        }
        Ok(())
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.shared.tx.get_database_backend()
    }

    pub(crate) fn wakes(&self, member: MemberId, subject: Subject) {
        self.shared.wakes.lock().unwrap_or_else(PoisonError::into_inner).push((member, subject));
    }
}
