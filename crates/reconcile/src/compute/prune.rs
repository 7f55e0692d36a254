//! Scaling down: what is left of instances that were scaled away, and then their rows.
//!
//! A row, and with it its quota, is given up only when its Pod or VM is confirmed gone, by the cache and by asking.
//! The reverse as well: a Pod or VM that was made for an instance without a row computes on nobody's quota, and goes.

use std::{collections::HashSet, time::Duration};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use members::{Deletion, Kind};
use store::{ClusterIntent, InstanceIntent};
use types::{InstanceId, InstanceType, Step};

use super::{context::Pass, label, observe::Observed, pod, secret, volume};
use crate::{error::PassError, requeue::Requeue};

/// When to look again while something is still on its way out that no watch shows.
const RECHECK: Duration = Duration::from_secs(1);
/// Rows given up in one transaction.
const BATCH: usize = 200;

/// Gives up what was scaled away and is gone.
pub(super) async fn run(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed) -> Result<Requeue, PassError> {
    delete_strays(pass, cluster, observed).await?;
    let leaving: Vec<_> = cluster.instances.iter().filter(|instance| instance.deleting && observed.is_gone(instance)).take(BATCH).collect();
    if leaving.is_empty() {
        return Ok(Requeue::ON_CHANGE);
    }
    let checks: Vec<_> = leaving.iter().map(|instance| delete_leftovers(pass, cluster, instance).boxed()).collect();
    let gone: Vec<Option<InstanceId>> = stream::iter(checks).buffer_unordered(pass.context.options.writes).try_collect().await?;
    let gone: Vec<InstanceId> = gone.into_iter().flatten().collect();
    if !gone.is_empty() {
        pass.context.store.instance_release(&pass.context.lease, &gone).await?;
        pass.context.changes.fire();
    }
    // Also after a release: the quota object is to shrink.
    Ok(if gone.len() == leaving.len() { Requeue::AT_ONCE } else { Requeue::after(RECHECK) })
}

/// Deletes Pods and VMs whose label names an instance that is no row of the cluster. None can be newer than the rows:
/// those were read before the cache, and a cluster has one pass at a time.
async fn delete_strays(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed) -> Result<(), PassError> {
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
    let _: Vec<Deletion> = stream::iter(deletes).buffer_unordered(pass.context.options.writes).try_collect().await?;
    Ok(())
}

/// Removes an instance's volume and Secrets, its compute being gone. Answers its id when nothing is left.
async fn delete_leftovers(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent) -> Result<Option<InstanceId>, PassError> {
    let namespace = cluster.namespace.as_str();
    let kinds: &[Kind] = match cluster.instance_type {
        InstanceType::Container => &[Kind::Pod],
        InstanceType::Vm => &[Kind::VirtualMachine, Kind::VirtualMachineInstance],
    };
    for kind in kinds {
        if pass.member().uid(*kind, namespace, &instance.name).await?.is_some() {
            return Ok(None);
        }
    }
    // Launchers have names of their own.
    let selector = label::selector_of(&pass.context.installation, instance);
    if !pass.member().names(Kind::Pod, namespace, &selector, 1).await?.is_empty() {
        return Ok(None);
    }
    if cluster.ssh_public_key.is_some() || cluster.cloud_init.is_some() {
        for name in secret::names(instance) {
            pass.writer().delete_named(Step::VolumeDelete, Kind::Secret, namespace, &name).await?;
        }
    }
    if cluster.disk.is_some() {
        let name = volume::name(instance);
        let deleted = pass.writer().delete_named(Step::VolumeDelete, Kind::PersistentVolumeClaim, namespace, &name).await?;
        if deleted != Deletion::Gone && pass.member().uid(Kind::PersistentVolumeClaim, namespace, &name).await?.is_some() {
            return Ok(None);
        }
    }
    Ok(Some(instance.id))
}
