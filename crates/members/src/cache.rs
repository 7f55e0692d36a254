//! What is there, as the watches last told it: small views, by subject.
//!
//! A relist replaces a kind's views in one step; until the first one is complete nothing may be judged missing.
//! The cache only ever says what the member said: nothing that we wrote is put in before it comes back by watch.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Notify;
use types::{ClusterId, Subject};

use crate::{
    Kind,
    view::{NamespaceView, ObjectRef, PodView, SlimNamespace, SlimPod, SlimVm, SlimVmi, VmView, VmiView},
};

/// A watch that does not work fails again within this time; one that works again may have nothing to tell.
const TROUBLE_LASTS: Duration = Duration::from_secs(45);

/// Whether the member serves KubeVirt's API.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KubeVirt {
    /// Not asked yet, or no answer.
    #[default]
    Unknown,
    /// It does not.
    Absent,
    /// It does.
    Served,
}

/// Views of one kind.
pub(crate) struct KindCache<V> {
    views: Views<V>,
    staging: Option<Views<V>>,
    synced: bool,
    trouble: Option<(String, Instant)>,
}

/// Namespace and name.
type NamespacedName = (String, String);
/// By subject; `None` holds those that name none.
type Views<V> = HashMap<Option<Subject>, HashMap<NamespacedName, Arc<V>>>;

impl<V> Default for KindCache<V> {
    fn default() -> Self {
        Self { views: HashMap::new(), staging: None, synced: false, trouble: None }
    }
}

impl<V> KindCache<V> {
    pub(crate) fn relist_begin(&mut self) {
        self.staging = Some(HashMap::new());
    }

    pub(crate) fn relist_add(&mut self, object: ObjectRef, view: V) {
        let staging = self.staging.get_or_insert_default();
        staging.entry(object.subject).or_default().insert((object.namespace, object.name), Arc::new(view));
    }

    /// Returns the subjects to look at again: all that had something or have something now.
    pub(crate) fn relist_end(&mut self) -> Vec<Subject> {
        let new = self.staging.take().unwrap_or_default();
        let old = std::mem::replace(&mut self.views, new);
        self.synced = true;
        self.trouble = None;
        let mut touched: Vec<_> = old.keys().chain(self.views.keys()).copied().flatten().collect();
        touched.sort_unstable();
        touched.dedup();
        touched
    }

    pub(crate) fn apply(&mut self, object: ObjectRef, view: V) {
        self.trouble = None;
        self.views.entry(object.subject).or_default().insert((object.namespace, object.name), Arc::new(view));
    }

    pub(crate) fn delete(&mut self, object: &ObjectRef) {
        if let Some(of_subject) = self.views.get_mut(&object.subject) {
            of_subject.remove(&(object.namespace.clone(), object.name.clone()));
            if of_subject.is_empty() {
                self.views.remove(&object.subject);
            }
        }
    }

    pub(crate) fn fail(&mut self, trouble: String) {
        self.trouble = Some((trouble, Instant::now()));
    }

    /// Forgets everything; returns the subjects that had something.
    pub(crate) fn clear(&mut self) -> Vec<Subject> {
        let old = std::mem::take(self);
        old.views.into_keys().flatten().collect()
    }

    fn of(&self, cluster: ClusterId) -> Vec<Arc<V>> {
        self.views.get(&Some(Subject::Cluster(cluster))).map(|views| views.values().cloned().collect()).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.views.values().map(HashMap::len).sum()
    }
}

/// What the watches of one member know.
#[derive(Default)]
pub(crate) struct KindCaches {
    pub(crate) namespaces: KindCache<NamespaceView>,
    pub(crate) pods: KindCache<PodView>,
    pub(crate) vms: KindCache<VmView>,
    pub(crate) vmis: KindCache<VmiView>,
    pub(crate) kubevirt: KubeVirt,
}

/// A kind's view: of which kind, of which objects it is made, and where it is kept.
pub(crate) trait Cached: From<Self::Object> + Sized + Send + Sync + 'static {
    const KIND: Kind;
    type Object;
    fn views(kinds: &mut KindCaches) -> &mut KindCache<Self>;
}

impl Cached for NamespaceView {
    const KIND: Kind = Kind::Namespace;
    type Object = SlimNamespace;
    fn views(kinds: &mut KindCaches) -> &mut KindCache<Self> {
        &mut kinds.namespaces
    }
}

impl Cached for PodView {
    const KIND: Kind = Kind::Pod;
    type Object = SlimPod;
    fn views(kinds: &mut KindCaches) -> &mut KindCache<Self> {
        &mut kinds.pods
    }
}

impl Cached for VmView {
    const KIND: Kind = Kind::VirtualMachine;
    type Object = SlimVm;
    fn views(kinds: &mut KindCaches) -> &mut KindCache<Self> {
        &mut kinds.vms
    }
}

impl Cached for VmiView {
    const KIND: Kind = Kind::VirtualMachineInstance;
    type Object = SlimVmi;
    fn views(kinds: &mut KindCaches) -> &mut KindCache<Self> {
        &mut kinds.vmis
    }
}

/// All views of one member. Cheap to read: a read clones pointers under a short lock.
#[derive(Default)]
pub struct Cache {
    kinds: Mutex<KindCaches>,
    relisted: Notify,
}

impl Cache {
    pub(crate) fn lock(&self) -> MutexGuard<'_, KindCaches> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether Namespaces and Pods are known, so that what is not here is not there.
    pub fn synced(&self) -> bool {
        let kinds = self.lock();
        kinds.namespaces.synced && kinds.pods.synced
    }

    /// Waits until Namespaces and Pods are known.
    pub async fn until_synced(&self) {
        let mut relisted = pin!(self.relisted.notified());
        loop {
            relisted.as_mut().enable();
            if self.synced() {
                return;
            }
            relisted.as_mut().await;
            relisted.set(self.relisted.notified());
        }
    }

    /// Tells those that wait that a list is complete.
    pub(crate) fn relisted(&self) {
        self.relisted.notify_waiters();
    }

    /// Whether VMs are known: KubeVirt is served and listed, or known to be absent.
    pub fn vms_synced(&self) -> bool {
        let kinds = self.lock();
        match kinds.kubevirt {
            KubeVirt::Unknown => false,
            KubeVirt::Absent => true,
            KubeVirt::Served => kinds.vms.synced && kinds.vmis.synced,
        }
    }

    /// Whether the member serves KubeVirt.
    pub fn kubevirt(&self) -> KubeVirt {
        self.lock().kubevirt
    }

    /// Why a watch does not work at present.
    pub fn trouble(&self) -> Option<String> {
        let kinds = self.lock();
        let KindCaches { namespaces, pods, vms, vmis, kubevirt: _ } = &*kinds;
        let troubles = [&namespaces.trouble, &pods.trouble, &vms.trouble, &vmis.trouble];
        let lasting = troubles.into_iter().flatten().find(|(_, at)| at.elapsed() < TROUBLE_LASTS);
        lasting.map(|(trouble, _)| trouble.clone())
    }

    /// Namespaces that carry the cluster's label; more than one only if somebody copied it.
    pub fn namespaces(&self, cluster: ClusterId) -> Vec<Arc<NamespaceView>> {
        self.lock().namespaces.of(cluster)
    }

    /// Every Namespace that carries our installation's label, with the subject it claims.
    pub fn namespaces_all(&self) -> Vec<(Option<Subject>, Arc<NamespaceView>)> {
        let kinds = self.lock();
        let all = kinds.namespaces.views.iter();
        all.flat_map(|(subject, views)| views.values().map(|view| (*subject, view.clone()))).collect()
    }

    /// Pods of a cluster, launchers included.
    pub fn pods(&self, cluster: ClusterId) -> Vec<Arc<PodView>> {
        self.lock().pods.of(cluster)
    }

    /// VirtualMachines of a cluster.
    pub fn vms(&self, cluster: ClusterId) -> Vec<Arc<VmView>> {
        self.lock().vms.of(cluster)
    }

    /// VirtualMachineInstances of a cluster.
    pub fn vmis(&self, cluster: ClusterId) -> Vec<Arc<VmiView>> {
        self.lock().vmis.of(cluster)
    }

    /// Number of objects kept, by kind.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        let kinds = self.lock();
        let KindCaches { namespaces, pods, vms, vmis, kubevirt: _ } = &*kinds;
        [("namespace", namespaces.len()), ("pod", pods.len()), ("vm", vms.len()), ("vmi", vmis.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(cluster: i64, name: &str) -> ObjectRef {
        ObjectRef { subject: Some(Subject::Cluster(ClusterId(cluster))), namespace: "n".into(), name: name.into() }
    }

    #[test]
    fn a_relist_replaces_everything_at_its_end_and_not_before() {
        let mut cache = KindCache::default();
        cache.relist_begin();
        cache.relist_add(object(1, "a"), 'a');
        assert!(!cache.synced && cache.of(ClusterId(1)).is_empty());
        cache.relist_end();
        assert!(cache.synced);
        cache.apply(object(2, "b"), 'b');

        cache.relist_begin();
        assert_eq!(*cache.of(ClusterId(1))[0], 'a', "the old views stay until the new are complete");
        cache.relist_add(object(3, "c"), 'c');
        assert_eq!(cache.relist_end(), [1, 2, 3].map(|id| Subject::Cluster(ClusterId(id))), "subjects that lost something are told too");
        assert_eq!((cache.of(ClusterId(1)).len(), cache.len()), (0, 1));
    }

    #[test]
    fn a_failing_watch_keeps_what_it_knew() {
        let mut cache = KindCache::default();
        cache.relist_end();
        cache.apply(object(1, "a"), 'a');
        cache.fail("unreachable".into());
        assert_eq!((cache.synced, cache.len(), cache.trouble.as_ref().map(|t| t.0.as_str())), (true, 1, Some("unreachable")));
        cache.delete(&object(1, "a"));
        assert!(cache.views.is_empty());
    }
}
