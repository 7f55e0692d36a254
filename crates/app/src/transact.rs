//! The one way to change anything: a permit, one transaction, and then whoever reconciles it is woken.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use store::{Done, Tx};
use tokio::sync::OwnedMutexGuard;
use types::{Error, Result, UserId};

use crate::{App, action::Permit};

/// Longest wait for a turn: who waits longer is told, and may come again.
const TURN_MOST: Duration = Duration::from_secs(20);

/// Turns by owner, taken before a connection is: transactions of one owner wait for the same row, and while they waited inside
/// of the database, each would keep a connection from everybody else.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<UserId, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn of(&self, owner: UserId) -> Result<OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for, or has, what only this map knows.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(owner).or_default().clone()
        };
        tokio::time::timeout(TURN_MOST, turn.lock_owned()).await.map_err(|_| Error::Unavailable {
            message: "Others are changing what belongs to the same owner; nothing was written".into(),
            retry_after_seconds: 2,
        })
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
            Some(owner) => Some(self.turns.of(owner).await?),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn owners_wait_for_themselves_only_and_not_for_ever() {
        let turns = Turns::default();
        let first = turns.of(UserId(1)).await.expect("nobody is before it");
        assert!(turns.of(UserId(2)).await.is_ok(), "another owner's turn");
        assert!(matches!(turns.of(UserId(1)).await, Err(Error::Unavailable { .. })), "it is held for too long");
        drop(first);
        assert!(turns.of(UserId(1)).await.is_ok());
        assert_eq!(turns.0.lock().expect("nobody panicked").len(), 1, "what nobody waits for is forgotten");
    }
}
