//! Time and work of one process.
//!
//! A process runs either now, or from its container's start: then its clock is played back as fast as it works, until it
//! meets the present. So a log that began an hour ago is there at once, and always the same. Or it is run ahead
//! ([`crate::ahead`]): then its clock never waits for anything, and its work is bounded.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

use super::stop::{Run, Stop};

/// Steps that are carried out for one process that plays back.
const STEPS: u64 = 250_000;
/// What a step takes on a clock that is played back.
const STEP: Duration = Duration::from_millis(1);

/// The clock of one process.
#[derive(Debug)]
pub struct Clock {
    way: Way,
    steps: AtomicU64,
    lacks: AtomicBool,
}

#[derive(Debug)]
enum Way {
    Live,
    Played { at: Mutex<Timestamp>, until: Option<Timestamp> },
    Ahead { at: Mutex<Timestamp>, until: Timestamp, steps: u64, deadline: Duration },
}

impl Clock {
    /// The real time; a process ends when its program does.
    pub fn live() -> Self {
        Clock { way: Way::Live, steps: 0.into(), lacks: false.into() }
    }

    /// Begins at a time; ends the process at another, or goes on with the present.
    pub fn played(from: Timestamp, until: Option<Timestamp>) -> Self {
        Clock { way: Way::Played { at: Mutex::new(from), until }, steps: 0.into(), lacks: false.into() }
    }

    /// Begins at a time and waits for nothing; ends the process at its limits.
    pub(crate) fn ahead(from: Timestamp, time: Duration, steps: u64, cpu: Duration) -> Self {
        let until = SignedDuration::try_from(time).ok().and_then(|time| from.checked_add(time).ok()).unwrap_or(Timestamp::MAX);
        let deadline = worked().saturating_add(cpu);
        Clock { way: Way::Ahead { at: Mutex::new(from), until, steps, deadline }, steps: 0.into(), lacks: false.into() }
    }

    /// Whether nothing may be waited for but the process' own doing.
    pub(crate) fn is_ahead(&self) -> bool {
        matches!(self.way, Way::Ahead { .. })
    }

    /// Notes that the process met something that isn't here, and that a real image might have.
    pub(crate) fn lack(&self) {
        self.lacks.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_lacked(&self) -> bool {
        self.lacks.load(Ordering::Relaxed)
    }

    /// What time it is for the process.
    pub(crate) fn now(&self) -> Timestamp {
        match &self.way {
            Way::Live => Timestamp::now(),
            Way::Played { at, .. } | Way::Ahead { at, .. } => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// What time it is for the process, in seconds since 1970.
    pub(crate) fn seconds(&self) -> i64 {
        self.now().as_second()
    }

    pub(crate) async fn sleep(&self, time: Duration) -> Run<()> {
        match &self.way {
            Way::Live => tokio::time::sleep(time).await,
            Way::Played { at, until } => {
                let ahead = pass(at, *until, time)?.duration_since(Timestamp::now());
                if ahead.is_positive() {
                    tokio::time::sleep(ahead.unsigned_abs()).await;
                }
            }
            Way::Ahead { at, until, .. } => {
                // Whoever only sleeps works too.
                self.work(1)?;
                pass(at, Some(*until), time)?;
            }
        }
        Ok(())
    }

    /// Counts one command. Whoever never sleeps is slowed down, or ends.
    pub(crate) async fn step(&self) -> Run<()> {
        if let Way::Ahead { at, until, .. } = &self.way {
            self.work(1)?;
            return pass(at, Some(*until), STEP).map(drop);
        }
        let steps = self.steps.fetch_add(1, Ordering::Relaxed);
        if steps % 64 == 63 {
            tokio::task::yield_now().await;
        }
        match self.way {
            Way::Played { .. } if steps > STEPS => Err(Stop::Ended),
            Way::Played { .. } => self.sleep(STEP).await,
            _ if steps % 1024 == 1023 => self.sleep(Duration::from_millis(10)).await,
            _ => Ok(()),
        }
    }

    /// Counts what is done at once and costs as much as some steps: the work of a process that is run ahead ends early.
    pub(crate) fn work(&self, steps: u64) -> Run<()> {
        let Way::Ahead { steps: most, deadline, .. } = &self.way else { return Ok(()) };
        let before = self.steps.fetch_add(steps, Ordering::Relaxed);
        if before.saturating_add(steps) > *most || worked() > *deadline { Err(Stop::Ended) } else { Ok(()) }
    }
}

/// What the thread has worked so far: the end of a process must not depend on what else the machine does.
fn worked() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

fn pass(at: &Mutex<Timestamp>, until: Option<Timestamp>, time: Duration) -> Run<Timestamp> {
    let time = SignedDuration::try_from(time).map_err(|_| Stop::Ended)?;
    let mut at = at.lock().unwrap_or_else(PoisonError::into_inner);
    *at = at.checked_add(time).map_err(|_| Stop::Ended)?;
    if until.is_some_and(|until| *at > until) { Err(Stop::Ended) } else { Ok(*at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_machine_ends_nothing() {
        let clock = Clock::ahead(Timestamp::UNIX_EPOCH, Duration::MAX, u64::MAX, Duration::from_millis(20));
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(clock.work(1), Ok(()));
        let began = std::time::Instant::now();
        while clock.work(1).is_ok() {
            assert!(began.elapsed() < Duration::from_secs(20));
        }
    }
}
