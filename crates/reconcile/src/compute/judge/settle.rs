//! What is recorded of an instance, from what is seen of it. Pure.

use std::time::Duration;

use store::{InstanceIntent, InstanceObserved};
use types::InstanceStatus;

use super::{Finding, Seen};

/// What is recorded. `degraded` is how long the trouble has lasted.
pub(in crate::compute) fn settle(instance: &InstanceIntent, finding: &Finding, degraded: Duration, grace: Duration) -> InstanceObserved {
    let before = &instance.observed;
    let had_failed = before.status == InstanceStatus::Failed && before.generation == instance.generation;
    let status = match finding.seen {
        Seen::Arrived(status) => status,
        Seen::Starting if had_failed => InstanceStatus::Failed,
        Seen::Starting => InstanceStatus::Pending,
        Seen::Unchanged => before.status,
        Seen::Degraded if had_failed || degraded >= grace => InstanceStatus::Failed,
        Seen::Degraded => InstanceStatus::Pending,
        Seen::Failed => InstanceStatus::Failed,
    };
    // A failed instance that is on its way again stays failed, with its old cause, until it has arrived.
    let keeps_cause = finding.seen == Seen::Starting && had_failed && finding.reason.is_none();
    let (reason, message) = if keeps_cause { (&before.reason, &before.message) } else { (&finding.reason, &finding.message) };
    let arrived = matches!(finding.seen, Seen::Arrived(status) if status == instance.desired.settled());
    let failed = status == InstanceStatus::Failed && !matches!(finding.seen, Seen::Unchanged);
    InstanceObserved {
        status,
        generation: if arrived || failed { instance.generation } else { before.generation },
        reason: reason.clone(),
        message: message.clone(),
        ip: finding.ip.clone(),
        node: finding.node.clone(),
        incarnation: before.incarnation.clone(),
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
