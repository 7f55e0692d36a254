//! One write for one instance, with what it needs first.

use std::time::Duration;

use members::{Creation, Deletion, Kind, Pausing, VmView};
use store::{ClusterIntent, InstanceIntent};
use tokio::time::Instant;
use types::{InstanceType, Step};

use crate::{
    backoff::backoff,
    compute::{
        context::Pass,
        observe::Observed,
        plan::{self, Action},
        pod, secret,
        vm::{self, RunStrategy},
        volume,
    },
};

/// Pause before asking a new namespace again, at first and at most; and how long to go on asking within a pass.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const FIRST_PAUSE_MOST: Duration = Duration::from_millis(200);
const FIRST_LONG: Duration = Duration::from_secs(3);
/// How often a create that met another one at the quota is repeated at once.
const QUOTA_CONFLICTS: u32 = 5;

/// A write that one instance needs.
pub(super) struct Task<'a> {
    pub(super) instance: &'a InstanceIntent,
    pub(super) action: Action,
}

/// What came of a write that was not refused.
pub(super) enum Written {
    /// It was done.
    AsAsked,
    /// The VM is not yet in the state for it.
    TooEarly,
    /// There is a Pod of that name already.
    NameTaken,
}

/// Makes the first Pod of a new namespace, waiting until it lets Pods in.
pub(super) async fn execute_first(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, task: &Task<'_>) -> members::Result<Written> {
    let ends = Instant::now() + FIRST_LONG;
    let mut pause = FIRST_PAUSE;
    loop {
        match execute(pass, cluster, observed, task).await {
            Err(error) if error.namespace_not_ready() && Instant::now() < ends => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(FIRST_PAUSE_MOST);
            }
            result => return result,
        }
    }
}

/// Does what a task says, with what it needs first.
pub(super) async fn execute(pass: &Pass<'_>, cluster: &ClusterIntent, observed: &Observed, task: &Task<'_>) -> members::Result<Written> {
    let Task { instance, action } = task;
    let writer = pass.writer();
    let namespace = cluster.namespace.as_str();
    match action {
        Action::Nothing => Ok(Written::AsAsked),
        Action::Create => {
            apply_prerequisites(pass, cluster, instance).await?;
            create_pod(pass, cluster, instance).await
        }
        Action::Delete | Action::Recreate => match cluster.instance_type {
            InstanceType::Container => {
                let Some(pod) = observed.pod(instance) else { return Ok(Written::AsAsked) };
                let grace = (*action == Action::Delete).then_some(pod::GRACE_SECONDS);
                writer.delete(Step::PodDelete, Kind::Pod, Some(namespace), &pod.name, &pod.uid, grace).await?;
                Ok(Written::AsAsked)
            }
            InstanceType::Vm => {
                let Some(vm) = observed.vm(instance) else { return Ok(Written::AsAsked) };
                delete_vm(pass, namespace, vm).await?;
                Ok(Written::AsAsked)
            }
        },
        Action::Run => {
            apply_prerequisites(pass, cluster, instance).await?;
            apply_vm(pass, cluster, instance, RunStrategy::Always).await
        }
        Action::Halt => {
            if observed.vm(instance).is_some_and(stands_still) {
                unpause_for_shutdown(pass, namespace, &instance.name).await;
            }
            apply_vm(pass, cluster, instance, RunStrategy::Halted).await
        }
        Action::Pause => Ok(paused(writer.vm_pause(Step::VmPause, namespace, &instance.name).await?)),
        Action::Unpause => Ok(paused(writer.vm_unpause(Step::VmUnpause, namespace, &instance.name).await?)),
    }
}

fn paused(pausing: Pausing) -> Written {
    match pausing {
        Pausing::Accepted => Written::AsAsked,
        Pausing::NotApplicable => Written::TooEarly,
    }
}

/// Deletes a VM, so that its guest may shut down.
pub(in crate::compute) async fn delete_vm(pass: &Pass<'_>, namespace: &str, vm: &VmView) -> members::Result<Deletion> {
    if stands_still(vm) {
        unpause_for_shutdown(pass, namespace, &vm.name).await;
    }
    pass.writer().delete(Step::VmDelete, Kind::VirtualMachine, Some(namespace), &vm.name, &vm.uid, None).await
}

fn stands_still(vm: &VmView) -> bool {
    plan::is_paused(vm) || plan::is_paused_by_storage(vm)
}

/// A paused guest does not hear the power button and would use up its whole grace period. Best effort.
async fn unpause_for_shutdown(pass: &Pass<'_>, namespace: &str, name: &str) {
    if let Err(error) = pass.writer().vm_unpause(Step::VmUnpause, namespace, name).await {
        tracing::debug!(namespace, name, %error, "cannot unpause before the shutdown");
    }
}

/// What an instance needs before it starts.
async fn apply_prerequisites(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent) -> members::Result<()> {
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

async fn create_pod(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent) -> members::Result<Written> {
    let object = pod::build(&pass.context.installation, cluster, instance);
    let mut conflicts = 0;
    loop {
        match pass.writer().create_pod(Step::PodCreate, &cluster.namespace, &object).await {
            Ok(Creation::Created { .. }) => return Ok(Written::AsAsked),
            Ok(Creation::Exists) => return Ok(Written::NameTaken),
            // Two creates met at the quota's status: the API server asks to repeat.
            Err(error) if error.is_conflict() && conflicts < QUOTA_CONFLICTS => {
                conflicts += 1;
                tokio::time::sleep(backoff(conflicts, Duration::from_millis(10), Duration::from_millis(100))).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn apply_vm(pass: &Pass<'_>, cluster: &ClusterIntent, instance: &InstanceIntent, strategy: RunStrategy) -> members::Result<Written> {
    let object = vm::build(&pass.context.installation, cluster, instance, strategy);
    let namespace = Some(cluster.namespace.as_str());
    pass.writer().apply(Step::VmApply, Kind::VirtualMachine, namespace, &instance.name, &object).await?;
    Ok(Written::AsAsked)
}
