//! Time and work of one process.
//!
//! A process runs either now, or from its container's start: then its clock is played back as fast as it works, until it
//! meets the present. So a log that began an hour ago is there at once, and always the same.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::io::{Run, Stop};

/// Steps that are carried out for one process that plays back.
const STEPS: u64 = 250_000;
/// What a step takes on a clock that is played back.
const STEP: SignedDuration = SignedDuration::from_millis(1);

/// The clock of one process.
#[derive(Debug)]
pub struct Clock {
    played: Option<Mutex<Timestamp>>,
    until: Option<Timestamp>,
    steps: std::sync::atomic::AtomicU64,
}

impl Clock {
    pub fn live() -> Self {
        Clock { played: None, until: None, steps: 0.into() }
    }

    /// Begins at a time; ends the process at another, or goes on with the present.
    pub fn played(from: Timestamp, until: Option<Timestamp>) -> Self {
        Clock { played: Some(Mutex::new(from)), until, steps: 0.into() }
    }

    pub fn now(&self) -> Timestamp {
        self.played.as_ref().map_or_else(Timestamp::now, |at| *at.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn seconds(&self) -> i64 {
        self.now().as_second()
    }

    fn pass(&self, time: SignedDuration) -> Run<Timestamp> {
        let Some(played) = &self.played else { return Ok(Timestamp::now()) };
        let mut at = played.lock().unwrap_or_else(PoisonError::into_inner);
        *at = at.checked_add(time).map_err(|_| Stop::Ended)?;
        if self.until.is_some_and(|until| *at > until) { Err(Stop::Ended) } else { Ok(*at) }
    }

    pub async fn sleep(&self, time: Duration) -> Run<()> {
        let time = SignedDuration::try_from(time).map_err(|_| Stop::Ended)?;
        if self.played.is_none() {
            tokio::time::sleep(time.unsigned_abs()).await;
            return Ok(());
        }
        let ahead = self.pass(time)?.duration_since(Timestamp::now());
        if ahead.is_positive() {
            tokio::time::sleep(ahead.unsigned_abs()).await;
        }
        Ok(())
    }

    /// Counts one command. Whoever never sleeps is slowed down, or ends.
    pub async fn step(&self) -> Run<()> {
        let steps = self.steps.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if steps % 64 == 63 {
            tokio::task::yield_now().await;
        }
        if self.played.is_none() {
            if steps % 1024 == 1023 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            return Ok(());
        }
        if steps > STEPS { Err(Stop::Ended) } else { self.sleep(STEP.unsigned_abs()).await }
    }
}
