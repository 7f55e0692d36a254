//! What is seen, and what of it is written down: the handle of `reconcile`.
//!
//! Every write is made in [`Observations::fenced`] and has a name ([`Step`], a failpoint).

use sea_orm::Value;
use types::{
    Error, MemberId, Result, Step,
    failpoint::{self, Held},
};

use crate::{Lease, LeaseName, Tx, dialect::for_share, pool::Pool, sql};

/// Reads what is wanted, and writes what was seen. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Observations {
    pool: Pool,
}

impl Observations {
    pub(crate) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs `work` in a transaction that fails unless `lease` is still the current one.
    ///
    /// What is locked is a row that only a takeover writes, and shared: writers of one lease don't wait for each other,
    /// and a takeover waits for those that have begun.
    pub(crate) async fn under<T, F>(&self, lease: &Lease, work: impl Fn(Tx) -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let work = &work;
        let fenced = self.pool.transact(|tx| async move {
            let sql = format!("SELECT epoch FROM leases WHERE name = ? AND epoch = ? AND holder = ?{}", for_share(tx.backend()));
            let key: [Value; 3] = lease.key();
            let current: Option<i64> = sql::scalar(tx.connection().await?, &sql, key).await?;
            if current.is_none() {
                return Err(Error::Unavailable { message: "another replica has taken this over".into(), retry_after_seconds: 1 });
            }
            failpoint::held(Held::Fence);
            work(tx).await
        });
        Ok(fenced.await?.value)
    }

    /// As [`Self::under`], for a write of reconciling, which has a name; `work` is given the lease's member.
    pub(crate) async fn fenced<T, F>(&self, lease: &Lease, step: Step, work: impl Fn(Tx, MemberId) -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let LeaseName::Member(member) = lease.name else {
            return Err(Error::internal(format_args!("the lease '{}' is not a member's", lease.name)));
        };
        failpoint::at(step, self.under(lease, |tx| work(tx, member))).await
    }
}
