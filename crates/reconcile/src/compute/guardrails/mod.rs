//! What keeps a tenant's namespace within its bounds: ResourceQuota, LimitRange, NetworkPolicies.
//!
//! The quota is a backstop: accounting is the store's. It counts every instance's row, so it is never in the way of
//! what was admitted. Policies bind only where the member's network plugin enforces them.

//! They are applied when what is wanted of them changed, or when somebody else changed them; what was applied is recorded
//! on the namespace, so that neither a takeover nor a walk through all clusters writes anything.

mod objects;

use futures::future::join_all;
use members::Kind;
use sha2::{Digest as _, Sha256};
use store::ClusterIntent;
use tokio::time::Instant;
use types::{Step, labels};

use self::objects::Guardrail;
pub(super) use self::objects::build;
use super::{
    context::Pass,
    label,
    memory::{GuardrailMemory, Said},
    namespace,
};
use crate::{error::PassError, requeue::Requeue};

/// Applies those that are not as they should be. `recorded` is what the namespace says of them.
pub(super) async fn ensure(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    recorded: Option<&str>,
    memory: &mut GuardrailMemory,
) -> Result<Requeue, PassError> {
    let objects = wanted(pass, cluster, memory);
    let wanted: Vec<_> = objects.iter().map(said).collect();
    let seen = see(pass, cluster);
    let seen: Option<Vec<Said<'_>>> = seen.as_ref().map(|seen| seen.iter().map(|(kind, name, content)| (*kind, name.as_str(), *content)).collect());
    memory.adopt(recorded, &wanted, seen.as_deref());
    let (overdue, requeue) = memory.overdue(&wanted, seen.as_deref(), Instant::now());
    let namespace = Some(cluster.namespace.as_str());
    let writes = overdue.iter().filter_map(|place| objects.get(*place)).map(async |guardrail| {
        let Guardrail { kind, name, object } = guardrail;
        (said(guardrail), pass.writer().apply(Step::GuardrailApply, *kind, namespace, name, object).await)
    });
    let mut first = None;
    for (said, applied) in join_all(writes).await {
        match applied {
            Ok(applied) => memory.note_applied(said, applied.content, Instant::now()),
            Err(error) => _ = first.get_or_insert(error),
        }
    }
    if let Some(error) = first {
        return Err(error.into());
    }
    prune(pass, cluster, &wanted, seen.as_deref(), memory).await?;
    Ok(requeue)
}

/// Records on the namespace what was applied. Whoever takes over without that applies all again: it is not urgent.
pub(super) async fn record(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &mut GuardrailMemory) -> Result<(), PassError> {
    let objects = wanted(pass, cluster, memory);
    let wanted: Vec<_> = objects.iter().map(said).collect();
    if let Some(text) = memory.unrecorded(&wanted) {
        namespace::record_guardrails(pass, cluster, &text).await?;
        memory.note_recorded(text);
    }
    Ok(())
}

fn wanted(pass: &Pass<'_>, cluster: &ClusterIntent, memory: &GuardrailMemory) -> Vec<Guardrail> {
    build(&pass.context.installation, cluster, memory.recounts(), &pass.context.options.deny_cidrs)
}

/// A number for our object, the same in every process and release.
fn said(guardrail: &Guardrail) -> Said<'_> {
    let digest: [u8; 32] = Sha256::digest(guardrail.object.to_string()).into();
    (guardrail.kind, guardrail.name, digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Those that are there, as the watches last told it; `None` where they do not.
fn see(pass: &Pass<'_>, cluster: &ClusterIntent) -> Option<Vec<(Kind, String, u64)>> {
    let cache = &pass.context.cache;
    let here = |kind: Kind, view: &members::GuardrailView| {
        (view.namespace == cluster.namespace && view.terminating.is_none()).then(|| (kind, view.name.clone(), view.content))
    };
    cache.guardrails_synced().then(|| cache.guardrails(cluster.id).iter().filter_map(|(kind, view)| here(*kind, view)).collect())
}

/// Removes those of ours that are no longer wanted, for example after an upgrade renamed one.
async fn prune(
    pass: &Pass<'_>,
    cluster: &ClusterIntent,
    wanted: &[Said<'_>],
    seen: Option<&[Said<'_>]>,
    memory: &mut GuardrailMemory,
) -> Result<(), PassError> {
    const MOST: u32 = 100;
    let is_wanted = |kind: Kind, name: &str| wanted.iter().any(|said| said.0 == kind && said.1 == name);
    let mut unwanted = Vec::new();
    match seen {
        Some(seen) => unwanted.extend(seen.iter().filter(|said| !is_wanted(said.0, said.1)).map(|said| (said.0, said.1.to_owned()))),
        None if memory.must_prune() => {
            let selector = format!("{}={},{}", labels::MANAGED_BY, labels::MANAGED_BY_VALUE, label::selector(&pass.context.installation, cluster));
            for kind in [Kind::ResourceQuota, Kind::LimitRange, Kind::NetworkPolicy] {
                let names = pass.member().names(kind, &cluster.namespace, &selector, MOST).await?;
                unwanted.extend(names.into_iter().filter(|name| !is_wanted(kind, name)).map(|name| (kind, name)));
            }
        }
        None => {}
    }
    for (kind, name) in unwanted {
        tracing::info!(cluster = %cluster.id, kind = kind.as_str(), name, "removing a guardrail that is no longer wanted");
        pass.writer().delete_named(Step::GuardrailPrune, kind, &cluster.namespace, &name).await?;
    }
    memory.note_pruned();
    Ok(())
}
