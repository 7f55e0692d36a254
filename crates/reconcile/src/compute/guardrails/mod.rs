//! What keeps a tenant's namespace within its bounds: ResourceQuota, LimitRange, NetworkPolicies.
//!
//! The quota is a backstop: accounting is the store's. It counts every instance's row, so it is never in the way of
//! what was admitted. Policies bind only where the member's network plugin enforces them.

mod objects;

use members::{Kind, Writer};
use store::ClusterIntent;
use types::{Step, labels};

pub(super) use self::objects::build;
use super::{bounds::Bounds, context::Pass, label, memory::GuardrailMemory};
use crate::error::PassError;

/// Applies them when something that they depend on changed, and once in a while.
pub(super) async fn ensure(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut GuardrailMemory) -> Result<(), PassError> {
    let (writer, installation) = (pass.writer(), pass.context.installation.as_str());
    let recounts = memory.recounts();
    let bounds = Bounds::of(cluster, recounts);
    if memory.must_apply(&bounds) {
        apply(pass, cluster, recounts).await?;
        memory.note_applied(bounds);
    }
    if memory.must_prune() {
        prune(writer, installation, cluster).await?;
        memory.note_pruned();
    }
    Ok(())
}

async fn apply(pass: &Pass<'_>, cluster: &ClusterIntent, recounts: u32) -> Result<(), PassError> {
    let (writer, namespace) = (pass.writer(), Some(cluster.namespace.as_str()));
    let wanted = build(&pass.context.installation, cluster, recounts, &pass.context.options.deny_cidrs);
    let writes = wanted.iter().map(|g| writer.apply(Step::GuardrailApply, g.kind, namespace, g.name, &g.object));
    futures::future::try_join_all(writes).await?;
    Ok(())
}

/// Removes those of ours that are no longer wanted, for example after an upgrade renamed one.
async fn prune(writer: &Writer, installation: &str, cluster: &ClusterIntent) -> Result<(), PassError> {
    const MOST: u32 = 100;
    let selector = format!("{}={},{}", labels::MANAGED_BY, labels::MANAGED_BY_VALUE, label::selector(installation, cluster));
    let wanted = build(installation, cluster, 0, &[]);
    for kind in [Kind::ResourceQuota, Kind::LimitRange, Kind::NetworkPolicy] {
        for name in writer.member().names(kind, &cluster.namespace, &selector, MOST).await? {
            if !wanted.iter().any(|g| g.kind == kind && g.name == name) {
                tracing::info!(cluster = %cluster.id, kind = kind.as_str(), name, "removing a guardrail that is no longer wanted");
                writer.delete_named(Step::GuardrailPrune, kind, &cluster.namespace, &name).await?;
            }
        }
    }
    Ok(())
}
