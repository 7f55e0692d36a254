//! Whether the caches are good enough to act by: what is not seen must not be taken for gone.

use std::time::Duration;

use members::{Kind, KubeVirt};
use store::{ClusterIntent, ClusterObservation};
use tokio::time::Instant;
use types::InstanceType;

use super::context::Pass;
use crate::requeue::Requeue;

/// A watch that has failed for so long may have missed anything.
const BLIND_MOST: Duration = Duration::from_secs(60);
/// When to look again then: the watch tells of what it missed, but not that it missed nothing.
const BLIND_RECHECK: Duration = Duration::from_secs(15);
/// Lists come within moments after a lease was taken: until then nobody is told that they are missing.
const LISTS_GRACE: Duration = Duration::from_secs(5);
/// When to look again although those that wait are named as soon as more is known.
const PARKED_RECHECK: Duration = Duration::from_secs(30);

/// Why a cluster cannot be judged, and when to look again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unseen {
    /// What to tell of it; `None`: nothing yet.
    pub(super) told: Option<(&'static str, String)>,
    pub(super) requeue: Requeue,
}

impl Unseen {
    /// As status. Nothing was carried out.
    pub(super) fn observation(&self) -> Option<ClusterObservation> {
        let (reason, message) = self.told.clone()?;
        Some(ClusterObservation { carried_out: None, reason: Some(reason.to_owned()), message: Some(message) })
    }
}

/// Whether a watch that the cluster depends on has failed for long. Nothing is created or deleted on its word.
pub(super) fn blind(pass: &Pass<'_>, cluster: &ClusterIntent) -> Option<Unseen> {
    let cache = &pass.context.cache;
    if !cache.synced() {
        // They were once, or no pass would run: there are more objects now than are kept.
        let sentence = "the member's Namespaces and Pods are not known in full; nothing is changed there until they are".to_owned();
        return Some(Unseen { told: Some(("MemberNotSynced", sentence)), requeue: Requeue::after(BLIND_RECHECK) });
    }
    let mut kinds = vec![Kind::Namespace, Kind::Pod];
    // Those that never came are waited for, and why is told better there: `without_vms`.
    if cluster.instance_type == InstanceType::Vm && cache.vms_synced() {
        kinds.extend([Kind::VirtualMachine, Kind::VirtualMachineInstance]);
    }
    blind_for(cache.blind_for(&kinds)?)
}

fn blind_for(time: Duration) -> Option<Unseen> {
    (time >= BLIND_MOST).then(|| {
        let sentence = "the member has not been heard of for a minute or more; nothing is changed there until it is".to_owned();
        Unseen { told: Some(("MemberNotWatched", sentence)), requeue: Requeue::after(BLIND_RECHECK) }
    })
}

/// Whether the VMs of the cluster, if it is one of VMs, are not known yet. It is named as soon as they are.
pub(super) fn without_vms(pass: &Pass<'_>, cluster: &ClusterIntent) -> Option<Unseen> {
    let context = pass.context;
    if cluster.instance_type != InstanceType::Vm {
        return None;
    }
    if context.cache.kubevirt() == KubeVirt::Absent {
        // No VM shows, which is known: it is judged, and named when KubeVirt comes.
        context.memories.park(cluster.id);
        return None;
    }
    context.cache.vms_trouble()?;
    context.memories.park(cluster.id);
    // Once more: what came between would have named nobody.
    let trouble = context.cache.vms_trouble()?;
    Some(not_known(context.cache.kubevirt(), trouble, context.lease_held_since, Instant::now()))
}

fn not_known(kubevirt: KubeVirt, trouble: String, lease_held_since: Instant, now: Instant) -> Unseen {
    let left = (lease_held_since + LISTS_GRACE).saturating_duration_since(now);
    if !left.is_zero() {
        return Unseen { told: None, requeue: Requeue::after(left) };
    }
    let reason = if kubevirt == KubeVirt::Unknown { "KubeVirtUnknown" } else { "MemberNotSynced" };
    Unseen { told: Some((reason, trouble)), requeue: Requeue::after(PARKED_RECHECK) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_believed_for_a_minute() {
        assert_eq!(blind_for(BLIND_MOST - Duration::from_secs(1)), None);
        let unseen = blind_for(BLIND_MOST).unwrap();
        assert_eq!(unseen.observation().and_then(|said| said.reason).as_deref(), Some("MemberNotWatched"));
    }

    #[tokio::test(start_paused = true)]
    async fn why_vms_are_not_known_is_said_once_they_should_be_and_nobody_polls() {
        let now = Instant::now();
        let at = |kubevirt, seconds| not_known(kubevirt, "why".into(), now, now + Duration::from_secs(seconds));
        assert_eq!(at(KubeVirt::Unknown, 1), Unseen { told: None, requeue: Requeue::after(Duration::from_secs(4)) });
        let parked = Requeue::after(PARKED_RECHECK);
        assert_eq!(at(KubeVirt::Unknown, 5), Unseen { told: Some(("KubeVirtUnknown", "why".into())), requeue: parked });
        assert_eq!(at(KubeVirt::Served, 9), Unseen { told: Some(("MemberNotSynced", "why".into())), requeue: parked });
    }
}
