//! How long to wait after the n-th failure.

use std::time::Duration;

use rand::Rng as _;

/// `first * 2^(failures - 1)`, at most `most`, and up to a quarter off, so that what failed together does not
/// come back together.
pub(crate) fn backoff(failures: u32, first: Duration, most: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = first.saturating_mul(1 << doublings).min(most);
    full.mul_f64(rand::rng().random_range(0.75..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_its_most_and_never_overflows() {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(30));
        for (failures, full) in [(0, 100), (1, 100), (2, 200), (5, 1_600), (40, 30_000), (u32::MAX, 30_000)] {
            let wait = backoff(failures, first, most);
            let full = Duration::from_millis(full);
            assert!(wait <= full && wait >= full.mul_f64(0.74), "{failures}: {wait:?}");
        }
    }
}
