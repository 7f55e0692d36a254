//! The way out of a deleted cluster: compute, quota, namespace, row, in this order, each confirmed before the next.
//!
//! Quota is given back when nothing computes any more, without waiting for whatever else holds the namespace. A delete
//! that hangs says what blocks it, in Kubernetes' own words. Finalizers are never stripped, and a namespace that is
//! not the cluster's own is never touched.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream};
use members::{Deletion, Kind, KubeVirt, MemberError, NamespaceView, REQUEST_DEADLINE};
use store::{ClusterIntent, ClusterObservation};
use tokio::time::Instant;
use types::{Step, Subject};

use super::{
    context::Pass,
    instances, label,
    memory::{DeleteMemory, Memory, NamespaceMemory, ReportMemory},
    namespace,
    observe::Observed,
    pod, report, sight,
};
use crate::{
    error::{PassError, hits_every_write},
    requeue::{Outcome, Requeue},
};

/// When to look again although watches tell of every step.
const RECHECK: Duration = Duration::from_secs(5);
/// The same while compute is gone from the cache but not from the API server.
const RECHECK_SOON: Duration = Duration::from_millis(200);

/// Conditions of a Namespace that say what blocks its deletion.
const BLOCKING: [&str; 5] = [
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
];

/// One step further out.
pub(super) async fn run(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut Memory) -> Result<Outcome, PassError> {
    let context = pass.context;
    if let Some(unseen) = sight::without_vms(pass, cluster) {
        return report::unseen(pass, cluster, &mut memory.report, &unseen).await;
    }
    let since = memory.delete.since(Instant::now());
    let Some(found) = find_namespace(pass, cluster).await? else {
        return remove(pass, cluster, memory, since).await;
    };
    let observed = Observed::of(&context.cache, cluster);
    let overdue = since.elapsed() >= context.options.delete_grace;
    let gone = match delete_compute(pass, cluster, &observed).await {
        Err(PassError::Member(error)) if overdue && !matches!(error, MemberError::Fenced) => {
            report_blocked(pass, cluster, &mut memory.report, Some((error.reason().to_owned(), error.for_tenant()))).await?;
            return Err(error.into());
        }
        result => result?,
    };
    if gone {
        release_quota(pass, cluster, &mut memory.delete).await?;
    }
    // Compute that hangs does not hold up the namespace for ever: its conditions then say why.
    if (gone || overdue) && found.terminating.is_none() {
        let deleted = pass.writer().delete(Step::NamespaceDelete, Kind::Namespace, None, &found.name, &found.uid, None).await?;
        if deleted == Deletion::Gone {
            return Ok(again_after(RECHECK_SOON));
        }
    }
    report_blocked(pass, cluster, &mut memory.report, overdue.then(|| blocked_by(&observed, &found)).flatten()).await?;
    Ok(again_after(match (gone, observed.is_empty()) {
        (false, true) => return Ok(Outcome::Reconciled(memory.delete.note_lagging())),
        _ if overdue => RECHECK,
        _ => RECHECK.min(context.options.delete_grace.saturating_sub(since.elapsed()) + RECHECK_SOON),
    }))
}

const fn again_after(wait: Duration) -> Outcome {
    Outcome::Reconciled(Requeue::after(wait))
}

/// The cluster's namespace, if it is still there: as the cache has it, else by asking.
async fn find_namespace(pass: &Pass<'_>, cluster: &ClusterIntent) -> Result<Option<NamespaceView>, PassError> {
    let installation = &pass.context.installation;
    let ours = |found: &NamespaceView| found.name == cluster.namespace && namespace::is_ours(installation, cluster, found);
    if let Some(found) = pass.context.cache.namespaces(cluster.id).iter().find(|found| ours(found)) {
        return Ok(Some(NamespaceView::clone(found)));
    }
    Ok(pass.member().namespace(&cluster.namespace).await?.filter(ours))
}

/// Deletes VMs and Pods. Answers whether none is left, as the API server says.
async fn delete_compute(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed) -> Result<bool, PassError> {
    let namespace = cluster.namespace.as_str();
    let mut writes: Vec<BoxFuture<'_, members::Result<Deletion>>> = Vec::new();
    for vm in observed.vms.iter().filter(|vm| vm.terminating.is_none()) {
        writes.push(instances::delete_vm(pass, namespace, vm).boxed());
    }
    for pod in observed.pods.iter().filter(|pod| pod.terminating.is_none()) {
        let grace = Some(pod::GRACE_SECONDS);
        writes.push(pass.writer().delete(Step::PodDelete, Kind::Pod, Some(namespace), &pod.name, &pod.uid, grace).boxed());
    }
    delete_all(pass, writes).await?;
    if !observed.is_empty() {
        return Ok(false);
    }
    let selector = label::selector(&pass.context.installation, cluster);
    let mut kinds = vec![Kind::Pod];
    if pass.context.cache.kubevirt() == KubeVirt::Served {
        kinds.extend([Kind::VirtualMachine, Kind::VirtualMachineInstance]);
    }
    for kind in kinds {
        if !pass.member().names(kind, namespace, &selector, 1).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Deletes all that can be deleted, and answers the first error.
async fn delete_all(pass: &Pass<'_>, writes: Vec<BoxFuture<'_, members::Result<Deletion>>>) -> Result<(), PassError> {
    let mut running = stream::iter(writes).buffer_unordered(pass.context.options.writes);
    let mut first: Option<MemberError> = None;
    while let Some(result) = running.next().await {
        if let Err(error) = result {
            if hits_every_write(&error) {
                return Err(error.into());
            }
            first.get_or_insert(error);
        }
    }
    first.map_or(Ok(()), |error| Err(error.into()))
}

/// What blocks a delete that takes too long: a reason and a sentence.
fn blocked_by(observed: &Observed, found: &NamespaceView) -> Option<(String, String)> {
    let conditions: Vec<_> = found.conditions.iter().filter(|c| BLOCKING.contains(&c.kind.as_str())).collect();
    let finalizers = |kind: &str, name: &str, finalizers: &[String]| {
        let held = if finalizers.is_empty() { String::new() } else { format!(", finalizers: {}", finalizers.join(", ")) };
        (format!("{kind}Remaining"), format!("{kind} '{name}' is still there{held}"))
    };
    let vm = observed.vms.first().map(|vm| finalizers("VirtualMachine", &vm.name, &vm.finalizers));
    let vmi = || observed.vmis.first().map(|vmi| finalizers("VirtualMachineInstance", &vmi.name, &vmi.finalizers));
    let pod = || observed.pods.iter().chain(&observed.launchers).next().map(|pod| finalizers("Pod", &pod.name, &pod.finalizers));
    if let Some(first) = conditions.first() {
        let sentences: Vec<_> = conditions.iter().map(|c| format!("{}: {}", c.kind, c.message)).collect();
        return Some((first.kind.clone(), sentences.join("; ")));
    }
    let waiting = || ("NamespaceTerminating".to_owned(), format!("namespace '{}' is being deleted and does not say what it waits for", found.name));
    vm.or_else(vmi).or_else(pod).or_else(|| found.terminating.map(|_| waiting()))
}

async fn report_blocked(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    memory: &mut ReportMemory,
    blocked: Option<(String, String)>,
) -> Result<(), PassError> {
    let (reason, message) = blocked.unzip();
    report::write(pass, cluster, memory, ClusterObservation { carried_out: None, reason, message }, &[]).await
}

/// How long a create of the namespace may still be under way: one without an answer may succeed after we looked, and
/// would leave a namespace behind that no row asks for. With a recorded UID, the create is over.
fn create_in_flight(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &NamespaceMemory, since: Instant) -> Duration {
    if namespace::recorded(cluster).is_some() {
        return Duration::ZERO;
    }
    let last = memory.last_create(since, pass.context.lease_held_since);
    REQUEST_DEADLINE.saturating_sub(last.elapsed())
}

/// Gives its quota back, nothing of it computing any more.
async fn release_quota(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut DeleteMemory) -> Result<(), PassError> {
    if memory.holds_quota() {
        pass.context.store.allocation_release(&pass.context.lease, cluster.id).await?;
        memory.note_quota_released();
        pass.context.changes.fire(Subject::Cluster(cluster.id));
    }
    Ok(())
}

/// The namespace is gone, was never made, or is another's: so is, was, or is all that was in it.
async fn remove(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut Memory, since: Instant) -> Result<Outcome, PassError> {
    let context = pass.context;
    release_quota(pass, cluster, &mut memory.delete).await?;
    let left = create_in_flight(pass, cluster, &memory.namespace, since);
    if !left.is_zero() {
        return Ok(again_after(left));
    }
    context.store.cluster_remove(&context.lease, cluster.id).await?;
    context.changes.fire(Subject::Cluster(cluster.id));
    Ok(Outcome::Gone)
}
