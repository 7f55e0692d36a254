//! What is remembered of a cluster's instances: what was done a moment ago, what was refused, since when there is trouble.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use members::{MemberError, PodView};
use store::{ClusterIntent, InstanceIntent};
use tokio::time::Instant;
use types::InstanceId;

use super::sightings::{Ages, Sightings};
use crate::{backoff::backoff, compute::plan::Action};

/// How long an action is trusted to show in the watch before it is repeated.
const HOLD: Duration = Duration::from_secs(3);
/// A container that ran so long is no longer held against its earlier ends.
const FORGIVE: Duration = Duration::from_secs(600);
/// Wait before a Pod that ended is made again, after the first time and at most.
const RECREATE_FIRST: Duration = Duration::from_secs(1);
const RECREATE_MOST: Duration = Duration::from_secs(300);

/// Of all instances of one cluster.
#[derive(Debug, Default)]
pub(in crate::compute) struct InstanceMemories(HashMap<InstanceId, InstanceMemory>);

impl InstanceMemories {
    /// Of one instance. When its owner wants something new, what was before no longer counts; what is seen does.
    pub(in crate::compute) fn of(&mut self, instance: &InstanceIntent) -> &mut InstanceMemory {
        let memory = self.0.entry(instance.id).or_default();
        if memory.generation != instance.generation {
            let sightings = std::mem::take(&mut memory.sightings);
            *memory = InstanceMemory { generation: instance.generation, sightings, ..InstanceMemory::default() };
        }
        memory
    }

    /// Forgets instances that the cluster has no more.
    pub(in crate::compute) fn forget_gone(&mut self, cluster: &ClusterIntent) {
        if self.0.len() > cluster.instances.len() {
            let there: HashSet<_> = cluster.instances.iter().map(|instance| instance.id).collect();
            self.0.retain(|id, _| there.contains(id));
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
        self.name_taken = false;
    }

    /// It was done. A Pod that ended by itself is being removed then: the next one comes later each time.
    pub(in crate::compute) fn note_done(&mut self, action: Action, now: Instant) {
        self.last = Some((action, now));
        self.refusal = None;
        if action == Action::Recreate {
            self.recreations = self.recreations.saturating_add(1);
            self.recreate_at = Some(now + backoff(self.recreations, RECREATE_FIRST, RECREATE_MOST));
        }
    }

    /// It was done and came to nothing: it may be repeated at once.
    pub(in crate::compute) fn note_too_early(&mut self) {
        self.last = None;
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
        self.refusal = Some(Refusal { reason: reason.to_owned(), message: error.to_string(), permanent });
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
mod tests {
    use members::ApiFailure;
    use types::InstanceType;

    use super::*;
    use crate::compute::fixtures;

    #[tokio::test(start_paused = true)]
    async fn an_action_is_not_repeated_before_the_watch_could_show_it() {
        let mut memory = InstanceMemory::default();
        let now = Instant::now();
        assert_eq!(memory.admit(Action::Create, now), Ok(()));
        memory.note_done(Action::Create, now);
        assert_eq!(memory.admit(Action::Create, now), Err(HOLD));
        assert_eq!(memory.admit(Action::Create, now + HOLD), Ok(()));
        memory.note_done(Action::Create, now);
        assert_eq!(memory.admit(Action::Nothing, now), Ok(()), "the Pod has shown");
        assert_eq!(memory.admit(Action::Create, now), Ok(()), "and vanished: made again at once");
        memory.note_done(Action::Pause, now);
        memory.note_too_early();
        assert_eq!(memory.admit(Action::Pause, now), Ok(()), "it came to nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn pods_that_end_by_themselves_come_back_later_each_time() {
        let mut memory = InstanceMemory::default();
        let now = Instant::now();
        let waits: Vec<_> = (0..4)
            .map(|_| {
                memory.note_done(Action::Recreate, now);
                memory.admit(Action::Create, now).unwrap_err()
            })
            .collect();
        assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
        assert_eq!(memory.admit(Action::Delete, now), Ok(()));
        let instance = fixtures::wanted(types::Desired::Running);
        let runs = fixtures::running();
        memory.note_seen(&instance, Some(&runs), now);
        memory.note_seen(&instance, Some(&runs), now + FORGIVE / 2);
        assert!(memory.admit(Action::Create, now).is_err(), "not for long yet");
        memory.note_seen(&instance, Some(&runs), now + FORGIVE);
        assert_eq!(memory.admit(Action::Create, now), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_taken_twice_is_a_refusal_until_something_else_is_seen() {
        let mut memory = InstanceMemory::default();
        memory.note_name_taken("web-instance-1");
        assert_eq!(memory.refusal(), None, "once may be a watch that lags behind");
        memory.note_name_taken("web-instance-1");
        assert_eq!(memory.refusal().map(|refusal| refusal.reason.as_str()), Some("NameTaken"));
        memory.note_nothing_to_do();
        assert_eq!(memory.refusal(), None);
        memory.note_name_taken("web-instance-1");
        assert_eq!(memory.refusal(), None, "it starts counting anew");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_lasts_until_something_is_done_and_for_good_only_for_its_generation() {
        let invalid = ApiFailure { code: 422, reason: "Invalid".into(), message: "no".into(), retry_after: None };
        let invalid = MemberError::Api(Box::new(invalid));
        let mut memory = InstanceMemory::default();
        memory.note_refused("Invalid", &invalid, None);
        assert!(memory.refusal().is_some() && !memory.is_refused_for_good(1));
        memory.note_refused("Invalid", &invalid, Some(1));
        assert!(memory.is_refused_for_good(1) && !memory.is_refused_for_good(2));
        memory.note_done(Action::Create, Instant::now());
        assert_eq!(memory.refusal(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_counts_from_its_beginning_until_it_is_over() {
        let mut memory = InstanceMemory::default();
        let now = Instant::now();
        let second = Duration::from_secs(1);
        assert_eq!(memory.overdue_for(now), Duration::ZERO);
        assert_eq!(memory.overdue_for(now + second), second);
        memory.note_arrived();
        assert_eq!(memory.overdue_for(now + second), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_intent_forgets_and_so_does_an_instance_that_is_gone() {
        let mut cluster = fixtures::cluster(InstanceType::Container);
        let mut memories = InstanceMemories::default();
        let now = Instant::now();
        for instance in &cluster.instances {
            memories.of(instance).note_done(Action::Create, now);
        }
        cluster.instances[0].generation += 1;
        assert_eq!(memories.of(&cluster.instances[0]).admit(Action::Create, now), Ok(()));
        assert_eq!(memories.of(&cluster.instances[1]).admit(Action::Create, now), Err(HOLD));
        let gone = cluster.instances.pop().unwrap();
        memories.forget_gone(&cluster);
        assert_eq!(memories.of(&cluster.instances[1]).admit(Action::Create, now), Err(HOLD));
        assert_eq!(memories.of(&gone).admit(Action::Create, now), Ok(()));
    }
}
