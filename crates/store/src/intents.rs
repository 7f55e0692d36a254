//! What tenants want: the handle of `app`.
//!
//! Its reads are methods beside the nouns that they read ([`crate::ClusterRow`] in `cluster`, and so on); every change is
//! made in [`Intents::transact`].

use types::Result;

use crate::{Tx, pool::Pool, tx::Running};

/// Reads what tenants see, and writes what they want. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intents {
    pool: Pool,
}

impl Intents {
    pub(crate) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(crate) const fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Runs `work` in one transaction and commits what it has written, unless it fails. It may be run more than once.
    pub fn transact<'a, T, F>(&'a self, work: impl Fn(Tx) -> F + Send + Sync + 'a) -> Running<'a, T>
    where
        T: Send + 'a,
        F: Future<Output = Result<T>> + Send + 'a,
    {
        self.pool.transact(work)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.pool.ping().await
    }
}
