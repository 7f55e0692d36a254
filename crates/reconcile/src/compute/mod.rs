//! Tenant clusters: from intent to Namespaces, guardrails, Pods and VirtualMachines, and back to status.
//!
//! A pass goes through named steps, each idempotent: namespace, guardrails, instances, prune (`apply`), then report.
//! `observe` says what the cache shows, `plan` what to do about it, `judge` what it is; those and the building of
//! objects are pure, in files of their own. A deleted cluster goes another way: `delete`.

mod apply;
mod bounds;
mod context;
mod delete;
mod guardrails;
mod instances;
mod judge;
mod label;
mod memory;
mod namespace;
mod observe;
mod plan;
mod pod;
mod prune;
mod report;
mod secret;
mod sight;
mod vm;
mod volume;

#[cfg(test)]
mod build_tests;
#[cfg(test)]
mod fixtures;

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use members::Watch;
use types::ClusterId;

pub(crate) use self::{context::Context, memory::Memories};
use self::{context::Pass, memory::Memory};
use crate::{error::PassError, requeue::Outcome};

/// What it needs to see.
pub(crate) const WATCHES: &[Watch] =
    &[Watch::NAMESPACES, Watch::PODS, Watch::QUOTAS, Watch::LIMIT_RANGES, Watch::NETWORK_POLICIES, Watch::VMS, Watch::VMIS];

/// Makes a cluster match its intent as far as that is possible now. A panic is this cluster's trouble only.
pub(crate) async fn reconcile(context: &Context, id: ClusterId) -> Result<Outcome, PassError> {
    let panic = match AssertUnwindSafe(reconcile_cluster(context, id)).catch_unwind().await {
        Ok(result) => return result,
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no text").to_owned();
    // A failpoint stands for the death of the process.
    if text.starts_with("failpoint ") {
        std::panic::resume_unwind(panic);
    }
    context.memories.keep(id, Memory::after_panic());
    Err(PassError::Panicked(text))
}

async fn reconcile_cluster(context: &Context, id: ClusterId) -> Result<Outcome, PassError> {
    let Some(cluster) = context.store.cluster_intent(&context.lease, id).await? else {
        context.memories.take(id);
        return Ok(Outcome::Gone);
    };
    let mut memory = context.memories.take(id);
    let pass = Pass { context };
    let result = if let Some(unseen) = sight::blind(&pass, &cluster) {
        report::unseen(&pass, &cluster, &mut memory.report, &unseen).await
    } else if cluster.deleting {
        delete::run(&pass, &cluster, &mut memory).await
    } else {
        apply::run(&pass, cluster, &mut memory).await
    };
    if !matches!(result, Ok(Outcome::Gone)) {
        context.memories.keep(id, memory);
    }
    result
}
