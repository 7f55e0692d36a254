//! Tenant clusters: from intent to Namespaces, guardrails, Pods and VirtualMachines, and back to status.
//!
//! A pass goes through named steps, each idempotent: observe, namespace, guardrails, instances, prune, report. Building
//! objects and judging what is seen is pure and lives in files of its own. A deleted cluster goes another way: `delete`.

mod context;
mod delete;
mod guardrails;
mod instances;
mod label;
mod memory;
mod namespace;
mod observe;
mod plan;
mod pod;
mod prune;
mod report;
mod secret;
mod status;
mod vm;
mod volume;

#[cfg(test)]
mod build_tests;
#[cfg(test)]
mod fixtures;

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use members::KubeVirt;
use store::{ClusterIntent, ClusterObservation};
use types::{ClusterId, InstanceType};

pub(crate) use self::{context::Context, memory::Memories};
use self::{context::Pass, guardrails::Bounds, instances::Carried, memory::Memory, namespace::Ensured, observe::Observed};
use crate::{error::PassError, queue::Verdict};

/// When to look again at a namespace that cannot be used.
const BLOCKED_RECHECK: Duration = Duration::from_secs(2);
/// When to look again while the VMs are not known yet.
const SYNC_RECHECK: Duration = Duration::from_millis(500);

/// Makes a cluster match its intent as far as that is possible now. A panic is this cluster's trouble only.
pub(crate) async fn pass(context: &Context, id: ClusterId) -> Result<Verdict, PassError> {
    let panic = match AssertUnwindSafe(look(context, id)).catch_unwind().await {
        Ok(result) => return result,
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no text").to_owned();
    // A failpoint stands for the death of the process.
    if text.starts_with("failpoint ") {
        std::panic::resume_unwind(panic);
    }
    // What was remembered went with the pass: whether a create was sent is not known.
    context.memories.with(|memories| memories.insert(id, Memory { namespace_sent: true, ..Memory::default() }));
    Err(PassError::Panicked(text))
}

async fn look(context: &Context, id: ClusterId) -> Result<Verdict, PassError> {
    let Some(cluster) = context.store.cluster_intent(id).await? else {
        context.memories.with(|memories| memories.remove(&id));
        return Ok(Verdict::Gone);
    };
    let mut memory = context.memories.with(|memories| memories.remove(&id)).unwrap_or_default();
    let pass = Pass { context };
    let result = match cluster.deleting {
        true => delete::run(&pass, &cluster, &mut memory).await,
        false => pass.run(cluster, &mut memory).await,
    };
    if !memory.removed {
        context.memories.with(|memories| memories.insert(id, memory));
    }
    result
}

impl Pass<'_> {
    async fn run(&self, mut cluster: ClusterIntent, memory: &mut Memory) -> Result<Verdict, PassError> {
        if cluster.instance_type == InstanceType::Vm && !self.context.cache.vms_synced() {
            return Ok(Verdict::Again(SYNC_RECHECK));
        }
        let mut observation = ClusterObservation::default();
        let result = self.write_objects(&mut cluster, memory, &mut observation).await;
        if let Err(error) = &result {
            observation.reason.get_or_insert_with(|| error.reason().to_owned());
            observation.message.get_or_insert_with(|| error.to_string());
        }
        if matches!(result, Err(PassError::Store(_)) | Err(PassError::Member(members::MemberError::Fenced))) {
            return result.map(|_| Verdict::Settled);
        }
        // Also after a failure: what is seen is true, and the failure is part of it.
        let observed = Observed::of(&self.context.cache, &cluster);
        let look_again = self.write_status(&cluster, &observed, memory, observation).await?;
        let carried = result?;
        let again = [carried, look_again].into_iter().flatten().min();
        Ok(again.map_or(Verdict::Settled, Verdict::Again))
    }

    /// Namespace, guardrails, instances, prune. Answers when to look again.
    async fn write_objects(
        &self,
        cluster: &mut ClusterIntent,
        memory: &mut Memory,
        observation: &mut ClusterObservation,
    ) -> Result<Option<Duration>, PassError> {
        match namespace::ensure(self, cluster, memory).await? {
            Ensured::Ready { new: true } => {
                memory.open = false;
                memory.guardrails = None;
                memory.pruned = true;
            }
            Ensured::Ready { new: false } => {}
            Ensured::Blocked(reason, message) => {
                observation.reason = Some(reason.to_owned());
                observation.message = Some(message);
                return Ok(Some(BLOCKED_RECHECK));
            }
        }
        self.guard(cluster, memory).await?;
        let observed = Observed::of(&self.context.cache, cluster);
        let Carried { again, unfinished, error } =
            match cluster.instance_type == InstanceType::Vm && self.context.cache.kubevirt() != KubeVirt::Served {
                true => Carried::default(),
                false => instances::carry_out(self, cluster, &observed, memory).await,
            };
        if let Some(error) = error {
            memory.note_refusal(&error);
            // One instance that is refused must not keep the quota of those that were scaled away. Without the lease,
            // or without an answer, pruning fares no better.
            let answered = !matches!(error, members::MemberError::Fenced | members::MemberError::Timeout(_) | members::MemberError::Unreachable(_));
            if answered && let Err(error) = prune::run(self, cluster, &observed).await {
                tracing::info!(cluster = %cluster.id, %error, "cannot prune either");
            }
            return Err(error.into());
        }
        memory.not_ready = 0;
        let pruning = prune::run(self, cluster, &observed).await?;
        if !unfinished {
            observation.carried_out = Some(cluster.generation);
        }
        Ok([again, pruning].into_iter().flatten().min())
    }

    /// Applies the guardrails when something that they depend on changed, and once in a while.
    async fn guard(&self, cluster: &ClusterIntent, memory: &mut Memory) -> Result<(), PassError> {
        let bounds = Bounds::of(cluster, memory.recounts);
        if memory.guardrails.as_ref() != Some(&bounds) {
            // Something changed about a guarded namespace: look for what is left of its former guardrails, too.
            memory.pruned &= memory.guardrails.is_none();
            guardrails::apply(self.writer(), &self.context.installation, cluster, memory.recounts).await?;
            memory.guardrails = Some(bounds);
        }
        if !memory.pruned {
            guardrails::prune(self.writer(), &self.context.installation, cluster).await?;
            memory.pruned = true;
        }
        Ok(())
    }
}
