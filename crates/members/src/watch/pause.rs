//! How long to wait before the next try, more after each that failed.

use std::time::Duration;

use rand::Rng as _;

const FIRST: Duration = Duration::from_millis(800);
const MOST: Duration = Duration::from_secs(30);

/// Somewhere around the first pause, doubled with each failure: many watches do not come back at one moment.
pub(super) fn after(failures: u32) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(MOST);
    doubled.mul_f64(rand::rng().random_range(0.75..1.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        for (failures, least, most) in [(0, 0.6, 1.0), (1, 0.6, 1.0), (2, 1.2, 2.0), (5, 9.6, 16.0), (7, 22.5, 37.5), (u32::MAX, 22.5, 37.5)] {
            let seconds = after(failures).as_secs_f64();
            assert!((least..=most).contains(&seconds), "{failures}: {seconds}");
        }
    }
}
