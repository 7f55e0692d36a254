//! What is remembered of a cluster's namespace.

use tokio::time::Instant;

/// What was asked of it, and whether it lets Pods in.
#[derive(Debug, Default)]
pub(in crate::compute) struct NamespaceMemory {
    create_sent: bool,
    admits_pods: bool,
}

impl NamespaceMemory {
    /// A create is sent, or may have been.
    pub(in crate::compute) fn note_create(&mut self) {
        self.create_sent = true;
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
    use std::time::Duration;

    use super::*;

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
