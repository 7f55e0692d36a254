//! What is there, as the watches last told it: small views, by subject.
//!
//! A relist replaces a kind's views in one step; until the first one is complete nothing may be judged missing.
//! The cache only ever says what the member said: nothing that we wrote is put in before it comes back by watch.

mod kind;
mod kinds;
mod known;
mod objects;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use types::{ClusterId, Subject};

pub(crate) use self::kinds::{KindCaches, Watched, watched};
pub use self::known::{Known, KubeVirt};
use crate::{
    Kind,
    reach::Reach,
    view::{GuardrailView, NamespaceView, PodView, VmView, VmiView},
};

/// All views of one member. Cheap to read: a read clones pointers under a short lock.
pub struct Cache {
    kinds: Mutex<KindCaches>,
    known: watch::Sender<Known>,
    reach: Arc<Reach>,
}

impl Cache {
    pub(crate) fn new(reach: Arc<Reach>) -> Self {
        Self { kinds: Mutex::default(), known: watch::Sender::default(), reach }
    }

    fn read<T>(&self, f: impl FnOnce(&KindCaches) -> T) -> T {
        f(&self.kinds.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes what is known, and tells those that wait for it.
    pub(crate) fn update<T>(&self, f: impl FnOnce(&mut KindCaches) -> T) -> T {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let result = f(&mut kinds);
        let now = kinds.known();
        self.known.send_if_modified(|known| std::mem::replace(known, now) != now);
        result
    }

    /// Which parts are known, and each change of that: who must wait for a part is woken here instead of asking again.
    pub fn known(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }

    /// Whether Namespaces and Pods are known, so that what is not here is not there.
    pub fn synced(&self) -> bool {
        self.known.borrow().containers
    }

    /// Waits until Namespaces and Pods are known.
    pub async fn until_synced(&self) {
        // The sender is ours: it cannot be gone.
        let _ = self.known().wait_for(|known| known.containers).await;
    }

    /// Whether ResourceQuotas, LimitRanges and NetworkPolicies are known.
    pub fn guardrails_synced(&self) -> bool {
        self.known.borrow().guardrails
    }

    /// Whether VMs are known: KubeVirt is served and listed, or known to be absent.
    pub fn vms_synced(&self) -> bool {
        self.known.borrow().vms
    }

    /// Whether the member serves KubeVirt.
    pub fn kubevirt(&self) -> KubeVirt {
        self.known.borrow().kubevirt
    }

    /// Why VMs are not known, in a sentence fit for tenants; `None` when they are.
    pub fn vms_trouble(&self) -> Option<String> {
        self.read(|kinds| {
            if kinds.known().vms {
                return None;
            }
            if kinds.kubevirt == KubeVirt::Unknown {
                let why = kinds.kubevirt_trouble.as_ref().map_or_else(|| "it was not asked yet".to_owned(), |error| error.for_tenant());
                return Some(format!("it is not known whether the member serves KubeVirt: {why}"));
            }
            let unlisted = [("VirtualMachines", kinds.vms.state()), ("VirtualMachineInstances", kinds.vmis.state())];
            unlisted.into_iter().find(|(_, state)| !state.synced).map(|(kind, state)| match &state.failing {
                Some((error, _)) => format!("the member's {kind} cannot be listed: {}", error.for_tenant()),
                None => format!("the member's {kind} are not listed yet"),
            })
        })
    }

    /// Why something is not seen at present, for operators: a watch that fails, or KubeVirt that cannot be asked for.
    pub fn trouble(&self) -> Option<String> {
        self.read(|kinds| {
            let failing = kinds.states().find_map(|(kind, state)| {
                let (error, _) = state.failing.as_ref()?;
                Some(format!("watch of {}: {}: {error}", kind.as_str(), error.reason()))
            });
            failing.or_else(|| kinds.kubevirt_trouble.as_ref().map(|error| format!("discovery of KubeVirt: {error}")))
        })
    }

    /// Since when nothing is heard of one of these kinds: its watch has failed without a success since, or the whole
    /// member has not answered any call. `None`: the cache is as good as it gets.
    pub fn blind_since(&self, kinds: &[Kind]) -> Option<Instant> {
        let failing = self.read(|caches| {
            let these = caches.states().filter(|(kind, _)| kinds.contains(kind));
            these.filter_map(|(_, state)| Some(state.failing.as_ref()?.1)).min()
        });
        failing.into_iter().chain(self.reach.silent_since()).min()
    }

    /// For how long nothing has been heard of one of these kinds.
    pub fn blind_for(&self, kinds: &[Kind]) -> Option<Duration> {
        self.blind_since(kinds).map(|since| since.elapsed())
    }

    /// Since when the member is out of reach: no call is answered, or every watch fails for want of an answer.
    pub fn unreachable_since(&self) -> Option<Instant> {
        let watches = self.read(|kinds| {
            let watched: Vec<_> = kinds.states().filter(|(_, state)| state.watched).collect();
            let silent = watched.iter().filter_map(|(_, state)| state.failing.as_ref().filter(|(error, _)| error.is_silence()));
            let since: Vec<_> = silent.map(|(_, since)| *since).collect();
            if since.len() == watched.len() { since.into_iter().max() } else { None }
        });
        self.reach.silent_since().into_iter().chain(watches).min()
    }

    /// Namespaces that carry the cluster's label; more than one only if somebody copied it.
    pub fn namespaces(&self, cluster: ClusterId) -> Vec<Arc<NamespaceView>> {
        self.read(|kinds| kinds.namespaces.of(Subject::Cluster(cluster)))
    }

    /// Every Namespace that carries our installation's label, with the subject it claims.
    pub fn namespaces_all(&self) -> Vec<(Option<Subject>, Arc<NamespaceView>)> {
        self.read(|kinds| kinds.namespaces.all())
    }

    /// Pods of a cluster, launchers included.
    pub fn pods(&self, cluster: ClusterId) -> Vec<Arc<PodView>> {
        self.read(|kinds| kinds.pods.of(Subject::Cluster(cluster)))
    }

    /// ResourceQuotas, LimitRanges and NetworkPolicies of a cluster.
    pub fn guardrails(&self, cluster: ClusterId) -> Vec<(Kind, Arc<GuardrailView>)> {
        self.read(|kinds| kinds.guardrails(Subject::Cluster(cluster)))
    }

    /// VirtualMachines of a cluster.
    pub fn vms(&self, cluster: ClusterId) -> Vec<Arc<VmView>> {
        self.read(|kinds| kinds.vms.of(Subject::Cluster(cluster)))
    }

    /// VirtualMachineInstances of a cluster.
    pub fn vmis(&self, cluster: ClusterId) -> Vec<Arc<VmiView>> {
        self.read(|kinds| kinds.vmis.of(Subject::Cluster(cluster)))
    }

    /// Number of objects kept, by kind.
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        self.read(|kinds| kinds.sizes().into_iter().map(|(kind, count)| (kind.as_str(), count)).collect())
    }
}
