//! Arbitrary bodies: each field by its type. A field that is added to a body must be added here, or this does not compile.

use proptest::{
    prelude::any,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use types::{
    Amount, Bytes, ClusterId, ClusterStatus, Desired, InstanceId, InstanceStatus, InstanceType, MilliCpu, Operation, Role, Suspension, Timestamp,
    Transition, UserId,
    quantity::{BYTES_MAX, CPU_MAX, MIB},
};
use wire::{
    audit::AuditEntry,
    cluster::{
        BulkLine, BulkOutcome, BulkResult, Cluster, ClusterAbandoned, ClusterDeleted, ClusterDetail, CreateCluster, StopCluster, UpdateCluster,
    },
    health::{Check, Health, HealthStatus},
    instance::{Capabilities, Event, Instance, Mode, OperateInstance, OperatedInstance, SuspendSemantics},
    problem::{Code, Field, Problem, Resource, Shortage},
    user::{CreateUser, CreatedUser, NewToken, Quota, RotateToken, UpdateUser, User},
    word::Word,
};

/// Where values come from.
pub(crate) struct Values(TestRunner);

impl Values {
    pub(crate) fn new() -> Self {
        Self(TestRunner::default())
    }

    fn of<T>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).expect("a value").current()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.of(0..of.len())]
    }
}

pub(crate) trait Arbitrary: Sized {
    fn arbitrary(values: &mut Values) -> Self;
}

macro_rules! values {
    ($($type:ty: $strategy:expr,)*) => {
        $(impl Arbitrary for $type {
            fn arbitrary(values: &mut Values) -> Self {
                values.of($strategy)
            }
        })*
    };
}
values!(
    bool: any::<bool>(),
    i32: any::<i32>(),
    i64: any::<i64>(),
    u16: any::<u16>(),
    usize: any::<usize>(),
    // Cores and GiB, in eighths: what a float's shortest text brings back whoever reads it.
    f64: (0_u32..1 << 30).prop_map(|n| f64::from(n) / 8.0),
    String: any::<String>(),
    MilliCpu: (0..=CPU_MAX.0).prop_map(MilliCpu),
    Bytes: (0..=BYTES_MAX.0 / MIB).prop_map(|mib| Bytes(mib * MIB)),
    Timestamp: (0..4_102_444_800_000_000_i64).prop_map(Timestamp),
    Amount: r#"[1-9][0-9]{0,8}(\.[0-9]{1,9})?|"[0-9]{1,5}(Mi|Gi|m)""#.prop_map(|text| serde_json::from_str(&text).expect("an amount")),
    ClusterId: any::<i64>().prop_map(ClusterId),
    InstanceId: any::<i64>().prop_map(InstanceId),
    UserId: any::<i64>().prop_map(UserId),
);

macro_rules! words {
    ($($type:ty: [$($word:path),*],)*) => {
        $(impl Arbitrary for $type {
            fn arbitrary(values: &mut Values) -> Self {
                values.one(&[$($word),*])
            }
        })*
    };
    ($($type:ty),* $(,)?) => {
        $(impl Arbitrary for $type {
            fn arbitrary(values: &mut Values) -> Self {
                values.one(Self::ALL)
            }
        })*
    };
}
words!(ClusterStatus, Desired, InstanceStatus, InstanceType, Operation, Role, Suspension, Transition);
words!(
    BulkOutcome: [BulkOutcome::Done, BulkOutcome::Failed, BulkOutcome::Skipped, BulkOutcome::Pending],
    Code: [Code::NotFound, Code::TooManyRequests, Code::UnsupportedMediaType],
    HealthStatus: [HealthStatus::Healthy, HealthStatus::Degraded],
    Mode: [Mode::Usual, Mode::Strict],
    Resource: [Resource::Cpu, Resource::Clusters],
);

impl<T: Arbitrary> Arbitrary for Option<T> {
    fn arbitrary(values: &mut Values) -> Self {
        values.of(any::<bool>()).then(|| T::arbitrary(values))
    }
}

impl<T: Arbitrary> Arbitrary for Vec<T> {
    fn arbitrary(values: &mut Values) -> Self {
        (0..values.of(0..3)).map(|_| T::arbitrary(values)).collect()
    }
}

/// Known, or of a newer server.
impl<T: Arbitrary> Arbitrary for Word<T> {
    fn arbitrary(values: &mut Values) -> Self {
        if values.of(any::<bool>()) { Self::Known(T::arbitrary(values)) } else { Self::Other(format!("newer {}", values.of(any::<String>()))) }
    }
}

macro_rules! bodies {
    ($($type:ident { $($field:ident),* $(,)? })*; $($also:ty),*) => {
        $(impl Arbitrary for $type {
            fn arbitrary(values: &mut Values) -> Self {
                Self { $($field: Arbitrary::arbitrary(values)),* }
            }
        })*

        /// Each with its test.
        pub(crate) const BODIES: &[(&str, fn())] = &[
            $((stringify!($type), crate::comes_back::<$type>),)*
            $((stringify!($also), crate::comes_back::<$also>),)*
            ("Word", crate::comes_back::<Word<InstanceStatus>>),
        ];
    };
}
bodies!(
    AuditEntry { id, at, actor_id, action, target, detail, request_id, address }
    BulkLine { instance_id, instance_name, outcome, status, message }
    BulkResult { suspended, resumed, started, stopped, failed, skipped, pending, suspend, results }
    Capabilities { container, vm, members, open_sign_up }
    Check { name, ok, required, message }
    Cluster {
        id, name, namespace, instance_type, cpu_per_instance, memory_per_instance, instance_count, status, owner_id, member, image, disk_gb,
        reason, message, stale, stale_since, created_at, updated_at,
    }
    ClusterAbandoned { message, namespace, member }
    ClusterDeleted { message, status }
    ClusterDetail { cluster, instances }
    CreateCluster {
        name, instance_type, cpu_per_instance, memory_per_instance, instance_count, image, ssh_public_key, cloud_init, disk_gb, member,
    }
    CreateUser { username, token, quota_cpu, quota_memory, quota_storage, quota_clusters, quota_instances, quota_virtual_clusters, role }
    CreatedUser { user, token }
    Event { r#type, reason, message, object, count, first_seen, last_seen }
    Field { field, message }
    Health { status, version }
    Instance {
        id, instance_name, status, desired, transition, cluster_id, k8s_resource_name, namespace, instance_type, suspend, ip, node, reason, message,
        stale, stale_since, since, created_at, updated_at,
    }
    NewToken { token }
    OperateInstance { operation, force }
    OperatedInstance { instance, operation, settled }
    Problem { r#type, title, status, detail, code, request_id, errors, allowed, quota }
    Quota {
        total_cpu, total_memory, used_cpu, used_memory, available_cpu, available_memory, total_storage, used_storage, available_storage,
        total_clusters, used_clusters, available_clusters, total_instances, used_instances, available_instances,
        total_virtual_clusters, used_virtual_clusters, available_virtual_clusters,
        min_cpu_per_instance, max_cpu_per_instance, min_memory_per_instance, max_memory_per_instance,
    }
    RotateToken { token }
    Shortage { resource, requested, used, limit, available }
    StopCluster { force }
    SuspendSemantics { semantics, memory_preserved, disk_preserved, survives_node_loss }
    UpdateCluster { instance_count }
    UpdateUser { quota_cpu, quota_memory, quota_storage, quota_clusters, quota_instances, quota_virtual_clusters, role, disabled }
    User {
        id, username, role, disabled, quota_cpu, quota_memory, quota_storage, used_cpu, used_memory, used_storage, quota_clusters, quota_instances,
        quota_virtual_clusters, used_clusters, used_instances, created_at,
    };
    BulkOutcome, Code, HealthStatus, Mode, Resource
);
