//! Keeping what lasts only as long as it is renewed.
//!
//! An outage of the database of half the time to live, whenever it begins, ends nothing: a failed try is repeated soon,
//! and no try waits for long.

use std::time::Duration;

use tokio::time::Instant;
use types::Error;

/// A part of the time to live that is left unused: a write that was sent at the last moment arrives before its end.
const MARGIN: u32 = 10;
/// How often it is renewed within its time to live.
const TIMES: u32 = 4;
/// How often a failed try is repeated within the time between two renewals.
const TRIES: u32 = 5;
/// No try lasts longer.
const TRY_MOST: Duration = Duration::from_secs(2);

/// Until when something that was asked for then may be used.
pub(crate) fn usable_until(asked: Instant, ttl: Duration) -> Instant {
    asked + (ttl - ttl / MARGIN)
}

/// Renews until it is lost: somebody says so (`Ok(false)`), or our own clock. `until` is when it ends unless renewed;
/// `granted` hears of each later end, and `failed` of each try that came to nothing.
pub(crate) async fn renew_until_lost<F>(
    ttl: Duration,
    mut until: Instant,
    renew: impl Fn() -> F,
    mut granted: impl FnMut(Instant),
    mut failed: impl FnMut(&Error),
) where
    F: Future<Output = Result<bool, Error>>,
{
    let every = ttl / TIMES;
    let mut next_at = Instant::now() + every;
    loop {
        tokio::time::sleep_until(next_at.min(until)).await;
        let asked = Instant::now();
        if asked >= until {
            return;
        }
        let deadline = until.min(asked + every.min(TRY_MOST));
        let timeout = || Error::Unavailable { message: "the database does not answer".into(), retry_after_seconds: 1 };
        match tokio::time::timeout_at(deadline, renew()).await.unwrap_or_else(|_| Err(timeout())) {
            Ok(true) => {
                until = usable_until(asked, ttl);
                next_at = asked + every;
                granted(until);
            }
            Ok(false) => return,
            Err(error) => {
                failed(&error);
                next_at = Instant::now() + every / TRIES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const TTL: Duration = Duration::from_secs(8);

    /// How an outage shows.
    #[derive(Debug, Clone, Copy)]
    enum Outage {
        /// Each try fails at once.
        Refuses,
        /// Tries that begin in it never end.
        Hangs,
        /// Tries that begin in it end with it.
        Delays,
    }

    /// Whether something that is renewed lasts for a minute, with one outage.
    async fn lasts(outage: Outage, from: Duration, length: Duration) -> bool {
        let began = Instant::now();
        let (from, to) = (began + from, began + from + length);
        let renew = || async {
            let now = Instant::now();
            match outage {
                _ if now < from || now >= to => {}
                Outage::Refuses => return Err(Error::Internal("out".into())),
                Outage::Hangs => pending().await,
                Outage::Delays => tokio::time::sleep_until(to).await,
            }
            Ok(true)
        };
        let renewal = renew_until_lost(TTL, usable_until(began, TTL), renew, |_| {}, |_| {});
        tokio::time::timeout(Duration::from_secs(60), renewal).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_of_half_its_life_ends_nothing_wherever_it_begins() {
        for outage in [Outage::Refuses, Outage::Hangs, Outage::Delays] {
            for tenth in 0..200 {
                let from = Duration::from_millis(100) * tenth;
                assert!(lasts(outage, from, TTL / 2).await, "{outage:?} from {from:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_by_our_own_clock_when_nobody_answers() {
        for outage in [Outage::Refuses, Outage::Hangs] {
            let began = Instant::now();
            assert!(!lasts(outage, Duration::ZERO, Duration::from_secs(50)).await);
            assert_eq!(began.elapsed(), TTL - TTL / MARGIN, "{outage:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_it_is_said_to_be_lost_and_lasts_from_before_it_was_asked_for() {
        let began = Instant::now();
        let renew = || async {
            let first = began.elapsed() < TTL / 2;
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(first)
        };
        let mut granted = Vec::new();
        renew_until_lost(TTL, usable_until(began, TTL), renew, |until| granted.push(until - began), |_| {}).await;
        let usable = TTL - TTL / MARGIN;
        assert_eq!(granted, [TTL / TIMES + usable]);
        assert_eq!(began.elapsed(), TTL / TIMES * 2 + Duration::from_secs(1));
    }
}
