//! What a pass remembers of a cluster until the next one, in this process only.
//!
//! All of it is about time and thrift: since when something is in trouble, what was done a moment ago and need not be
//! repeated before the watch shows it. Losing it (a restart, another replica) changes no result, only when.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use members::MemberError;
use store::ClusterObservation;
use tokio::time::Instant;
use types::{ClusterId, InstanceId};

use super::{guardrails::Bounds, plan::Action};
use crate::backoff::backoff;

/// How long an action is trusted to show in the watch before it is repeated.
const HOLD: Duration = Duration::from_secs(3);
/// Wait before a Pod that ended is made again, after the first time and at most.
const REMAKE_FIRST: Duration = Duration::from_secs(1);
const REMAKE_MOST: Duration = Duration::from_secs(300);

/// What is remembered of each cluster. A pass takes it out and puts it back.
#[derive(Default)]
pub(crate) struct Memories(Mutex<HashMap<ClusterId, Memory>>);

impl Memories {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut HashMap<ClusterId, Memory>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the guardrails of all clusters applied anew at their next pass.
    pub(crate) fn distrust_guardrails(&self) {
        self.with(|memories| {
            for memory in memories.values_mut() {
                memory.guardrails = None;
                memory.pruned = false;
            }
        });
    }
}

/// Of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What the guardrails were last applied for. Dropped at each resync, so that drift is repaired.
    pub(crate) guardrails: Option<Bounds>,
    /// How often in a row the namespace was not ready for Pods or VMs.
    pub(crate) not_ready: u32,
    /// How often the quota object was asked to count anew.
    pub(crate) recounts: u32,
    /// Whether guardrails that are no longer wanted were looked for.
    pub(crate) pruned: bool,
    /// Whether the namespace has admitted a Pod: a new one refuses them for a moment.
    pub(crate) open: bool,
    /// What was last written of the cluster.
    pub(crate) written: Option<ClusterObservation>,
    /// Whether a create of its namespace may have been sent by this tenure.
    pub(crate) namespace_sent: bool,
    /// Since when it is being deleted.
    pub(crate) deleting_since: Option<Instant>,
    /// Whether its quota was given back.
    pub(crate) released: bool,
    /// Whether its row is gone, so that nothing need be remembered.
    pub(crate) removed: bool,
    /// Of its instances.
    pub(crate) instances: HashMap<InstanceId, InstanceMemory>,
}

/// A new namespace is ready within a few tries. A quota object that was made before its controller knew the kind that it
/// counts (KubeVirt was installed a moment ago) is not looked at again for minutes, unless it changes; and the controller
/// asks for new kinds twice a minute only, so that one change may come too early.
const NOT_READY_TRIES: u32 = 6;

impl Memory {
    /// Has the quota object count anew where it must be wrong: by the rows there is room.
    pub(crate) fn note_refusal(&mut self, error: &MemberError) {
        let exceeded = error.reason() == "QuotaExceeded";
        self.not_ready += u32::from(error.namespace_not_ready());
        let stuck = error.namespace_not_ready() && self.not_ready >= NOT_READY_TRIES;
        self.recounts += u32::from(exceeded || stuck);
    }
}

/// Of one instance.
#[derive(Debug, Default)]
pub(crate) struct InstanceMemory {
    /// The intent that all this is about.
    generation: i64,
    acted: Option<(Action, Instant)>,
    trouble_since: Option<Instant>,
    remakes: u32,
    remake_at: Option<Instant>,
    /// Whether its name was found taken although no Pod of it is known.
    pub(crate) name_taken: bool,
    pub(crate) refusal: Option<Refusal>,
}

/// Why a write for an instance was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A word.
    pub(crate) reason: String,
    /// A sentence.
    pub(crate) message: String,
    /// Set when trying again is of no use: the cluster's generation for which that holds.
    pub(crate) permanent: Option<i64>,
}

impl InstanceMemory {
    /// Its owner wants something new: what was before no longer counts.
    pub(crate) fn renew(&mut self, generation: i64) {
        if self.generation != generation {
            *self = Self { generation, ..Self::default() };
        }
    }

    /// Whether to do it now; else how long to wait.
    pub(crate) fn admits(&mut self, action: Action, now: Instant) -> Result<(), Duration> {
        match self.acted {
            Some((acted, at)) if acted == action && now - at < HOLD => return Err(HOLD - (now - at)),
            _ => self.acted = None,
        }
        match self.remake_at {
            Some(at) if action == Action::Create && at > now => Err(at - now),
            _ => Ok(()),
        }
    }

    /// Remembers that it was done.
    pub(crate) fn acted(&mut self, action: Action, now: Instant) {
        self.acted = Some((action, now));
    }

    /// It came to nothing: it may be repeated at once.
    pub(crate) fn forget_action(&mut self) {
        self.acted = None;
    }

    /// A Pod that ended by itself is being removed: the next one comes later each time.
    pub(crate) fn ended(&mut self, now: Instant) {
        self.remakes = self.remakes.saturating_add(1);
        self.remake_at = Some(now + backoff(self.remakes, REMAKE_FIRST, REMAKE_MOST));
    }

    /// It has been running well for long.
    pub(crate) fn forgive(&mut self) {
        self.remakes = 0;
        self.remake_at = None;
    }

    /// How long it has been in trouble; starts counting when it was not.
    pub(crate) fn troubled(&mut self, now: Instant) -> Duration {
        now - *self.trouble_since.get_or_insert(now)
    }

    /// The trouble is over.
    pub(crate) fn well(&mut self) {
        self.trouble_since = None;
    }
}

#[cfg(test)]
mod tests {
    use members::ApiFailure;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_action_is_not_repeated_before_the_watch_could_show_it() {
        let mut memory = InstanceMemory::default();
        let now = Instant::now();
        assert_eq!(memory.admits(Action::Create, now), Ok(()));
        memory.acted(Action::Create, now);
        assert_eq!(memory.admits(Action::Create, now), Err(HOLD));
        assert_eq!(memory.admits(Action::Create, now + HOLD), Ok(()));
        memory.acted(Action::Create, now);
        assert_eq!(memory.admits(Action::Nothing, now), Ok(()), "the Pod has shown");
        assert_eq!(memory.admits(Action::Create, now), Ok(()), "and vanished: made again at once");
    }

    #[test]
    fn a_quota_without_status_is_changed_until_it_counts() {
        let message = "pods \"a\" is forbidden: status unknown for quota: kubekcloud, resources: pods".to_owned();
        let young = MemberError::Api(Box::new(ApiFailure { code: 403, reason: "Forbidden".to_owned(), message, retry_after: None }));
        let mut memory = Memory::default();
        let recounts: Vec<u32> = (0..NOT_READY_TRIES + 2)
            .map(|_| {
                memory.note_refusal(&young);
                memory.recounts
            })
            .collect();
        assert_eq!(recounts.last(), Some(&3), "each refusal after the first few: {recounts:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pods_that_end_by_themselves_come_back_later_each_time() {
        let mut memory = InstanceMemory::default();
        let now = Instant::now();
        let waits: Vec<_> = (0..4)
            .map(|_| {
                memory.ended(now);
                memory.admits(Action::Create, now).unwrap_err()
            })
            .collect();
        assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
        assert_eq!(memory.admits(Action::Delete, now), Ok(()));
        memory.forgive();
        assert_eq!(memory.admits(Action::Create, now), Ok(()));
    }
}
