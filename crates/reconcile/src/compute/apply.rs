//! A pass over a cluster that is to be there: its objects are written, and then its status.

use std::ops::ControlFlow;

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
    sight::{self, Unseen},
};
use crate::{
    error::{PassError, hits_every_write},
    requeue::{Outcome, Requeue},
};

/// When to look again, and what there is to tell of the cluster as a whole.
type Told = (Requeue, ClusterObservation);

/// Writes what is missing, and what is seen then.
pub(super) async fn run(pass: &Pass<'_>, mut cluster: ClusterIntent, memory: &mut Memory) -> Result<Outcome, PassError> {
    let unseen = sight::without_vms(pass, &cluster);
    let (written, observation) = match write_objects(pass, &mut cluster, memory, unseen.as_ref()).await {
        Ok((requeue, observation)) => (Ok(requeue), observation),
        Err(error) if error.prevents_status() => return Err(error),
        Err(error) => {
            let (reason, message) = (Some(error.reason().to_owned()), Some(error.for_tenant()));
            (Err(error), ClusterObservation { carried_out: None, reason, message })
        }
    };
    // Also after a failure: what is seen is true, and the failure is part of it.
    let reported = if unseen.is_none() {
        let observed = Observed::of(&pass.context.cache, &cluster);
        report::run(pass, &cluster, &observed, memory, observation).await?
    } else {
        // What is recorded of the instances stands.
        if observation.reason.is_some() {
            report::write(pass, &cluster, &mut memory.report, observation, &[]).await?;
        }
        Requeue::ON_CHANGE
    };
    Ok(Outcome::Reconciled(written?.soonest(reported)))
}

/// Namespace, guardrails, instances, prune: each only when the one before is done.
async fn write_objects(pass: &Pass<'_>, cluster: &mut ClusterIntent, memory: &mut Memory, unseen: Option<&Unseen>) -> Result<Told, PassError> {
    let guarded = match write_surroundings(pass, cluster, memory).await? {
        ControlFlow::Break(told) => return Ok(told),
        ControlFlow::Continue(requeue) => requeue,
    };
    let told = match unseen {
        Some(unseen) => (unseen.requeue, unseen.observation().unwrap_or_default()),
        None => write_compute(pass, cluster, memory).await?,
    };
    if let Err(error) = guardrails::record(pass, cluster, &mut memory.guardrails).await {
        tracing::info!(cluster = %cluster.id, %error, "cannot record the guardrails; the next pass tries again");
    }
    Ok((guarded.soonest(told.0), told.1))
}

/// What instances need around them. Breaks off where the namespace cannot be used.
async fn write_surroundings(pass: &Pass<'_>, cluster: &mut ClusterIntent, memory: &mut Memory) -> Result<ControlFlow<Told, Requeue>, PassError> {
    let recorded = match namespace::ensure(pass, cluster, &mut memory.namespace).await? {
        Readiness::Ready { guardrails } => guardrails,
        Readiness::Created => {
            memory.note_namespace_created();
            None
        }
        Readiness::Blocked { reason, message } => {
            let (reason, message) = (Some(reason.to_owned()), Some(message));
            let requeue = memory.namespace.note_blocked();
            return Ok(ControlFlow::Break((requeue, ClusterObservation { carried_out: None, reason, message })));
        }
    };
    memory.namespace.note_usable();
    Ok(ControlFlow::Continue(guardrails::ensure(pass, cluster, recorded.as_deref(), &mut memory.guardrails).await?))
}

async fn write_compute(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut Memory) -> Result<Told, PassError> {
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
