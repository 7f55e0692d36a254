//! The end of a pass: what is seen becomes status, and what changed of it is written.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use members::KubeVirt;
use store::{ClusterIntent, ClusterObservation, InstanceIntent, InstanceObservation};
use tokio::time::Instant;
use types::InstanceType;

use super::{
    context::Pass,
    memory::{Memory, Refusal},
    observe::Observed,
    status::{self, Finding, State},
};
use crate::error::PassError;

/// Instances whose status is written in one transaction: a huge one could outlast the lease, again and again.
const STATUS_BATCH: usize = 500;
/// A container that ran so long is no longer held against its earlier ends, in seconds.
const FORGIVE_SECONDS: i64 = 600;

impl Pass<'_> {
    /// Writes what changed. Answers when to look again.
    pub(super) async fn write_status(
        &self,
        cluster: &ClusterIntent,
        observed: &Observed,
        memory: &mut Memory,
        observation: ClusterObservation,
    ) -> Result<Option<Duration>, PassError> {
        let grace = self.context.options.failure_grace;
        let (now, unix) = (Instant::now(), unix_seconds());
        let mut changed = Vec::new();
        let mut again: Option<Duration> = None;
        for instance in cluster.instances.iter().filter(|instance| !instance.deleting) {
            let remembered = memory.instances.entry(instance.id).or_default();
            remembered.renew(instance.generation);
            let finding = self.find(cluster, instance, observed, remembered.refusal.as_ref(), unix);
            let troubled = match finding.state {
                State::Trouble => remembered.troubled(now),
                State::Is(_) | State::Leaving => {
                    remembered.well();
                    Duration::ZERO
                }
                State::Coming | State::Broken => Duration::ZERO,
            };
            if observed.pod(instance).and_then(|pod| pod.running_since).is_some_and(|since| unix - since > FORGIVE_SECONDS) {
                remembered.forgive();
            }
            let settled = status::settle(instance, &finding, troubled, grace);
            let grace_ends = (finding.state == State::Trouble && troubled < grace).then(|| grace - troubled);
            again = [again, finding.again, grace_ends].into_iter().flatten().min();
            if settled != instance.observed {
                changed.push(InstanceObservation { id: instance.id, observed: settled });
            }
        }
        if memory.instances.len() > cluster.instances.len() {
            let there: HashSet<_> = cluster.instances.iter().map(|instance| instance.id).collect();
            memory.instances.retain(|id, _| there.contains(id));
        }
        self.report(cluster, memory, observation, &changed).await?;
        Ok(again)
    }

    /// Writes an observation if it says anything new.
    pub(super) async fn report(
        &self,
        cluster: &ClusterIntent,
        memory: &mut Memory,
        mut observation: ClusterObservation,
        changed: &[InstanceObservation],
    ) -> Result<(), PassError> {
        let known = memory.written.as_ref().is_some_and(|written| {
            let news = observation.carried_out.is_some() && observation.carried_out != written.carried_out;
            !news && observation.reason == written.reason && observation.message == written.message
        });
        if known && changed.is_empty() {
            return Ok(());
        }
        let (store, lease) = (&self.context.store, &self.context.lease);
        let mut rest = changed;
        while let Some((batch, later)) = rest.split_at_checked(STATUS_BATCH).filter(|(_, later)| !later.is_empty()) {
            // It is carried out only when all of it is written.
            let so_far = ClusterObservation { carried_out: None, ..observation.clone() };
            store.status_write(lease, cluster.id, &so_far, batch).await?;
            rest = later;
        }
        store.status_write(lease, cluster.id, &observation, rest).await?;
        observation.carried_out = observation.carried_out.or(memory.written.take().and_then(|written| written.carried_out));
        memory.written = Some(observation);
        self.context.changes.fire();
        Ok(())
    }

    fn find(&self, cluster: &ClusterIntent, instance: &InstanceIntent, observed: &Observed, refusal: Option<&Refusal>, unix: i64) -> Finding {
        let (finding, absent) = match cluster.instance_type {
            InstanceType::Container => {
                let pod = observed.pod(instance);
                (status::container(instance, pod, unix), pod.is_none())
            }
            InstanceType::Vm if self.context.cache.kubevirt() != KubeVirt::Served => (status::without_kubevirt(instance), false),
            InstanceType::Vm => {
                let vm = observed.vm(instance);
                (status::vm(instance, vm, observed.vmi(instance)), vm.is_none())
            }
        };
        match refusal {
            Some(refusal) if absent && finding.state == State::Coming => {
                Finding::refused(refusal.permanent.is_some(), &refusal.reason, &refusal.message)
            }
            // What is there stays what it is; only why it does not get further is told.
            Some(refusal) if matches!(finding.state, State::Coming | State::Leaving) => finding.because(&refusal.reason, &refusal.message),
            _ => finding,
        }
    }
}

fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
