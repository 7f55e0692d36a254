//! Writes what `plan` says, many instances at a time.
//!
//! Within a bounded slice of time, so that status shows while a thousand Pods are being made, and a change of mind is
//! heard. A namespace that is milliseconds old refuses Pods (no service account, no quota status yet): one Pod is
//! tried until it is let in, then the others follow.

mod batch;
mod progress;
mod write;

use store::ClusterIntent;
use tokio::time::Instant;
use types::InstanceType;

use self::{batch::Batch, write::Task};
pub(super) use self::{progress::Progress, write::delete_vm};
use super::{
    context::Pass,
    memory::{InstanceMemories, NamespaceMemory},
    observe::Observed,
    plan::{self, Action},
};
use crate::requeue::Requeue;

/// Makes at most one write (with what it needs first) for each instance.
pub(super) async fn reconcile(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    observed: &Observed,
    namespace: &mut NamespaceMemory,
    memory: &mut InstanceMemories,
) -> Progress {
    let mut progress = Progress::default();
    let mut tasks = plan_tasks(cluster, observed, memory, &mut progress);
    let batch = Batch::new(pass, cluster, observed);
    if !observed.pods.is_empty() {
        namespace.note_admission(true);
    }
    if cluster.instance_type == InstanceType::Container
        && !namespace.admits_pods()
        && let Some(first) = take_create(&mut tasks)
    {
        let result = write::execute_first(pass, cluster, observed, &first).await;
        namespace.note_admission(result.is_ok());
        // What this one is refused says nothing about the namespace: the others are tried.
        let not_yet = result.as_ref().is_err_and(progress::hits_every_instance);
        progress.note_outcome(cluster, memory, &first, result);
        if not_yet {
            return progress;
        }
    }
    batch.run(tasks, memory, &mut progress).await;
    progress
}

/// What is to be written now. What has to wait shows in `progress`.
fn plan_tasks<'a>(cluster: &'a ClusterIntent, observed: &Observed, memory: &mut InstanceMemories, progress: &mut Progress) -> Vec<Task<'a>> {
    let now = Instant::now();
    let mut tasks = Vec::new();
    for instance in &cluster.instances {
        let action = match cluster.instance_type {
            InstanceType::Container => plan::container(instance, observed.pod(instance)),
            InstanceType::Vm => plan::vm(instance, observed.vm(instance), observed.vmi(instance)),
        };
        let remembered = memory.of(instance);
        let admitted = remembered.admit(action, now);
        if action == Action::Nothing {
            remembered.note_nothing_to_do();
            continue;
        }
        if remembered.is_refused_for_good(cluster.generation) {
            continue;
        }
        if let Some(wait) = memory.retry_in(instance, action, now) {
            progress.leave_unfinished(Requeue::after(wait));
            continue;
        }
        match admitted {
            Ok(()) => tasks.push(Task { instance, action }),
            // A repeat that the watch will most likely make needless, or a Pod that ends too often: it counts as done.
            Err(wait) => progress.look_again(Requeue::after(wait)),
        }
    }
    tasks
}

fn take_create<'a>(tasks: &mut Vec<Task<'a>>) -> Option<Task<'a>> {
    let first = tasks.iter().position(|task| task.action == Action::Create)?;
    Some(tasks.remove(first))
}
