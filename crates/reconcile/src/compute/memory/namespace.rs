//! What is remembered of a cluster's namespace.

use std::time::Duration;

use tokio::time::Instant;

use crate::{backoff::backoff, requeue::Requeue};

/// Wait before one that cannot be used is looked at again, at first and at most.
const BLOCKED_FIRST: Duration = Duration::from_secs(2);
const BLOCKED_MOST: Duration = Duration::from_secs(60);

/// What was asked of it, and whether it lets Pods in.
#[derive(Debug, Default)]
pub(in crate::compute) struct NamespaceMemory {
    create_sent: bool,
    admits_pods: bool,
    /// How often in a row it could not be used.
    blocked: u32,
}

impl NamespaceMemory {
    /// A create is sent, or may have been.
    pub(in crate::compute) fn note_create(&mut self) {
        self.create_sent = true;
    }

    /// It cannot be used. Answers when to look again.
    pub(in crate::compute) fn note_blocked(&mut self) -> Requeue {
        self.blocked = self.blocked.saturating_add(1);
        Requeue::after(backoff(self.blocked, BLOCKED_FIRST, BLOCKED_MOST))
    }

    /// It can be used.
    pub(in crate::compute) fn note_usable(&mut self) {
        self.blocked = 0;
    }

    /// It was made a moment ago: it refuses Pods at first.
    pub(in crate::compute) fn note_created(&mut self) {
        self.admits_pods = false;
    }

    /// Whether it let the Pod in that was tried.
    pub(in crate::compute) fn note_admission(&mut self, admitted: bool) {
        self.admits_pods = admitted;
    }

    /// Whether it is known to let Pods in: else one is tried before the others.
    pub(in crate::compute) fn admits_pods(&self) -> bool {
        self.admits_pods
    }

    /// The last moment at which a create may have been sent, of a cluster that is being deleted: one of ours before the
    /// delete began, one of another replica before we had the lease.
    pub(in crate::compute) fn last_create(&self, deleting_since: Instant, lease_held_since: Instant) -> Instant {
        if self.create_sent { deleting_since } else { lease_held_since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_cannot_be_used_is_looked_at_later_each_time() {
        let mut memory = NamespaceMemory::default();
        let waits: Vec<_> = (0..8).map(|_| memory.note_blocked().wait().unwrap()).collect();
        assert!(waits[0] <= BLOCKED_FIRST && waits[1] > waits[0] && waits[7] > BLOCKED_MOST / 2, "{waits:?}");
        memory.note_usable();
        assert!(memory.note_blocked().wait().unwrap() <= BLOCKED_FIRST);
    }

    #[test]
    fn pods_are_tried_one_first_until_one_was_let_in_and_again_in_another_namespace() {
        let mut memory = NamespaceMemory::default();
        assert!(!memory.admits_pods());
        memory.note_admission(true);
        assert!(memory.admits_pods());
        memory.note_created();
        assert!(!memory.admits_pods());
    }

    #[tokio::test(start_paused = true)]
    async fn a_create_of_ours_is_younger_than_any_of_another_replica() {
        let (held, deleting) = (Instant::now(), Instant::now() + Duration::from_secs(60));
        let mut memory = NamespaceMemory::default();
        assert_eq!(memory.last_create(deleting, held), held);
        memory.note_create();
        assert_eq!(memory.last_create(deleting, held), deleting);
    }
}
