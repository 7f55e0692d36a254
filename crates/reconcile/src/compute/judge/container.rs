//! What is seen of a container, from its Pod. Pure.

use std::time::Duration;

use members::{Condition, PodPhase, PodView};
use store::InstanceIntent;
use types::{Desired, InstanceStatus};

use super::{Finding, Seen};
use crate::compute::{memory::Ages, pod::GRACE_SECONDS};

/// How long a container that was restarted must run before it is called running: crash loops do not flicker.
const RESTART_PROOF: Duration = Duration::from_secs(10);
/// How long after its delete was seen a Pod that does not go is taken for one on a lost node: its grace, and as much again.
const OVERDUE: Duration = Duration::from_secs(2 * GRACE_SECONDS as u64);

const NODE_SILENT: &str = "its node does not answer: whether it still runs is not known, and no second one is started beside it";

/// Of a container.
pub(super) fn find(instance: &InstanceIntent, pod: Option<&PodView>, ages: Ages) -> Finding {
    let wanted = instance.desired == Desired::Running;
    let finding = match pod {
        None if wanted => Finding::new(Seen::Starting),
        None => Finding::new(Seen::Arrived(instance.desired.settled())),
        Some(pod) => match pod.terminating {
            Some(_) => terminating(pod, wanted, ages.terminating),
            None if !wanted => Finding::new(Seen::Unchanged),
            None if pod.start_generation < instance.start_generation => Finding::new(Seen::Starting).because("Replacing", ""),
            None => living(pod, ages.running),
        },
    };
    let there = pod.filter(|pod| pod.terminating.is_none());
    Finding { ip: there.and_then(|pod| pod.ip.clone()), node: pod.and_then(|pod| pod.node.clone()), ..finding }
}

fn terminating(pod: &PodView, wanted: bool, age: Duration) -> Finding {
    if age < OVERDUE && !is_node_silent(pod) {
        let seen = if wanted { Seen::Starting } else { Seen::Unchanged };
        return Finding::new(seen).because("Terminating", "").look_again_in(OVERDUE - age);
    }
    let node = pod.node.as_deref().unwrap_or("none");
    if pod.finalizers.is_empty() {
        let sentence = format!("its Pod was deleted, but node '{node}' does not confirm that it ended; no second one is started beside it");
        Finding::new(Seen::Degraded).because("NodeLost", &sentence)
    } else {
        Finding::new(Seen::Degraded).because("FinalizersRemaining", &format!("its Pod waits for {}", pod.finalizers.join(", ")))
    }
}

fn living(pod: &PodView, age: Duration) -> Finding {
    let fault = |c: &Condition| is_fault(&c.reason);
    match pod.phase {
        PodPhase::Running => match (&pod.waiting, pod.running_since.is_some()) {
            (Some(waiting), _) if fault(waiting) => Finding::new(Seen::Degraded).of(&with_end(waiting, pod)),
            (Some(waiting), _) => Finding::new(Seen::Starting).of(waiting),
            (None, true) if pod.restarts > 0 && age < RESTART_PROOF => {
                let finding = Finding::new(Seen::Starting).because("Restarted", "");
                let finding = pod.ended.as_ref().map_or(finding.clone(), |ended| finding.because("Restarted", &end_text(ended)));
                finding.look_again_in(RESTART_PROOF - age)
            }
            (None, false) if pod.ended.is_some() => Finding::new(Seen::Degraded).of(&pod.ended.clone().unwrap_or_default()),
            // What it was is all that is known of it. That its own process is not ready is its owner's affair.
            (None, _) if is_node_silent(pod) => Finding::new(Seen::Unchanged).because("NodeLost", NODE_SILENT),
            (None, _) => Finding::new(Seen::Arrived(InstanceStatus::Running)),
        },
        PodPhase::Pending => match (&pod.unschedulable, &pod.waiting) {
            (Some(unschedulable), _) => Finding::new(Seen::Degraded).of(unschedulable),
            (None, Some(waiting)) if fault(waiting) => Finding::new(Seen::Degraded).of(waiting),
            (None, Some(waiting)) => Finding::new(Seen::Starting).of(waiting),
            (None, None) => Finding::new(Seen::Starting),
        },
        PodPhase::Succeeded | PodPhase::Failed => {
            let cause = pod.cause.as_ref().or(pod.ended.as_ref());
            let finding = Finding::new(Seen::Degraded);
            cause.map_or(finding.clone().because("Ended", ""), |cause| finding.of(cause))
        }
        PodPhase::Unknown => Finding::new(Seen::Degraded).because("NodeLost", NODE_SILENT),
    }
}

/// Whether the node controller, and not the kubelet, says that a Pod is not ready: its node does not answer. It gives no
/// reason, where a kubelet always does; containers stay as they were last seen, and the phase is Running for minutes.
fn is_node_silent(pod: &PodView) -> bool {
    pod.unready.as_ref().is_some_and(|condition| matches!(condition.reason.as_str(), "" | "NodeNotReady" | "NodeStatusUnknown"))
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

#[cfg(test)]
#[path = "container_tests.rs"]
mod tests;
