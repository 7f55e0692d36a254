//! What an instance is, from what is wanted and what is seen. Pure.
//!
//! Two steps: a [`Finding`] says what is seen, [`settle`] turns it into what is recorded, with the grace that trouble
//! gets before it is called failure. A status settles a generation only if it is what that generation wants, or
//! failure: what is left over from an earlier one never does.

use std::time::Duration;

use members::{Condition, PodPhase, PodView, VmView, VmiView};
use store::{InstanceIntent, InstanceObserved};
use types::{Desired, InstanceStatus};

use super::plan::is_paused;

/// How long a container that was restarted must run before it is called running: crash loops do not flicker.
const RESTART_PROOF_SECONDS: i64 = 10;
/// How long after its deadline a Pod that does not go is taken for one on a lost node.
const OVERDUE_SECONDS: i64 = 30;

/// What is seen of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It has arrived.
    Is(InstanceStatus),
    /// It is being brought up.
    Coming,
    /// It is being taken down: still what it was.
    Leaving,
    /// Something is wrong that may heal.
    Trouble,
    /// Something is wrong that will not heal by waiting.
    Broken,
}

/// The state with its cause and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) state: State,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) node: Option<String>,
    /// When to look again although nothing may change.
    pub(super) again: Option<Duration>,
}

impl Finding {
    fn new(state: State) -> Self {
        Self { state, reason: None, message: None, ip: None, node: None, again: None }
    }

    pub(super) fn because(mut self, reason: &str, message: &str) -> Self {
        self.reason = Some(reason.to_owned()).filter(|text| !text.is_empty());
        self.message = Some(message.to_owned()).filter(|text| !text.is_empty());
        self
    }

    fn of(self, condition: &Condition) -> Self {
        self.because(&condition.reason, &condition.message)
    }

    fn again(mut self, seconds: i64) -> Self {
        self.again = Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0).max(1)));
        self
    }

    /// A write was refused and nothing is there yet.
    pub(super) fn refused(permanent: bool, reason: &str, message: &str) -> Self {
        Self::new(if permanent { State::Broken } else { State::Trouble }).because(reason, message)
    }
}

/// Of a container. `now` is in seconds since 1970.
pub(super) fn container(instance: &InstanceIntent, pod: Option<&PodView>, now: i64) -> Finding {
    let wanted = instance.desired == Desired::Running;
    let finding = match pod {
        None if wanted => Finding::new(State::Coming),
        None => Finding::new(State::Is(instance.desired.settled())),
        Some(pod) => match pod.terminating {
            Some(deadline) => terminating(pod, wanted, now - deadline),
            None if !wanted => Finding::new(State::Leaving),
            None if pod.start_generation < instance.start_generation => Finding::new(State::Coming).because("Replacing", ""),
            None => living(pod, now),
        },
    };
    let there = pod.filter(|pod| pod.terminating.is_none());
    Finding { ip: there.and_then(|pod| pod.ip.clone()), node: pod.and_then(|pod| pod.node.clone()), ..finding }
}

fn terminating(pod: &PodView, wanted: bool, overdue: i64) -> Finding {
    if overdue <= OVERDUE_SECONDS {
        let state = if wanted { State::Coming } else { State::Leaving };
        return Finding::new(state).because("Terminating", "").again(OVERDUE_SECONDS - overdue + 1);
    }
    let node = pod.node.as_deref().unwrap_or("none");
    match pod.finalizers.is_empty() {
        true => {
            let sentence = format!("its Pod was deleted, but node '{node}' does not confirm that it ended; no second one is started beside it");
            Finding::new(State::Trouble).because("NodeLost", &sentence)
        }
        false => Finding::new(State::Trouble).because("FinalizersRemaining", &format!("its Pod waits for {}", pod.finalizers.join(", "))),
    }
}

fn living(pod: &PodView, now: i64) -> Finding {
    let fault = |c: &Condition| is_fault(&c.reason);
    match pod.phase {
        PodPhase::Running => match (&pod.waiting, pod.running_since) {
            (Some(waiting), _) if fault(waiting) => Finding::new(State::Trouble).of(&with_end(waiting, pod)),
            (Some(waiting), _) => Finding::new(State::Coming).of(waiting),
            (None, Some(since)) if pod.restarts > 0 && now - since < RESTART_PROOF_SECONDS => {
                let finding = Finding::new(State::Coming).because("Restarted", "");
                let finding = pod.ended.as_ref().map_or(finding.clone(), |ended| finding.because("Restarted", &end_text(ended)));
                finding.again(RESTART_PROOF_SECONDS - (now - since))
            }
            (None, None) if pod.ended.is_some() => Finding::new(State::Trouble).of(&pod.ended.clone().unwrap_or_default()),
            (None, _) => Finding::new(State::Is(InstanceStatus::Running)),
        },
        PodPhase::Pending => match (&pod.unschedulable, &pod.waiting) {
            (Some(unschedulable), _) => Finding::new(State::Trouble).of(unschedulable),
            (None, Some(waiting)) if fault(waiting) => Finding::new(State::Trouble).of(waiting),
            (None, Some(waiting)) => Finding::new(State::Coming).of(waiting),
            (None, None) => Finding::new(State::Coming),
        },
        PodPhase::Succeeded | PodPhase::Failed => {
            let cause = pod.cause.as_ref().or(pod.ended.as_ref());
            let finding = Finding::new(State::Trouble);
            cause.map_or(finding.clone().because("Ended", ""), |cause| finding.of(cause))
        }
        PodPhase::Unknown => Finding::new(State::Trouble).because("NodeLost", "its node does not answer"),
    }
}

/// Waiting reasons that are no part of an ordinary start.
fn is_fault(reason: &str) -> bool {
    !matches!(reason, "" | "ContainerCreating" | "PodInitializing")
}

fn end_text(ended: &Condition) -> String {
    format!("last ended with {}: {}", ended.reason, ended.message)
}

/// A crash loop's own message only says how long the next try is away: add how the last one ended.
fn with_end(waiting: &Condition, pod: &PodView) -> Condition {
    match &pod.ended {
        Some(ended) if waiting.reason == "CrashLoopBackOff" => Condition { message: end_text(ended), ..waiting.clone() },
        _ => waiting.clone(),
    }
}

/// Of a VM.
pub(super) fn vm(instance: &InstanceIntent, vm: Option<&VmView>, vmi: Option<&VmiView>) -> Finding {
    let wanted = instance.desired;
    let finding = match vm {
        // Made again if it vanished, but what does not exist does not run.
        None if wanted == Desired::Stopped && vmi.is_none() => Finding::new(State::Is(InstanceStatus::Stopped)),
        None => Finding::new(State::Coming),
        Some(vm) => judge(wanted, vm, vmi),
    };
    Finding { ip: vmi.and_then(|vmi| vmi.ip.clone()), node: vmi.and_then(|vmi| vmi.node.clone()), ..finding }
}

fn judge(wanted: Desired, vm: &VmView, vmi: Option<&VmiView>) -> Finding {
    let off = || match wanted {
        Desired::Stopped => Finding::new(State::Leaving),
        Desired::Running | Desired::Suspended => Finding::new(State::Coming),
    };
    let word = vm.printable.as_str();
    match word {
        "Running" | "Migrating" => match wanted {
            Desired::Running => Finding::new(State::Is(InstanceStatus::Running)),
            Desired::Stopped | Desired::Suspended => Finding::new(State::Leaving),
        },
        "Paused" if is_paused(vm) => match wanted {
            Desired::Suspended => Finding::new(State::Is(InstanceStatus::Suspended)),
            Desired::Running | Desired::Stopped => Finding::new(State::Leaving).because(word, ""),
        },
        "Paused" => match vm.paused.as_deref() {
            Some("PausedByMigrationMonitor") if wanted == Desired::Running => Finding::new(State::Is(InstanceStatus::Running)),
            Some("PausedIOError") => Finding::new(State::Broken).because("PausedIOError", "the VM was paused because its storage fails"),
            _ => Finding::new(State::Leaving).because(word, ""),
        },
        // Only with its instance gone, and with it the launcher that holds its memory.
        "Stopped" if wanted == Desired::Stopped && vmi.is_none() && !vm.created => Finding::new(State::Is(InstanceStatus::Stopped)),
        "Stopped" if wanted == Desired::Stopped => Finding::new(State::Leaving).because("Stopping", ""),
        // "Stopped" is what a new VM shows first, and one between two runs.
        "" | "Stopped" => match &vm.failure {
            Some(failure) => Finding::new(State::Broken).of(failure),
            None => Finding::new(State::Coming).because(word, ""),
        },
        "Provisioning" | "WaitingForVolumeBinding" | "Starting" | "WaitingForReceiver" => off().because(word, ""),
        "Stopping" | "Terminating" => off().because(word, ""),
        "Unknown" => Finding::new(State::Leaving).because("Unknown", "KubeVirt does not know the state: the node does not answer"),
        _ if wanted == Desired::Stopped => Finding::new(State::Leaving).because(word, ""),
        fault => Finding::new(State::Trouble).because(fault, vm.trouble.as_ref().map_or("", |trouble| trouble.message.as_str())),
    }
}

/// A VM on a member without KubeVirt.
pub(super) fn without_kubevirt(instance: &InstanceIntent) -> Finding {
    match instance.desired {
        Desired::Stopped => Finding::new(State::Is(InstanceStatus::Stopped)),
        Desired::Running | Desired::Suspended => {
            Finding::new(State::Trouble).because("KubeVirtNotInstalled", "this Kubernetes does not serve kubevirt.io/v1").again(10)
        }
    }
}

/// What is recorded. `troubled` is how long the trouble has lasted.
pub(super) fn settle(instance: &InstanceIntent, finding: &Finding, troubled: Duration, grace: Duration) -> InstanceObserved {
    let before = &instance.observed;
    let had_failed = before.status == InstanceStatus::Failed && before.generation == instance.generation;
    let status = match finding.state {
        State::Is(status) => status,
        State::Coming if had_failed => InstanceStatus::Failed,
        State::Coming => InstanceStatus::Pending,
        State::Leaving => before.status,
        State::Trouble if had_failed || troubled >= grace => InstanceStatus::Failed,
        State::Trouble => InstanceStatus::Pending,
        State::Broken => InstanceStatus::Failed,
    };
    // A failed instance that is on its way again stays failed, with its old cause, until it has arrived.
    let keeps_cause = finding.state == State::Coming && had_failed && finding.reason.is_none();
    let (reason, message) = match keeps_cause {
        true => (before.reason.clone(), before.message.clone()),
        false => (finding.reason.clone(), finding.message.clone()),
    };
    let arrived = matches!(finding.state, State::Is(status) if status == instance.desired.settled());
    let failed = status == InstanceStatus::Failed && !matches!(finding.state, State::Leaving);
    InstanceObserved {
        status,
        generation: if arrived || failed { instance.generation } else { before.generation },
        reason,
        message,
        ip: finding.ip.clone(),
        node: finding.node.clone(),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
