//! What is remembered of a cluster that is being deleted.

use std::time::Duration;

use tokio::time::Instant;

use crate::{backoff::backoff, requeue::Requeue};

/// Wait before the API server is asked again for what the cache shows no more, at first and at most.
const LAG_FIRST: Duration = Duration::from_millis(200);
const LAG_MOST: Duration = Duration::from_secs(5);

/// How far the delete is.
#[derive(Debug, Default)]
pub(in crate::compute) struct DeleteMemory {
    since: Option<Instant>,
    quota_released: bool,
    /// How often in a row the API server still had what the cache shows no more.
    lagging: u32,
}

impl DeleteMemory {
    /// Since when it is being deleted; from now on where it was not.
    pub(in crate::compute) fn since(&mut self, now: Instant) -> Instant {
        *self.since.get_or_insert(now)
    }

    /// Whether its quota is still to be given back. To do it once more would change nothing, only cost.
    pub(in crate::compute) fn holds_quota(&self) -> bool {
        !self.quota_released
    }

    /// The API server still has what the cache shows no more. Answers when to look again: most often it is a moment.
    pub(in crate::compute) fn note_lagging(&mut self) -> Requeue {
        self.lagging = self.lagging.saturating_add(1);
        Requeue::after(backoff(self.lagging, LAG_FIRST, LAG_MOST))
    }

    /// Its quota was given back.
    pub(in crate::compute) fn note_quota_released(&mut self) {
        self.quota_released = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_api_server_still_has_is_asked_for_later_each_time() {
        let mut memory = DeleteMemory::default();
        let waits: Vec<_> = (0..8).map(|_| memory.note_lagging().wait().unwrap()).collect();
        assert!(waits[0] <= LAG_FIRST && waits[7] > LAG_MOST / 2 && waits[7] <= LAG_MOST, "{waits:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_delete_began_when_it_was_first_seen_and_releases_once() {
        let mut memory = DeleteMemory::default();
        let began = Instant::now();
        assert_eq!(memory.since(began), began);
        assert_eq!(memory.since(began + Duration::from_secs(9)), began);
        assert!(memory.holds_quota());
        memory.note_quota_released();
        assert!(!memory.holds_quota());
    }
}
