//! Rows as they are shown.

use store::{ClusterRow, InstanceObserved, InstanceRow, Usage, UserRow};
use types::{Desired, InstanceStatus, InstanceType, Transition};
use wire::{
    cluster::Cluster,
    instance::{Instance, SuspendSemantics},
    user::User,
};

/// The reason of a VM whose paused memory is gone.
const MEMORY_LOST: &str = "MemoryLost";

pub(crate) fn user(row: UserRow, used: Usage) -> User {
    let UserRow { id, username, role, disabled, quota, quota_virtual_clusters, created_at } = row;
    User {
        id,
        username,
        role: role.into(),
        disabled,
        quota_cpu: quota.cpu,
        quota_memory: quota.memory,
        quota_storage: quota.storage,
        used_cpu: used.cpu,
        used_memory: used.memory,
        used_storage: used.storage,
        quota_clusters: quota.clusters,
        quota_instances: quota.instances,
        quota_virtual_clusters,
        used_clusters: used.clusters,
        used_instances: used.instances,
        created_at,
    }
}

pub(crate) fn cluster(row: ClusterRow) -> Cluster {
    let ClusterRow {
        id,
        owner,
        member: _,
        member_name,
        stale_since,
        name,
        namespace,
        instance_type,
        cpu,
        memory,
        disk,
        image,
        instance_count,
        status,
        reason,
        message,
        created_at,
        updated_at,
    } = row;
    Cluster {
        id,
        name,
        namespace,
        instance_type: instance_type.into(),
        cpu_per_instance: cpu,
        memory_per_instance: memory,
        instance_count,
        status: status.into(),
        owner_id: owner,
        member: member_name,
        image,
        disk_gb: disk,
        reason,
        message,
        stale: stale_since.is_some(),
        stale_since,
        created_at,
        updated_at,
    }
}

pub(crate) fn instance(row: InstanceRow) -> Instance {
    let transition = transition(&row);
    let mut suspend = suspend(row.instance_type, row.has_disk);
    // What was promised is not said of an instance that it was not kept for.
    suspend.memory_preserved &= row.intent.observed.reason.as_deref() != Some(MEMORY_LOST);
    let InstanceRow {
        cluster,
        owner: _,
        member: _,
        stale_since,
        namespace,
        instance_type,
        has_disk: _,
        cluster_deleting: _,
        intent,
        since,
        created_at,
        updated_at,
    } = row;
    let InstanceObserved { status, generation: _, reason, message, ip, node, incarnation: _ } = intent.observed;
    Instance {
        id: intent.id,
        k8s_resource_name: intent.name.clone(),
        instance_name: intent.name,
        status: status.into(),
        desired: intent.desired.into(),
        transition: transition.map(Into::into),
        cluster_id: cluster,
        namespace,
        instance_type: instance_type.into(),
        suspend,
        ip,
        node,
        reason,
        message,
        stale: stale_since.is_some(),
        stale_since,
        since,
        created_at,
        updated_at,
    }
}

pub(crate) fn suspend(instance_type: InstanceType, has_disk: bool) -> SuspendSemantics {
    let semantics = instance_type.suspend_semantics();
    SuspendSemantics {
        semantics: semantics.name.into(),
        memory_preserved: semantics.memory_preserved,
        disk_preserved: instance_type == InstanceType::Vm || has_disk,
        survives_node_loss: semantics.survives_node_loss,
    }
}

/// Where an instance is going, derived from what it is and what it should be.
pub(crate) fn transition(row: &InstanceRow) -> Option<Transition> {
    if row.cluster_deleting || row.intent.deleting {
        return Some(Transition::Deleting);
    }
    if row.settled() {
        return None;
    }
    Some(match (row.intent.desired, row.intent.observed.status) {
        (Desired::Stopped, _) => Transition::Stopping,
        (Desired::Suspended, _) => Transition::Suspending,
        (Desired::Running, InstanceStatus::Suspended) => Transition::Resuming,
        (Desired::Running, _) => Transition::Starting,
    })
}
