//! Admission: what is there, what is taken, what is asked for.

use store::{Usage, UserRow};
use types::{Bytes, Error, MilliCpu, Result, error::QuotaShortage};

use crate::{Action, App, Caller, Policy, validate::Fields};

/// What one instance takes, its cluster apart.
pub(crate) fn one_instance(cpu: MilliCpu, memory: Bytes, disk: Option<Bytes>) -> Usage {
    Usage { cpu, memory, storage: disk.unwrap_or_default(), clusters: 0, instances: 1 }
}

/// `size` times `count`, or that it is more than can be counted.
pub(crate) fn times(size: Usage, count: i64) -> Result<Usage> {
    let product = |n: i64| n.checked_mul(count).ok_or_else(|| Error::field("instance_count", "asks for more than can be counted"));
    Ok(Usage {
        cpu: MilliCpu(product(size.cpu.0)?),
        memory: Bytes(product(size.memory.0)?),
        storage: Bytes(product(size.storage.0)?),
        clusters: product(size.clusters)?,
        instances: product(size.instances)?,
    })
}

/// Refuses what would exceed the quota, naming every dimension that stands in the way.
pub(crate) fn admit(owner: &UserRow, used: Usage, requested: Usage) -> Result<()> {
    const CPU: fn(i64) -> f64 = |n| MilliCpu(n).cores();
    const GIB: fn(i64) -> f64 = |n| Bytes(n).gib();
    #[expect(clippy::cast_precision_loss, reason = "for people to read; nobody has that many")]
    const COUNT: fn(i64) -> f64 = |n| n as f64;
    let limit = owner.quota;
    let dimensions = [
        ("cpu", requested.cpu.0, used.cpu.0, limit.cpu.0, CPU),
        ("memory", requested.memory.0, used.memory.0, limit.memory.0, GIB),
        ("storage", requested.storage.0, used.storage.0, limit.storage.0, GIB),
        ("clusters", requested.clusters, used.clusters, limit.clusters, COUNT),
        ("instances", requested.instances, used.instances, limit.instances, COUNT),
    ];
    let short: Vec<QuotaShortage> = dimensions
        .into_iter()
        .filter(|(_, requested, used, limit, _)| *requested > 0 && used.saturating_add(*requested) > *limit)
        .map(|(resource, requested, used, limit, unit)| QuotaShortage {
            resource,
            requested: unit(requested),
            used: unit(used),
            limit: unit(limit),
            available: unit((limit - used).max(0)),
        })
        .collect();
    if short.is_empty() { Ok(()) } else { Err(Error::QuotaExceeded(short)) }
}

impl Policy {
    /// Refuses instances that are smaller or larger than this installation has them.
    pub(crate) fn check_size(&self, fields: &mut Fields, cpu: Option<MilliCpu>, memory: Option<Bytes>) {
        if cpu.is_some_and(|cpu| cpu < self.min_cpu) {
            fields.refuse("cpu_per_instance", format!("must be at least {} cores", self.min_cpu));
        }
        if let (Some(cpu), Some(most)) = (cpu, self.max_cpu)
            && cpu > most
        {
            fields.refuse("cpu_per_instance", format!("must be at most {most} cores"));
        }
        if memory.is_some_and(|memory| memory < self.min_memory) {
            fields.refuse("memory_per_instance", format!("must be at least {} MiB", self.min_memory.0 >> 20));
        }
        if let (Some(memory), Some(most)) = (memory, self.max_memory)
            && memory > most
        {
            fields.refuse("memory_per_instance", format!("must be at most {most} GiB"));
        }
    }
}

impl App {
    /// The caller's own quota; nothing is available where it was lowered below use.
    pub async fn quota_get(&self, caller: &Caller) -> Result<wire::user::Quota> {
        caller.may(Action::UserQuota)?;
        let _turn = self.reads.of(caller.user.id).await?;
        let used = self.intents.usage(caller.user.id).await?;
        let total = caller.user.quota;
        let left = |total: i64, used: i64| (total - used).max(0);
        let virtual_clusters = caller.user.quota_virtual_clusters;
        Ok(wire::user::Quota {
            total_cpu: total.cpu,
            total_memory: total.memory,
            used_cpu: used.cpu,
            used_memory: used.memory,
            available_cpu: MilliCpu(left(total.cpu.0, used.cpu.0)),
            available_memory: Bytes(left(total.memory.0, used.memory.0)),
            total_storage: total.storage,
            used_storage: used.storage,
            available_storage: Bytes(left(total.storage.0, used.storage.0)),
            total_clusters: total.clusters,
            used_clusters: used.clusters,
            available_clusters: left(total.clusters, used.clusters),
            total_instances: total.instances,
            used_instances: used.instances,
            available_instances: left(total.instances, used.instances),
            total_virtual_clusters: virtual_clusters,
            // There are none yet.
            used_virtual_clusters: 0,
            available_virtual_clusters: virtual_clusters,
            min_cpu_per_instance: self.policy.min_cpu,
            max_cpu_per_instance: self.policy.max_cpu,
            min_memory_per_instance: self.policy.min_memory,
            max_memory_per_instance: self.policy.max_memory,
        })
    }
}

#[cfg(test)]
mod tests {
    use types::{Role, Timestamp, UserId};

    use super::*;

    fn usage(cpu: i64, memory: i64, storage: i64) -> Usage {
        Usage { cpu: MilliCpu(cpu), memory: Bytes(memory), storage: Bytes(storage), clusters: 0, instances: 0 }
    }

    #[test]
    fn clusters_and_instances_are_counted_as_well() {
        let mut owner = owner(Usage { clusters: 2, instances: 10, ..usage(1000, 0, 0) });
        let used = Usage { clusters: 2, instances: 9, ..Usage::default() };
        let asked = |clusters, instances| Usage { clusters, instances, ..Usage::default() };
        assert!(admit(&owner, used, asked(0, 1)).is_ok(), "scaling needs no further cluster");
        let Err(Error::QuotaExceeded(short)) = admit(&owner, used, asked(1, 2)) else { panic!("admitted") };
        assert_eq!(short.iter().map(|s| (s.resource, s.limit)).collect::<Vec<_>>(), [("clusters", 2.0), ("instances", 10.0)]);
        owner.quota.clusters = 3;
        assert!(admit(&owner, used, asked(1, 1)).is_ok());
    }

    fn owner(quota: Usage) -> UserRow {
        UserRow { id: UserId(1), username: "a".into(), role: Role::User, disabled: false, quota, quota_virtual_clusters: 0, created_at: Timestamp(0) }
    }

    #[test]
    fn exactly_what_is_left_is_admitted_and_one_more_is_not() {
        let owner = owner(usage(10_000, 10 << 30, 0));
        let used = usage(4_000, 1 << 30, 0);
        assert!(admit(&owner, used, usage(6_000, 9 << 30, 0)).is_ok());
        let Err(Error::QuotaExceeded(short)) = admit(&owner, used, usage(6_001, (9 << 30) + 1, 1)) else { panic!("admitted") };
        assert_eq!(short.iter().map(|s| s.resource).collect::<Vec<_>>(), ["cpu", "memory", "storage"]);
        assert_eq!((short[0].requested, short[0].used, short[0].limit, short[0].available), (6.001, 4.0, 10.0, 6.0));
    }

    #[test]
    fn a_quota_lowered_below_use_only_stops_growth() {
        let owner = owner(usage(1_000, 1 << 30, 0));
        let used = usage(4_000, 0, 0);
        assert!(admit(&owner, used, usage(0, 1, 0)).is_ok());
        assert!(admit(&owner, used, usage(1, 0, 0)).is_err());
    }
}
