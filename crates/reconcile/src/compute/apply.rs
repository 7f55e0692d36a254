//! A pass over a cluster that is to be there: its objects are written, and then its status.

use std::time::Duration;

use members::KubeVirt;
use store::{ClusterIntent, ClusterObservation};
use types::InstanceType;

use super::{
    context::Pass,
    guardrails,
    instances::{self, Progress},
    memory::Memory,
    namespace::{self, Readiness},
    observe::Observed,
    prune, report,
};
use crate::{
    error::{PassError, hits_every_write},
    requeue::{Outcome, Requeue},
};

/// When to look again while the VMs are not known yet.
const SYNC_RECHECK: Duration = Duration::from_millis(500);

/// Writes what is missing, and what is seen then.
pub(super) async fn run(pass: &Pass<'_>, mut cluster: ClusterIntent, memory: &mut Memory) -> Result<Outcome, PassError> {
    if cluster.instance_type == InstanceType::Vm && !pass.context.cache.vms_synced() {
        return Ok(Outcome::Reconciled(Requeue::after(SYNC_RECHECK)));
    }
    let (written, observation) = match write_objects(pass, &mut cluster, memory).await {
        Ok((requeue, observation)) => (Ok(requeue), observation),
        Err(error) if error.prevents_status() => return Err(error),
        Err(error) => {
            let (reason, message) = (Some(error.reason().to_owned()), Some(error.to_string()));
            (Err(error), ClusterObservation { carried_out: None, reason, message })
        }
    };
    // Also after a failure: what is seen is true, and the failure is part of it.
    let observed = Observed::of(&pass.context.cache, &cluster);
    let reported = report::run(pass, &cluster, &observed, memory, observation).await?;
    Ok(Outcome::Reconciled(written?.soonest(reported)))
}

/// Namespace, guardrails, instances, prune: each only when the one before is done.
async fn write_objects(pass: &Pass<'_>, cluster: &mut ClusterIntent, memory: &mut Memory) -> Result<(Requeue, ClusterObservation), PassError> {
    match namespace::ensure(pass, cluster, &mut memory.namespace).await? {
        Readiness::Ready => {}
        Readiness::Created => memory.note_namespace_created(),
        Readiness::Blocked { reason, message, requeue } => {
            let (reason, message) = (Some(reason.to_owned()), Some(message));
            return Ok((requeue, ClusterObservation { carried_out: None, reason, message }));
        }
    }
    guardrails::ensure(pass, cluster, &mut memory.guardrails).await?;
    let observed = Observed::of(&pass.context.cache, cluster);
    let Progress { requeue, unfinished, error, refusal } = write_instances(pass, cluster, &observed, memory).await;
    match error.as_ref().or(refusal.as_ref()) {
        Some(error) => memory.guardrails.note_refusal(error),
        None if !unfinished => memory.guardrails.note_no_refusal(),
        None => {}
    }
    if let Some(error) = error {
        // A namespace that lets none in yet must not keep the quota of those that were scaled away.
        if !hits_every_write(&error)
            && let Err(error) = prune::run(pass, cluster, &observed, &mut memory.prune).await
        {
            tracing::info!(cluster = %cluster.id, %error, "cannot prune either");
        }
        return Err(error.into());
    }
    let pruned = prune::run(pass, cluster, &observed, &mut memory.prune).await?;
    let refusal = memory.instances.refusal(cluster).filter(|_| unfinished);
    let observation = ClusterObservation {
        carried_out: (!unfinished).then_some(cluster.generation),
        reason: refusal.map(|refusal| refusal.reason.clone()),
        message: refusal.map(|refusal| refusal.message.clone()),
    };
    Ok((requeue.soonest(pruned), observation))
}

async fn write_instances(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, memory: &mut Memory) -> Progress {
    if cluster.instance_type == InstanceType::Vm && observed.kubevirt != KubeVirt::Served {
        return Progress::default();
    }
    instances::reconcile(pass, cluster, observed, &mut memory.namespace, &mut memory.instances).await
}
