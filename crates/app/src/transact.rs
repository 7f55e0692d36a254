//! The one way to change anything: a permit, one transaction, and then whoever reconciles it is woken.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use store::{Done, Tx};
use tokio::sync::OwnedMutexGuard;
use types::{Result, UserId};

use crate::{App, action::Permit};

/// Turns by owner, taken before a connection is: transactions of one owner wait for the same row, and while they waited inside
/// of the database, each would keep a connection from everybody else.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<UserId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn of(&self, owner: UserId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for, or has, what only this map knows.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(owner).or_default().clone()
        };
        turn.lock_owned().await
    }
}

impl App {
    /// Runs `work` in one transaction, which may be run again, and wakes reconciling for what it has touched. `owner`: whose rows it locks.
    pub(crate) async fn transact<T, F>(&self, _permit: &Permit, owner: Option<UserId>, work: impl Fn(Tx) -> F + Send + Sync) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let turn = match owner {
            Some(owner) => Some(self.turns.of(owner).await),
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
