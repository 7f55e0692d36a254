//! Carries out what `plan` says, many instances at a time.
//!
//! Within a bounded slice of time, so that status shows while a thousand Pods are being made, and a change of mind is
//! heard. A namespace that is milliseconds old refuses Pods (no service account, no quota status yet): one Pod is
//! tried until it is let in, then the others follow.

use std::time::Duration;

use futures::{StreamExt as _, stream::FuturesUnordered};
use members::{Creation, Kind, MemberError};
use store::{ClusterIntent, InstanceIntent};
use tokio::time::Instant;
use types::{InstanceType, Step};

use super::{
    context::Pass,
    memory::{Memory, Refusal},
    observe::Observed,
    plan::{self, Action},
    pod, secret,
    vm::{self, RunStrategy},
    volume,
};

/// How long a pass goes on starting new writes.
const SLICE: Duration = Duration::from_secs(1);
/// Pause before asking a new namespace again, at first and at most; and how long to go on asking within a pass.
const PROBE_FIRST: Duration = Duration::from_millis(20);
const PROBE_MOST: Duration = Duration::from_millis(200);
const PROBE_LONG: Duration = Duration::from_secs(3);
/// How often a create that met another one at the quota is repeated at once.
const QUOTA_CONFLICTS: u32 = 5;
/// After so many refusals that may pass, the rest is left for a later pass.
const REFUSALS_MAX: usize = 16;
/// When to look at a VM again that could not be paused yet.
const PAUSE_RECHECK: Duration = Duration::from_millis(500);

/// How far it got.
#[derive(Default)]
pub(super) struct Carried {
    /// When to look again at the latest.
    pub(super) again: Option<Duration>,
    /// Whether something is left to do.
    pub(super) unfinished: bool,
    /// What may succeed later; what may not is a refusal in the instance's memory.
    pub(super) error: Option<MemberError>,
}

struct Task<'a> {
    instance: &'a InstanceIntent,
    action: Action,
}

/// Makes at most one write (with what it needs first) for each instance.
pub(super) async fn carry_out(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, memory: &mut Memory) -> Carried {
    let mut carried = Carried::default();
    let mut tasks = due(cluster, observed, memory, &mut carried).into_iter();
    let slice_ends = Instant::now() + SLICE;
    let mut refusals = 0;
    if !observed.pods.is_empty() {
        memory.open = true;
    }
    let mut running = FuturesUnordered::new();
    if cluster.instance_type == InstanceType::Container && !memory.open {
        let rest: Vec<_> = tasks.collect();
        let first = rest.iter().position(|task| task.action == Action::Create);
        let mut rest = rest;
        if let Some(first) = first.map(|at| rest.remove(at)) {
            let result = probe(pass, cluster, observed, &first).await;
            memory.open = result.is_ok();
            // What is refused for good says nothing about the namespace: the others are tried.
            let not_yet = result.as_ref().is_err_and(MemberError::retryable);
            take(cluster, memory, &mut carried, first, result);
            if not_yet {
                return carried;
            }
        }
        tasks = rest.into_iter();
    }
    loop {
        while running.len() < pass.context.options.writes && refusals < REFUSALS_MAX && Instant::now() < slice_ends {
            let Some(task) = tasks.next() else { break };
            running.push(async move {
                let result = act(pass, cluster, observed, &task).await;
                (task, result)
            });
        }
        let Some((task, result)) = running.next().await else { break };
        refusals += match &result {
            Ok(_) => 0,
            Err(MemberError::Fenced | MemberError::Timeout(_) | MemberError::Unreachable(_)) => REFUSALS_MAX,
            Err(error) if error.reason() == "TooManyRequests" => REFUSALS_MAX,
            Err(error) => usize::from(error.retryable()),
        };
        take(cluster, memory, &mut carried, task, result);
    }
    if tasks.next().is_some() {
        carried.later(Duration::ZERO);
        carried.unfinished = true;
    }
    carried
}

/// What is to be done now. What has to wait shows in `carried`.
fn due<'a>(cluster: &'a ClusterIntent, observed: &Observed, memory: &mut Memory, carried: &mut Carried) -> Vec<Task<'a>> {
    let now = Instant::now();
    let mut tasks = Vec::new();
    for instance in &cluster.instances {
        let action = match cluster.instance_type {
            InstanceType::Container => plan::container(instance, observed.pod(instance)),
            InstanceType::Vm => plan::vm(instance, observed.vm(instance)),
        };
        let remembered = memory.instances.entry(instance.id).or_default();
        remembered.renew(instance.generation);
        let admitted = remembered.admits(action, now);
        if action == Action::Nothing {
            remembered.refusal = None;
            remembered.name_taken = false;
            continue;
        }
        if remembered.refusal.as_ref().is_some_and(|refusal| refusal.permanent == Some(cluster.generation)) {
            continue;
        }
        match admitted {
            Ok(()) => tasks.push(Task { instance, action }),
            // A repeat that the watch will most likely make needless, or a Pod that ends too often: it counts as done.
            Err(wait) => carried.later(wait),
        }
    }
    tasks
}

impl Carried {
    fn later(&mut self, wait: Duration) {
        self.again = [self.again, Some(wait)].into_iter().flatten().min();
    }
}

/// Remembers what came of a task.
fn take(cluster: &ClusterIntent, memory: &mut Memory, carried: &mut Carried, task: Task<'_>, result: members::Result<Done>) {
    let remembered = memory.instances.entry(task.instance.id).or_default();
    let now = Instant::now();
    match result {
        Ok(done) => {
            remembered.acted(task.action, now);
            remembered.refusal = None;
            if task.action == Action::Remake {
                remembered.ended(now);
            }
            match done {
                Done::Written => {}
                Done::TooEarly => {
                    remembered.forget_action();
                    carried.later(PAUSE_RECHECK);
                    carried.unfinished = true;
                }
                // Once may be a watch that lags behind.
                Done::NameTaken if remembered.name_taken => {
                    let message = format!("a Pod named '{}' is there, but it is not this instance's", task.instance.name);
                    remembered.refusal = Some(Refusal { reason: "NameTaken".into(), message, permanent: None });
                }
                Done::NameTaken => remembered.name_taken = true,
            }
        }
        Err(error) => {
            let permanent = is_permanent(task.action, &error).then_some(cluster.generation);
            remembered.refusal = Some(Refusal { reason: error.reason().to_owned(), message: error.to_string(), permanent });
            if permanent.is_some() {
                tracing::warn!(cluster = %cluster.id, instance = task.instance.name, %error, "the member refuses an instance for good");
            } else {
                carried.error.get_or_insert(error);
            }
        }
    }
}

/// Whether trying again is of no use. Only what we build ourselves can be invalid for good: KubeVirt answers 400 to a
/// pause, too, while a node's virt-handler is away, and what is to be stopped must not stay for one refusal.
fn is_permanent(action: Action, error: &MemberError) -> bool {
    matches!(action, Action::Create | Action::Run) && !error.retryable()
}

/// What came of a write that was not refused.
enum Done {
    Written,
    /// The VM is not yet in the state for it.
    TooEarly,
    /// There is a Pod of that name already.
    NameTaken,
}

/// Makes the first Pod of a new namespace, waiting until it lets Pods in.
async fn probe(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, task: &Task<'_>) -> members::Result<Done> {
    let ends = Instant::now() + PROBE_LONG;
    let mut pause = PROBE_FIRST;
    loop {
        match act(pass, cluster, observed, task).await {
            Err(error) if error.namespace_not_ready() && Instant::now() < ends => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PROBE_MOST);
            }
            result => return result,
        }
    }
}

async fn act(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, task: &Task<'_>) -> members::Result<Done> {
    let Task { instance, action } = task;
    let writer = pass.writer();
    let namespace = cluster.namespace.as_str();
    let seen = observed.vm(instance);
    match action {
        Action::Nothing => Ok(Done::Written),
        Action::Create => {
            furnish(pass, cluster, instance).await?;
            create(pass, cluster, instance).await
        }
        Action::Delete | Action::Remake => match cluster.instance_type {
            InstanceType::Container => {
                let Some(pod) = observed.pod(instance) else { return Ok(Done::Written) };
                let grace = (*action == Action::Delete).then_some(pod::GRACE_SECONDS);
                writer.delete(Step::PodDelete, Kind::Pod, Some(namespace), &pod.name, &pod.uid, grace).await?;
                Ok(Done::Written)
            }
            InstanceType::Vm => {
                let Some(vm) = seen else { return Ok(Done::Written) };
                if plan::is_paused(vm) {
                    wake_for_shutdown(pass, namespace, &vm.name).await;
                }
                writer.delete(Step::VmDelete, Kind::VirtualMachine, Some(namespace), &vm.name, &vm.uid, None).await?;
                Ok(Done::Written)
            }
        },
        Action::Run => {
            furnish(pass, cluster, instance).await?;
            apply(pass, cluster, instance, RunStrategy::Always).await
        }
        Action::Halt => {
            if seen.is_some_and(plan::is_paused) {
                wake_for_shutdown(pass, namespace, &instance.name).await;
            }
            apply(pass, cluster, instance, RunStrategy::Halted).await
        }
        Action::Pause => Ok(match writer.vm_pause(Step::VmPause, namespace, &instance.name).await? {
            members::Pausing::Accepted => Done::Written,
            members::Pausing::NotApplicable => Done::TooEarly,
        }),
        Action::Unpause => Ok(match writer.vm_unpause(Step::VmUnpause, namespace, &instance.name).await? {
            members::Pausing::Accepted => Done::Written,
            members::Pausing::NotApplicable => Done::TooEarly,
        }),
    }
}

/// A paused guest does not hear the power button and would use up its whole grace period. Best effort.
pub(super) async fn wake_for_shutdown(pass: &Pass<'_>, namespace: &str, name: &str) {
    if let Err(error) = pass.writer().vm_unpause(Step::VmUnpause, namespace, name).await {
        tracing::debug!(namespace, name, %error, "cannot unpause before the shutdown");
    }
}

/// What an instance needs before it starts.
async fn furnish(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent) -> members::Result<()> {
    let installation = &pass.context.installation;
    let namespace = Some(cluster.namespace.as_str());
    for (name, object) in secret::build(installation, cluster, instance) {
        pass.writer().apply(Step::SecretApply, Kind::Secret, namespace, &name, &object).await?;
    }
    if let Some(object) = volume::build(installation, cluster, instance) {
        let name = volume::name(instance);
        pass.writer().apply(Step::VolumeApply, Kind::PersistentVolumeClaim, namespace, &name, &object).await?;
    }
    Ok(())
}

async fn create(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent) -> members::Result<Done> {
    let object = pod::build(&pass.context.installation, cluster, instance);
    let mut conflicts = 0;
    loop {
        match pass.writer().create_pod(Step::PodCreate, &cluster.namespace, &object).await {
            Ok(Creation::Created { .. }) => return Ok(Done::Written),
            Ok(Creation::Exists) => return Ok(Done::NameTaken),
            // Two creates met at the quota's status: the API server asks to repeat.
            Err(error) if error.is_conflict() && conflicts < QUOTA_CONFLICTS => {
                conflicts += 1;
                tokio::time::sleep(crate::backoff::backoff(conflicts, Duration::from_millis(10), Duration::from_millis(100))).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn apply(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent, strategy: RunStrategy) -> members::Result<Done> {
    let object = vm::build(&pass.context.installation, cluster, instance, strategy);
    let namespace = Some(cluster.namespace.as_str());
    pass.writer().apply(Step::VmApply, Kind::VirtualMachine, namespace, &instance.name, &object).await?;
    Ok(Done::Written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_we_build_is_refused_for_good() {
        let failure = |code, message: &str| members::ApiFailure { code, reason: String::new(), message: message.to_owned(), retry_after: None };
        let no_handler = MemberError::Api(Box::new(failure(400, "No virt-handler on node a found")));
        for action in [Action::Pause, Action::Unpause, Action::Delete, Action::Remake, Action::Halt] {
            assert!(!is_permanent(action, &no_handler), "{action:?}");
        }
        let busy = MemberError::Api(Box::new(failure(429, "too many requests")));
        for action in [Action::Create, Action::Run] {
            assert!(is_permanent(action, &no_handler), "{action:?}");
            assert!(!is_permanent(action, &busy), "{action:?}");
        }
    }
}
