//! Judging: what an instance is, from what is wanted and what is seen. Pure.
//!
//! Two steps: a [`Finding`] says what is seen, [`settle`] turns it into what is recorded, with the grace that trouble
//! gets before it is called failure. A status settles a generation only if it is what that generation wants, or
//! failure: what is left over from an earlier one never does.

mod container;
mod settle;
mod vm;

use std::time::Duration;

use members::{Condition, KubeVirt};
use store::{ClusterIntent, InstanceIntent};
use types::{InstanceStatus, InstanceType};

pub(super) use self::settle::settle;
use super::{
    memory::{Ages, Refusal},
    observe::Observed,
};
use crate::requeue::Requeue;

/// What is seen of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is in one of the states that can be wanted.
    Arrived(InstanceStatus),
    /// It is being brought up.
    Starting,
    /// It is still what it was recorded as: it is being stopped, suspended or resumed, or nobody knows.
    Unchanged,
    /// Something is wrong that may heal.
    Degraded,
    /// Something is wrong that will not heal by waiting.
    Failed,
}

/// What is seen, with its cause and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) seen: Seen,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) node: Option<String>,
    /// UID of the VirtualMachineInstance.
    pub(super) incarnation: Option<String>,
    /// When to look again although nothing may change.
    pub(super) requeue: Requeue,
}

impl Finding {
    fn new(seen: Seen) -> Self {
        Self { seen, reason: None, message: None, ip: None, node: None, incarnation: None, requeue: Requeue::ON_CHANGE }
    }

    fn because(mut self, reason: &str, message: &str) -> Self {
        self.reason = Some(reason.to_owned()).filter(|text| !text.is_empty());
        self.message = Some(message.to_owned()).filter(|text| !text.is_empty());
        self
    }

    fn of(self, condition: &Condition) -> Self {
        self.because(&condition.reason, &condition.message)
    }

    fn look_again_in(mut self, wait: Duration) -> Self {
        self.requeue = Requeue::after(wait);
        self
    }

    /// With a write for it that was refused. What is there stays what it is; only why it does not get further is told.
    fn with_refusal(self, refusal: &Refusal, absent: bool) -> Self {
        let Refusal { reason, message, permanent } = refusal;
        match self.seen {
            Seen::Starting if absent => {
                let seen = if permanent.is_some() { Seen::Failed } else { Seen::Degraded };
                Self { seen, ..self }.because(reason, message)
            }
            Seen::Starting | Seen::Unchanged => self.because(reason, message),
            Seen::Arrived(_) | Seen::Degraded | Seen::Failed => self,
        }
    }
}

/// What is seen of an instance.
pub(super) fn find(cluster: &ClusterIntent, instance: &InstanceIntent, observed: &Observed, refusal: Option<&Refusal>, ages: Ages) -> Finding {
    let (finding, absent) = match cluster.instance_type {
        InstanceType::Container => {
            let pod = observed.pod(instance);
            (container::find(instance, pod, ages), pod.is_none())
        }
        InstanceType::Vm if observed.kubevirt != KubeVirt::Served => (vm::find_without_kubevirt(instance), false),
        InstanceType::Vm => {
            let vm = observed.vm(instance);
            (vm::find(instance, vm, observed.vmi(instance)), vm.is_none())
        }
    };
    match refusal {
        Some(refusal) => finding.with_refusal(refusal, absent),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_trouble_where_nothing_is_there_and_a_mere_cause_where_something_is() {
        let refused = |permanent| Refusal { reason: "Refused".into(), message: String::new(), permanent };
        let table = [
            (Seen::Starting, true, None, Seen::Degraded, true),
            (Seen::Starting, true, Some(1), Seen::Failed, true),
            (Seen::Starting, false, Some(1), Seen::Starting, true),
            (Seen::Unchanged, false, None, Seen::Unchanged, true),
            (Seen::Degraded, false, None, Seen::Degraded, false),
            (Seen::Arrived(InstanceStatus::Running), false, None, Seen::Arrived(InstanceStatus::Running), false),
        ];
        for (before, absent, permanent, after, told) in table {
            let finding = Finding::new(before).with_refusal(&refused(permanent), absent);
            assert_eq!((finding.seen, finding.reason.is_some()), (after, told), "{before:?} {absent} {permanent:?}");
        }
    }
}
