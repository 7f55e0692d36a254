//! What is remembered of a cluster that is being deleted.

use tokio::time::Instant;

/// How far the delete is.
#[derive(Debug, Default)]
pub(in crate::compute) struct DeleteMemory {
    since: Option<Instant>,
    quota_released: bool,
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

    /// Its quota was given back.
    pub(in crate::compute) fn note_quota_released(&mut self) {
        self.quota_released = true;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

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
