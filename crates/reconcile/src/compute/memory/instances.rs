//! What is remembered of a cluster's instances: what was done a moment ago, what was refused, since when there is trouble.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use members::{MemberError, PodView};
use store::{ClusterIntent, InstanceIntent};
use tokio::time::Instant;
use types::InstanceId;

use super::{
    retry::Retry,
    sightings::{Ages, Sightings},
};
use crate::{backoff::backoff, compute::plan::Action};

/// How long an action is trusted to show in the watch before it is repeated.
const HOLD: Duration = Duration::from_secs(3);
/// A container that ran so long is no longer held against its earlier ends.
const FORGIVE: Duration = Duration::from_secs(600);
/// Wait before a Pod that ended is made again, after the first time and at most.
const RECREATE_FIRST: Duration = Duration::from_secs(1);
const RECREATE_MOST: Duration = Duration::from_secs(300);
/// Wait before a write that was refused is tried again, after the first time and at most.
const REFUSED: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// The same for a VM that was not in the state for it yet.
const EARLY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// Of all instances of one cluster.
#[derive(Debug, Default)]
pub(in crate::compute) struct InstanceMemories {
    each: HashMap<InstanceId, InstanceMemory>,
    /// What so many were refused at once that all wait: ten thousand with a wait of their own would be a storm.
    many: Option<Retry>,
}

impl InstanceMemories {
    /// Of one instance. When its owner wants something new, what was before no longer counts; what is seen does.
    pub(in crate::compute) fn of(&mut self, instance: &InstanceIntent) -> &mut InstanceMemory {
        let memory = self.each.entry(instance.id).or_default();
        if memory.generation != instance.generation {
            let sightings = std::mem::take(&mut memory.sightings);
            *memory = InstanceMemory { generation: instance.generation, sightings, ..InstanceMemory::default() };
        }
        memory
    }

    /// As many were refused in one pass as it takes. Answers how long all others wait with the same.
    pub(in crate::compute) fn note_many_refused(&mut self, action: Action, now: Instant) -> Duration {
        Retry::again(&mut self.many, action, now, REFUSED, None)
    }

    /// Not so many were refused.
    pub(in crate::compute) fn note_few_refused(&mut self) {
        self.many = None;
    }

    /// How long an instance has to wait, for itself or with all.
    pub(in crate::compute) fn retry_in(&mut self, instance: &InstanceIntent, action: Action, now: Instant) -> Option<Duration> {
        let all = self.many.as_ref().and_then(|retry| retry.wait(action, now));
        all.max(self.of(instance).retry_in(action, now))
    }

    /// The first refusal that may pass, by ordinal.
    pub(in crate::compute) fn refusal(&self, cluster: &ClusterIntent) -> Option<&Refusal> {
        let refusals = cluster.instances.iter().filter_map(|instance| self.each.get(&instance.id)?.refusal.as_ref());
        refusals.into_iter().find(|refusal| refusal.permanent.is_none())
    }

    /// Forgets instances that the cluster has no more.
    pub(in crate::compute) fn forget_gone(&mut self, cluster: &ClusterIntent) {
        if self.each.len() > cluster.instances.len() {
            let there: HashSet<_> = cluster.instances.iter().map(|instance| instance.id).collect();
            self.each.retain(|id, _| there.contains(id));
        }
    }
}

/// Of one instance.
#[derive(Debug, Default)]
pub(in crate::compute) struct InstanceMemory {
    /// The intent that all this is about.
    generation: i64,
    last: Option<(Action, Instant)>,
    overdue_since: Option<Instant>,
    recreations: u32,
    recreate_at: Option<Instant>,
    retry: Option<Retry>,
    /// Whether its name was found taken although no Pod of it is known.
    name_taken: bool,
    refusal: Option<Refusal>,
    sightings: Sightings,
}

/// Why a write for an instance was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::compute) struct Refusal {
    /// A word.
    pub(in crate::compute) reason: String,
    /// A sentence.
    pub(in crate::compute) message: String,
    /// Set when trying again is of no use: the cluster's generation for which that holds.
    pub(in crate::compute) permanent: Option<i64>,
}

impl InstanceMemory {
    /// Whether to do it now; else how long to wait.
    pub(in crate::compute) fn admit(&mut self, action: Action, now: Instant) -> Result<(), Duration> {
        match self.last {
            Some((last, at)) if last == action && now - at < HOLD => return Err(HOLD - (now - at)),
            _ => self.last = None,
        }
        match self.recreate_at {
            Some(at) if action == Action::Create && at > now => Err(at - now),
            _ => Ok(()),
        }
    }

    /// There is nothing to do for it: what was refused is past.
    pub(in crate::compute) fn note_nothing_to_do(&mut self) {
        self.refusal = None;
        self.retry = None;
        self.name_taken = false;
    }

    /// It was done. A Pod that ended by itself is being removed then: the next one comes later each time.
    pub(in crate::compute) fn note_done(&mut self, action: Action, now: Instant) {
        self.last = Some((action, now));
        self.refusal = None;
        self.retry = None;
        if action == Action::Recreate {
            self.recreations = self.recreations.saturating_add(1);
            self.recreate_at = Some(now + backoff(self.recreations, RECREATE_FIRST, RECREATE_MOST));
        }
    }

    /// It came to nothing, being too early. Answers when it may be repeated.
    pub(in crate::compute) fn note_too_early(&mut self, action: Action, now: Instant) -> Duration {
        self.refusal = None;
        Retry::again(&mut self.retry, action, now, EARLY, None)
    }

    /// It was refused for now. Answers when it is tried again: later each time, and not before the member asks for it.
    pub(in crate::compute) fn retry_later(&mut self, action: Action, asked: Option<Duration>, now: Instant) -> Duration {
        Retry::again(&mut self.retry, action, now, REFUSED, asked)
    }

    /// How long its next try is away, if the last one failed.
    pub(in crate::compute) fn retry_in(&self, action: Action, now: Instant) -> Option<Duration> {
        self.retry.as_ref()?.wait(action, now)
    }

    /// It was done, and a Pod of that name is there already. Once, that may be a watch that lags behind.
    pub(in crate::compute) fn note_name_taken(&mut self, name: &str) {
        if self.name_taken {
            let message = format!("a Pod named '{name}' is there, but it is not this instance's");
            self.refusal = Some(Refusal { reason: "NameTaken".into(), message, permanent: None });
        }
        self.name_taken = true;
    }

    /// It was refused; for good where the cluster's generation is given.
    pub(in crate::compute) fn note_refused(&mut self, reason: &str, error: &MemberError, permanent: Option<i64>) {
        self.refusal = Some(Refusal { reason: reason.to_owned(), message: error.for_tenant(), permanent });
    }

    /// What was last refused, if nothing was done since.
    pub(in crate::compute) fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }

    /// Whether trying again is of no use until the cluster's generation is another.
    pub(in crate::compute) fn is_refused_for_good(&self, cluster_generation: i64) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.permanent == Some(cluster_generation))
    }

    /// How old what is seen of its Pod is. One that has run for long is no longer held against its earlier ends.
    pub(in crate::compute) fn note_seen(&mut self, instance: &InstanceIntent, pod: Option<&PodView>, now: Instant) -> Ages {
        let ages = self.sightings.note(pod, instance.observed.status, now);
        if ages.running >= FORGIVE {
            self.recreations = 0;
            self.recreate_at = None;
        }
        ages
    }

    /// How long it has been in trouble or on its way; starts counting when it was neither.
    pub(in crate::compute) fn overdue_for(&mut self, now: Instant) -> Duration {
        now - *self.overdue_since.get_or_insert(now)
    }

    /// It has got there, or somewhere: what was is over.
    pub(in crate::compute) fn note_arrived(&mut self) {
        self.overdue_since = None;
    }
}

#[cfg(test)]
#[path = "instances_tests.rs"]
mod tests;
