//! Scaling down: what is left of instances that were scaled away, and then their rows.
//!
//! A row, and with it its quota, is given up only when its Pod or VM is confirmed gone, by the cache and by asking.
//! The reverse as well: a Pod or VM that was made for an instance without a row computes on nobody's quota, and goes.

use std::{collections::HashSet, time::Duration};

use futures::{FutureExt as _, StreamExt as _, stream};
use members::{Deletion, Kind, MemberError};
use store::{ClusterIntent, InstanceIntent};
use tokio::time::Instant;
use types::{InstanceId, InstanceType, Step, Subject};

use super::{
    context::Pass,
    label,
    memory::{Confirmed, PruneMemory},
    observe::Observed,
    pod, secret, volume,
};
use crate::{
    error::{PassError, hits_every_write},
    requeue::Requeue,
};

/// Rows looked at in one pass, and strays deleted: each takes up to six requests.
const BATCH: usize = 50;
/// When a stray is deleted again that could not be.
const STRAY_RECHECK: Duration = Duration::from_secs(10);

/// Gives up what was scaled away and is gone.
pub(super) async fn run(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, memory: &mut PruneMemory) -> Result<Requeue, PassError> {
    memory.forget_gone(cluster);
    let strays = delete_strays(pass, cluster, observed).await?;
    let now = Instant::now();
    let leaving = cluster.instances.iter().filter(|instance| instance.deleting && observed.is_gone(instance));
    let mut due = leaving.filter(|instance| memory.is_due(instance.id, now));
    let batch: Vec<_> = due.by_ref().take(BATCH).collect();
    let are_more = due.next().is_some();
    let checks: Vec<_> = batch.iter().map(|instance| check(pass, cluster, instance, memory.confirmed(instance.id)).boxed()).collect();
    let mut running = stream::iter(checks).buffer_unordered(pass.context.options.writes);
    let mut gone = Vec::new();
    let mut given_up: Option<MemberError> = None;
    while let Some((id, confirmed, result)) = running.next().await {
        match result {
            Ok(true) => gone.push(id),
            Ok(false) => memory.note_remaining(id, confirmed, now),
            Err(error) => {
                tracing::info!(cluster = %cluster.id, instance = %id, %error, "cannot remove what is left of an instance; it is tried again");
                memory.note_remaining(id, confirmed, now);
                if hits_every_write(&error) {
                    given_up = Some(error);
                    break;
                }
            }
        }
    }
    drop(running);
    if !gone.is_empty() {
        pass.context.store.instance_release(&pass.context.lease, cluster.id, &gone).await?;
        pass.context.changes.fire(Subject::Cluster(cluster.id));
    }
    if let Some(error) = given_up {
        return Err(error.into());
    }
    // Also after a release: the quota object is to shrink.
    let leaving = if are_more || !gone.is_empty() { Requeue::AT_ONCE } else { memory.requeue(now) };
    Ok(leaving.soonest(strays))
}

/// Deletes Pods and VMs whose label names an instance that is no row of the cluster. None can be newer than the rows:
/// those were read before the cache, and a cluster has one pass at a time.
async fn delete_strays(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed) -> Result<Requeue, PassError> {
    let rows: HashSet<InstanceId> = cluster.instances.iter().map(|instance| instance.id).collect();
    let is_stray = |id: Option<InstanceId>, terminating: Option<i64>| terminating.is_none() && id.is_some_and(|id| !rows.contains(&id));
    let pods = observed.pods.iter().filter(|pod| is_stray(pod.instance, pod.terminating));
    let pods = pods.map(|pod| (Step::PodDelete, Kind::Pod, &pod.name, &pod.uid, Some(pod::GRACE_SECONDS)));
    let vms = observed.vms.iter().filter(|vm| is_stray(vm.instance, vm.terminating));
    let vms = vms.map(|vm| (Step::VmDelete, Kind::VirtualMachine, &vm.name, &vm.uid, None));
    let deletes: Vec<_> = pods
        .chain(vms)
        .take(BATCH)
        .map(|(step, kind, name, uid, grace)| {
            tracing::warn!(cluster = %cluster.id, kind = kind.as_str(), name, "it belongs to no instance; deleting it");
            pass.writer().delete(step, kind, Some(&cluster.namespace), name, uid, grace).boxed()
        })
        .collect();
    let mut running = stream::iter(deletes).buffer_unordered(pass.context.options.writes);
    let mut requeue = Requeue::ON_CHANGE;
    while let Some(result) = running.next().await {
        match result {
            Err(error) if hits_every_write(&error) => return Err(error.into()),
            // What the cluster is to have does not wait for that.
            Err(error) => {
                tracing::info!(cluster = %cluster.id, %error, "cannot delete it");
                requeue = Requeue::after(STRAY_RECHECK);
            }
            Ok(_) => {}
        }
    }
    Ok(requeue)
}

/// Looks at what is left of an instance whose compute the cache shows no more. Answers what is confirmed now, and
/// whether nothing is left.
async fn check(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    instance: &InstanceIntent,
    mut confirmed: Confirmed,
) -> (InstanceId, Confirmed, members::Result<bool>) {
    let result = delete_leftovers(pass, cluster, instance, &mut confirmed).await;
    (instance.id, confirmed, result)
}

/// Removes an instance's volume and Secrets, its compute being gone. Whatever is confirmed is not asked for again.
async fn delete_leftovers(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent, confirmed: &mut Confirmed) -> members::Result<bool> {
    let namespace = cluster.namespace.as_str();
    if !confirmed.compute_gone && !is_compute_gone(pass, cluster, instance).await? {
        return Ok(false);
    }
    confirmed.compute_gone = true;
    if !confirmed.secrets_deleted && (cluster.ssh_public_key.is_some() || cluster.cloud_init.is_some()) {
        for name in secret::names(instance) {
            pass.writer().delete_named(Step::VolumeDelete, Kind::Secret, namespace, &name).await?;
        }
    }
    confirmed.secrets_deleted = true;
    if cluster.disk.is_none() {
        return Ok(true);
    }
    let name = volume::name(instance);
    if !confirmed.volume_deleted {
        let deleted = pass.writer().delete_named(Step::VolumeDelete, Kind::PersistentVolumeClaim, namespace, &name).await?;
        confirmed.volume_deleted = true;
        if deleted == Deletion::Gone {
            return Ok(true);
        }
    }
    Ok(pass.member().uid(Kind::PersistentVolumeClaim, namespace, &name).await?.is_none())
}

/// Whether nothing computes for an instance any more, as the API server says.
async fn is_compute_gone(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent) -> members::Result<bool> {
    let namespace = cluster.namespace.as_str();
    let kinds: &[Kind] = match cluster.instance_type {
        InstanceType::Container => &[Kind::Pod],
        InstanceType::Vm => &[Kind::VirtualMachine, Kind::VirtualMachineInstance],
    };
    for kind in kinds {
        if pass.member().uid(*kind, namespace, &instance.name).await?.is_some() {
            return Ok(false);
        }
    }
    // Launchers have names of their own.
    let selector = label::selector_of(&pass.context.installation, instance);
    Ok(pass.member().names(Kind::Pod, namespace, &selector, 1).await?.is_empty())
}
