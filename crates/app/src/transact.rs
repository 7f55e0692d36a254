//! The one way to change anything: a permit, one transaction, and then whoever reconciles it is woken.

use store::{Done, Tx};
use types::{Result, UserId};

use crate::{App, action::Permit};

impl App {
    /// Runs `work` in one transaction, which may be run again, and wakes reconciling for what it has touched. `owner`: whose rows it locks; transactions of
    /// one owner take turns, because they would wait for the same row, each with a connection.
    pub(crate) async fn transact<T, F>(&self, _permit: &Permit, owner: Option<UserId>, work: impl Fn(Tx) -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let turn = match owner {
            Some(owner) => Some(self.writes.of(owner).await?),
            None => None,
        };
        let Done { value, woken } = self.intents.transact(work).await?;
        drop(turn);
        for (member, subject) in woken {
            (self.wake)(member, subject);
        }
        Ok(value)
    }
}
