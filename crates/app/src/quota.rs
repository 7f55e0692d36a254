//! Admission: what is there, what is taken, what is asked for.

use store::{Usage, UserRow};
use types::{Bytes, Error, MilliCpu, Result, error::QuotaShortage};

use crate::{App, Caller};

/// `size` times `count`, or that it is more than can be counted.
pub(crate) fn times(size: Usage, count: i64) -> Result<Usage> {
    let product = |n: i64| n.checked_mul(count).ok_or_else(|| Error::field("instance_count", "asks for more than can be counted"));
    Ok(Usage { cpu: MilliCpu(product(size.cpu.0)?), memory: Bytes(product(size.memory.0)?), storage: Bytes(product(size.storage.0)?) })
}

/// Refuses what would exceed the quota, naming every dimension that stands in the way.
pub(crate) fn admit(owner: &UserRow, used: Usage, requested: Usage) -> Result<()> {
    const CPU: fn(i64) -> f64 = |n| MilliCpu(n).cores();
    const GIB: fn(i64) -> f64 = |n| Bytes(n).gib();
    let dimensions = [
        ("cpu", requested.cpu.0, used.cpu.0, owner.quota.cpu.0, CPU),
        ("memory", requested.memory.0, used.memory.0, owner.quota.memory.0, GIB),
        ("storage", requested.storage.0, used.storage.0, owner.quota.storage.0, GIB),
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

impl App {
    /// The caller's own quota; nothing is available where it was lowered below use.
    pub async fn quota_get(&self, caller: &Caller) -> Result<wire::user::Quota> {
        let used = self.store.usage(caller.user.id).await?;
        let total = caller.user.quota;
        Ok(wire::user::Quota {
            total_cpu: total.cpu,
            total_memory: total.memory,
            used_cpu: used.cpu,
            used_memory: used.memory,
            available_cpu: MilliCpu((total.cpu.0 - used.cpu.0).max(0)),
            available_memory: Bytes((total.memory.0 - used.memory.0).max(0)),
            total_storage: total.storage,
            used_storage: used.storage,
            available_storage: Bytes((total.storage.0 - used.storage.0).max(0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use types::{Role, Timestamp, UserId};

    use super::*;

    fn usage(cpu: i64, memory: i64, storage: i64) -> Usage {
        Usage { cpu: MilliCpu(cpu), memory: Bytes(memory), storage: Bytes(storage) }
    }

    fn owner(quota: Usage) -> UserRow {
        UserRow { id: UserId(1), username: "a".into(), role: Role::User, disabled: false, quota, created_at: Timestamp(0) }
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
