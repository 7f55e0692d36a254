//! What is recorded of an instance, from what is seen of it. Pure.

use std::time::Duration;

use store::{InstanceIntent, InstanceObserved};
use types::{Desired, InstanceStatus};

use super::{Finding, Seen};

/// What is recorded. `overdue` is for how long it has been in trouble, or on its way without getting there.
pub(in crate::compute) fn settle(instance: &InstanceIntent, finding: &Finding, overdue: Duration, grace: Duration) -> InstanceObserved {
    let before = &instance.observed;
    let had_failed = before.status == InstanceStatus::Failed && before.generation == instance.generation;
    let given_up = overdue >= grace;
    let status = match finding.seen {
        Seen::Arrived(status) => status,
        Seen::Starting if had_failed => InstanceStatus::Failed,
        Seen::Starting => InstanceStatus::Pending,
        Seen::Unchanged if given_up => InstanceStatus::Failed,
        Seen::Unchanged => before.status,
        Seen::Degraded if had_failed || given_up => InstanceStatus::Failed,
        Seen::Degraded => InstanceStatus::Pending,
        Seen::Failed => InstanceStatus::Failed,
    };
    let on_the_way = matches!(finding.seen, Seen::Starting | Seen::Unchanged);
    let (reason, message) = match &finding.reason {
        // A failed instance that is on its way again stays failed, with its old cause, until it has arrived.
        None if on_the_way && had_failed => (before.reason.clone(), before.message.clone()),
        None if finding.seen == Seen::Unchanged && given_up => {
            let sentence = format!("it is still not {} after {} s; it is being tried on", instance.desired, grace.as_secs());
            (Some("ProgressDeadlineExceeded".to_owned()), Some(sentence))
        }
        reason => (reason.clone(), finding.message.clone()),
    };
    let arrived = matches!(finding.seen, Seen::Arrived(status) if status == instance.desired.settled());
    // What was failed before somebody wanted something else of it is not settled by that.
    let failed = status == InstanceStatus::Failed && (finding.seen != Seen::Unchanged || given_up);
    InstanceObserved {
        status,
        generation: if arrived || failed { instance.generation } else { before.generation },
        reason,
        message,
        ip: finding.ip.clone(),
        node: finding.node.clone(),
        incarnation: incarnation(instance, finding),
    }
}

/// Which VirtualMachineInstance holds the memory of a suspended VM: the one whose pause settled, as long as suspended is
/// what is wanted. Another one later has lost it.
fn incarnation(instance: &InstanceIntent, finding: &Finding) -> Option<String> {
    let before = &instance.observed;
    let kept = before.incarnation.as_ref().filter(|_| before.generation == instance.generation);
    match (instance.desired, finding.seen) {
        (Desired::Running | Desired::Stopped, _) => None,
        (Desired::Suspended, Seen::Arrived(InstanceStatus::Suspended)) => kept.or(finding.incarnation.as_ref()).cloned(),
        (Desired::Suspended, _) => kept.cloned(),
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
