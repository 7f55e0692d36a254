//! Reporting: the end of a pass, where what is judged becomes status, and what changed of it is written.

use std::time::Duration;

use store::{ClusterIntent, ClusterObservation, InstanceObservation};
use tokio::time::Instant;
use types::Subject;

use super::{
    context::Pass,
    judge::{self, Seen},
    memory::{InstanceMemory, Memory, ReportMemory},
    observe::Observed,
    sight::Unseen,
};
use crate::{
    error::PassError,
    requeue::{Outcome, Requeue},
};

/// Instances whose status is written in one transaction: a huge one could outlast the lease, again and again.
const STATUS_BATCH: usize = 500;

/// Judges all instances and writes what changed.
pub(super) async fn run(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    observed: &Observed,
    memory: &mut Memory,
    observation: ClusterObservation,
) -> Result<Requeue, PassError> {
    let now = Instant::now();
    let mut changed = Vec::new();
    let mut requeue = Requeue::ON_CHANGE;
    for instance in cluster.instances.iter().filter(|instance| !instance.deleting) {
        let remembered = memory.instances.of(instance);
        let ages = remembered.note_seen(instance, observed.pod(instance), now);
        let finding = judge::find(cluster, instance, observed, remembered.refusal(), ages);
        let overdue = overdue_for(finding.seen, remembered, now);
        let grace = pass.context.options.failure_grace;
        let settled = judge::settle(instance, &finding, overdue, grace);
        requeue = requeue.soonest(finding.requeue);
        if matches!(finding.seen, Seen::Degraded | Seen::Unchanged) && overdue < grace {
            requeue = requeue.soonest(Requeue::after(grace - overdue));
        }
        if settled != instance.observed {
            let (id, name, before) = (instance.id, instance.name.clone(), instance.observed.status);
            changed.push(InstanceObservation { id, name, before, observed: settled });
        }
    }
    memory.instances.forget_gone(cluster);
    write(pass, cluster, &mut memory.report, observation, &changed).await?;
    Ok(requeue)
}

/// How long an instance has been in trouble, or on its way down without getting there. A start does not end the trouble
/// that it comes from.
fn overdue_for(seen: Seen, memory: &mut InstanceMemory, now: Instant) -> Duration {
    match seen {
        Seen::Degraded | Seen::Unchanged => memory.overdue_for(now),
        Seen::Arrived(_) => {
            memory.note_arrived();
            Duration::ZERO
        }
        Seen::Starting | Seen::Failed => Duration::ZERO,
    }
}

/// Tells why nothing can be judged. What is recorded of the instances stands.
pub(super) async fn unseen(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut ReportMemory, unseen: &Unseen) -> Result<Outcome, PassError> {
    if let Some(observation) = unseen.observation() {
        write(pass, cluster, memory, observation, &[]).await?;
    }
    Ok(Outcome::Reconciled(unseen.requeue))
}

/// Writes an observation if it says anything new.
pub(super) async fn write(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    memory: &mut ReportMemory,
    observation: ClusterObservation,
    changed: &[InstanceObservation],
) -> Result<(), PassError> {
    let news = memory.is_news(&observation);
    if changed.is_empty() && !news {
        return Ok(());
    }
    let (store, lease) = (&pass.context.store, &pass.context.lease);
    let mut rest = changed;
    while let Some((batch, later)) = rest.split_at_checked(STATUS_BATCH).filter(|(_, later)| !later.is_empty()) {
        // What is said of the cluster comes last: it is carried out only when all of it is written.
        store.status_write(lease, cluster.owner, cluster.id, None, batch).await?;
        rest = later;
    }
    store.status_write(lease, cluster.owner, cluster.id, news.then_some(&observation), rest).await?;
    if news {
        memory.note_written(observation);
    }
    pass.context.changes.fire(Subject::Cluster(cluster.id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use types::InstanceStatus;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trouble_goes_on_through_new_starts_and_ends_with_an_arrival() {
        let mut memory = InstanceMemory::default();
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        let mut overdue = |seen, seconds| overdue_for(seen, &mut memory, at(seconds)).as_secs();
        assert_eq!(overdue(Seen::Degraded, 0), 0);
        assert_eq!(overdue(Seen::Starting, 5), 0);
        assert_eq!(overdue(Seen::Degraded, 9), 9);
        assert_eq!(overdue(Seen::Arrived(InstanceStatus::Running), 10), 0);
        assert_eq!(overdue(Seen::Unchanged, 11), 0, "a way down begins");
        assert_eq!(overdue(Seen::Degraded, 20), 9, "what happens on it is part of it");
        assert_eq!(overdue(Seen::Unchanged, 191), 180);
    }
}
