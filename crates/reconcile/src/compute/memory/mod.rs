//! What a pass remembers of a cluster until the next one, in this process only.
//!
//! All of it is about time and thrift: since when something is in trouble, what was done a moment ago and need not be
//! repeated before the watch shows it. Losing it (a restart, another replica) changes no result, only when. Each part
//! of the pass has a part of it, whose fields nobody else sees.

mod delete;
mod drift;
mod guardrails;
mod instances;
mod namespace;
mod prune;
mod report;
mod retry;
mod sightings;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use types::ClusterId;

pub(super) use self::{
    delete::DeleteMemory,
    drift::Said,
    guardrails::GuardrailMemory,
    instances::{InstanceMemories, InstanceMemory, Refusal},
    namespace::NamespaceMemory,
    prune::{Confirmed, PruneMemory},
    report::ReportMemory,
    sightings::Ages,
};

/// What is remembered of each cluster. A pass takes it out and puts it back.
#[derive(Default)]
pub(crate) struct Memories {
    clusters: Mutex<HashMap<ClusterId, Memory>>,
    /// Those that wait until VMs are known.
    parked: Mutex<HashSet<ClusterId>>,
}

impl Memories {
    fn lock(&self) -> MutexGuard<'_, HashMap<ClusterId, Memory>> {
        self.clusters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a cluster named as soon as more is known of the member's VMs.
    pub(super) fn park(&self, id: ClusterId) {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// Those that wait for that. They wait no more.
    pub(crate) fn take_parked(&self) -> Vec<ClusterId> {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).drain().collect()
    }

    /// Takes out what is remembered of a cluster: nothing of one that is new here, or gone.
    pub(super) fn take(&self, id: ClusterId) -> Memory {
        self.lock().remove(&id).unwrap_or_default()
    }

    /// Keeps it for the next pass.
    pub(super) fn keep(&self, id: ClusterId, memory: Memory) {
        self.lock().insert(id, memory);
    }

    /// Has a cluster's guardrails looked through at its next pass as if nothing were known of them.
    pub(crate) fn distrust_guardrails(&self, id: ClusterId) {
        if let Some(memory) = self.lock().get_mut(&id) {
            memory.guardrails.distrust();
        }
    }
}

/// Of one cluster.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) namespace: NamespaceMemory,
    pub(super) guardrails: GuardrailMemory,
    pub(super) instances: InstanceMemories,
    pub(super) prune: PruneMemory,
    pub(super) report: ReportMemory,
    pub(super) delete: DeleteMemory,
}

impl Memory {
    /// What is known after a pass that panicked: nothing, so that a create of the namespace may be under way.
    pub(super) fn after_panic() -> Self {
        let mut memory = Self::default();
        memory.namespace.note_create();
        memory
    }

    /// This pass made the namespace: whatever was known of another one's doors and guardrails is void.
    pub(super) fn note_namespace_created(&mut self) {
        self.namespace.note_created();
        self.guardrails.note_namespace_created();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_guardrails_are_distrusted() {
        let memories = Memories::default();
        for id in [ClusterId(1), ClusterId(2)] {
            let mut memory = memories.take(id);
            memory.guardrails.note_pruned();
            memories.keep(id, memory);
        }
        memories.distrust_guardrails(ClusterId(1));
        assert!(memories.take(ClusterId(1)).guardrails.must_prune());
        assert!(!memories.take(ClusterId(2)).guardrails.must_prune());
    }

    #[test]
    fn who_is_parked_is_told_once() {
        let memories = Memories::default();
        memories.park(ClusterId(1));
        memories.park(ClusterId(1));
        assert_eq!((memories.take_parked(), memories.take_parked()), (vec![ClusterId(1)], Vec::new()));
    }
}
