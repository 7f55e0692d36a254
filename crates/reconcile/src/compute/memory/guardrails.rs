//! What is remembered of a cluster's guardrails, and how often its quota object must be made to count anew.

use members::MemberError;
use tokio::time::Instant;

use super::drift::{Drift, Said};
use crate::requeue::Requeue;

/// A new namespace is ready within a few tries. A quota object that was made before its controller knew the kind that it
/// counts (KubeVirt was installed a moment ago) is not looked at again for minutes, unless it changes; and the controller
/// asks for new kinds twice a minute only, so that one change may come too early.
const NOT_READY_TRIES: u32 = 6;

/// What was applied, and what the namespace refused since.
#[derive(Debug, Default)]
pub(in crate::compute) struct GuardrailMemory {
    drift: Drift,
    /// Whether what is recorded of them is not believed where no watch shows them.
    distrusted: bool,
    /// Whether those that are no longer wanted were looked for, where no watch shows them.
    pruned: bool,
    /// How often in a row the namespace was not ready for Pods or VMs.
    not_ready: u32,
    recounts: u32,
}

impl GuardrailMemory {
    /// How often the quota object was asked to count anew.
    pub(in crate::compute) fn recounts(&self) -> u32 {
        self.recounts
    }

    /// Takes over what another process recorded of them, where it holds.
    pub(in crate::compute) fn adopt(&mut self, recorded: Option<&str>, wanted: &[Said<'_>], seen: Option<&[Said<'_>]>) {
        if seen.is_some() || !self.distrusted {
            self.drift.adopt(recorded, wanted, seen);
        }
    }

    /// Which of those that are wanted must be applied, by their place, and when to look at the others again.
    pub(in crate::compute) fn overdue(&self, wanted: &[Said<'_>], seen: Option<&[Said<'_>]>, now: Instant) -> (Vec<usize>, Requeue) {
        let mut overdue = Vec::new();
        let mut requeue = Requeue::ON_CHANGE;
        for (place, said) in wanted.iter().enumerate() {
            match self.drift.look_again(*said, seen, now) {
                Some(again) => requeue = requeue.soonest(again),
                None => overdue.push(place),
            }
        }
        (overdue, requeue)
    }

    /// One was applied; `content` is what the API server made of it.
    pub(in crate::compute) fn note_applied(&mut self, said: Said<'_>, content: u64, now: Instant) {
        self.distrusted = false;
        self.drift.note_applied(said, content, now);
    }

    /// What is to be recorded of them on the namespace, if it is not yet.
    pub(in crate::compute) fn unrecorded(&self, wanted: &[Said<'_>]) -> Option<String> {
        self.drift.unrecorded(wanted)
    }

    /// It was recorded.
    pub(in crate::compute) fn note_recorded(&mut self, text: String) {
        self.drift.note_recorded(text);
    }

    /// Whether those that are no longer wanted must be looked for.
    pub(in crate::compute) fn must_prune(&self) -> bool {
        !self.pruned
    }

    /// Those that are no longer wanted are gone.
    pub(in crate::compute) fn note_pruned(&mut self) {
        self.pruned = true;
    }

    /// The namespace is new: it has none yet, and nothing in it is left over.
    pub(super) fn note_namespace_created(&mut self) {
        self.drift.forget();
        self.pruned = true;
    }

    /// They may have drifted: what is recorded is compared again, and without a watch they are applied again.
    pub(super) fn distrust(&mut self) {
        self.drift.forget();
        self.distrusted = true;
        self.pruned = false;
    }

    /// The namespace refused an instance. By the rows there is room: where the quota must be wrong, it counts anew.
    pub(in crate::compute) fn note_refusal(&mut self, error: &MemberError) {
        let exceeded = error.reason() == "QuotaExceeded";
        self.not_ready += u32::from(error.namespace_not_ready());
        let stuck = error.namespace_not_ready() && self.not_ready >= NOT_READY_TRIES;
        self.recounts += u32::from(exceeded || stuck);
    }

    /// The namespace refused none.
    pub(in crate::compute) fn note_no_refusal(&mut self) {
        self.not_ready = 0;
    }
}

#[cfg(test)]
#[path = "guardrails_tests.rs"]
mod tests;
