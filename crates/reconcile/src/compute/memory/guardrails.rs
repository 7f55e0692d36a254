//! What is remembered of a cluster's guardrails, and how often its quota object must be made to count anew.

use members::MemberError;

use crate::compute::bounds::Bounds;

/// A new namespace is ready within a few tries. A quota object that was made before its controller knew the kind that it
/// counts (KubeVirt was installed a moment ago) is not looked at again for minutes, unless it changes; and the controller
/// asks for new kinds twice a minute only, so that one change may come too early.
const NOT_READY_TRIES: u32 = 6;

/// What was applied, and what the namespace refused since.
#[derive(Debug, Default)]
pub(in crate::compute) struct GuardrailMemory {
    /// What they were last applied for. Dropped at each resync, so that drift is repaired.
    applied: Option<Bounds>,
    /// Whether those that are no longer wanted were looked for.
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

    /// Whether they must be applied. Where others were applied before, what is left of those must be pruned, too.
    pub(in crate::compute) fn must_apply(&mut self, bounds: &Bounds) -> bool {
        if self.applied.as_ref() == Some(bounds) {
            return false;
        }
        self.pruned &= self.applied.is_none();
        true
    }

    /// They were applied.
    pub(in crate::compute) fn note_applied(&mut self, bounds: Bounds) {
        self.applied = Some(bounds);
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
        self.applied = None;
        self.pruned = true;
    }

    /// They may have drifted: all are applied and looked through again.
    pub(super) fn distrust(&mut self) {
        self.applied = None;
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
