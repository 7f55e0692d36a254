//! How far instances that were scaled away are gone, so that nothing is asked or deleted twice.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use store::ClusterIntent;
use tokio::time::Instant;
use types::InstanceId;

use crate::{backoff::backoff, requeue::Requeue};

/// Wait before one that is not gone is looked at again, at first and at most.
const RECHECK_FIRST: Duration = Duration::from_secs(1);
const RECHECK_MOST: Duration = Duration::from_secs(60);

/// Of all instances of one cluster.
#[derive(Debug, Default)]
pub(in crate::compute) struct PruneMemory(HashMap<InstanceId, Leaving>);

/// What is confirmed of one. A row that is on its way out gets nothing new, so that it stays confirmed.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::compute) struct Confirmed {
    /// Nothing computes for it, as the API server says.
    pub(in crate::compute) compute_gone: bool,
    /// Its Secrets were deleted.
    pub(in crate::compute) secrets_deleted: bool,
    /// Its volume was deleted, and may be terminating still.
    pub(in crate::compute) volume_deleted: bool,
}

#[derive(Debug, Default)]
struct Leaving {
    confirmed: Confirmed,
    tries: u32,
    again_at: Option<Instant>,
}

impl PruneMemory {
    /// Whether one is to be looked at now.
    pub(in crate::compute) fn is_due(&self, id: InstanceId, now: Instant) -> bool {
        self.0.get(&id).and_then(|leaving| leaving.again_at).is_none_or(|at| at <= now)
    }

    /// What is confirmed of one so far.
    pub(in crate::compute) fn confirmed(&self, id: InstanceId) -> Confirmed {
        self.0.get(&id).map(|leaving| leaving.confirmed).unwrap_or_default()
    }

    /// It is not gone yet: it is looked at again later each time.
    pub(in crate::compute) fn note_remaining(&mut self, id: InstanceId, confirmed: Confirmed, now: Instant) {
        let leaving = self.0.entry(id).or_default();
        leaving.confirmed = confirmed;
        leaving.tries = leaving.tries.saturating_add(1);
        leaving.again_at = Some(now + backoff(leaving.tries, RECHECK_FIRST, RECHECK_MOST));
    }

    /// When the next of those is due.
    pub(in crate::compute) fn requeue(&self, now: Instant) -> Requeue {
        let next = self.0.values().filter_map(|leaving| leaving.again_at).min();
        next.map_or(Requeue::ON_CHANGE, |at| Requeue::after(at.saturating_duration_since(now)))
    }

    /// Forgets those whose rows are gone.
    pub(in crate::compute) fn forget_gone(&mut self, cluster: &ClusterIntent) {
        if !self.0.is_empty() {
            let there: HashSet<_> = cluster.instances.iter().filter(|instance| instance.deleting).map(|instance| instance.id).collect();
            self.0.retain(|id, _| there.contains(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use types::InstanceType;

    use super::*;
    use crate::compute::fixtures;

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_looked_at_later_each_time_up_to_a_minute_and_what_is_confirmed_stays_so() {
        let (id, now) = (InstanceId(41), Instant::now());
        let mut memory = PruneMemory::default();
        assert!(memory.is_due(id, now));
        let confirmed = Confirmed { compute_gone: true, ..Confirmed::default() };
        let waits: Vec<_> = (0..12)
            .map(|_| {
                memory.note_remaining(id, confirmed, now);
                memory.requeue(now).wait().unwrap()
            })
            .collect();
        assert!(waits[0] <= RECHECK_FIRST && waits[1] > waits[0] && waits[2] > waits[1], "{waits:?}");
        assert!(waits[11] <= RECHECK_MOST && waits[11] > RECHECK_MOST / 2, "{waits:?}");
        assert!(!memory.is_due(id, now) && memory.is_due(id, now + RECHECK_MOST));
        assert!(memory.is_due(InstanceId(42), now), "each waits for itself");
        assert!(memory.confirmed(id).compute_gone && !memory.confirmed(id).volume_deleted);
    }

    #[tokio::test(start_paused = true)]
    async fn rows_that_are_gone_or_wanted_are_forgotten() {
        let mut cluster = fixtures::cluster(InstanceType::Container);
        cluster.instances[0].deleting = true;
        let now = Instant::now();
        let mut memory = PruneMemory::default();
        for instance in &cluster.instances {
            memory.note_remaining(instance.id, Confirmed::default(), now);
        }
        memory.forget_gone(&cluster);
        assert!(!memory.is_due(cluster.instances[0].id, now) && memory.is_due(cluster.instances[1].id, now));
    }
}
