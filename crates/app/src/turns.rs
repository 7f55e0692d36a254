//! Turns of those who would wait for the same, taken before a connection is.
//!
//! Connections to the database are given out in the order in which they are asked for: whoever asks with a hundred requests at a time
//! would make everybody else wait behind them. So those of one user, or about one owner, wait here for each other, and nowhere else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use types::{Error, Result, UserId};

/// Longest wait for a turn: who waits longer is told, and may come again.
const TURN_MOST: Duration = Duration::from_secs(20);

/// Turns by user.
#[derive(Debug)]
pub(crate) struct Turns {
    at_once: usize,
    turns: Mutex<HashMap<UserId, Arc<Semaphore>>>,
}

impl Turns {
    /// Of each user, so many have a turn at a time.
    pub(crate) fn new(at_once: usize) -> Self {
        Self { at_once, turns: Mutex::default() }
    }

    /// Waits for a turn; it ends with what is answered.
    pub(crate) async fn of(&self, user: UserId) -> Result<OwnedSemaphorePermit> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for, or has, what only this map knows.
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            turns.entry(user).or_insert_with(|| Arc::new(Semaphore::new(self.at_once))).clone()
        };
        let waited = tokio::time::timeout(TURN_MOST, turn.acquire_owned()).await;
        // It is never closed.
        waited.ok().and_then(std::result::Result::ok).ok_or_else(|| Error::Unavailable {
            message: "Others of the same user or owner come first; nothing was done".into(),
            retry_after_seconds: 2,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn users_wait_for_themselves_only_and_not_for_ever() {
        let turns = Turns::new(2);
        let first = turns.of(UserId(1)).await.expect("nobody is before it");
        let _second = turns.of(UserId(1)).await.expect("there is room for two");
        assert!(turns.of(UserId(2)).await.is_ok(), "another user's turn");
        assert!(matches!(turns.of(UserId(1)).await, Err(Error::Unavailable { .. })), "it is held for too long");
        drop(first);
        assert!(turns.of(UserId(1)).await.is_ok());
        assert_eq!(turns.turns.lock().expect("nobody panicked").len(), 1, "what nobody waits for is forgotten");
    }
}
