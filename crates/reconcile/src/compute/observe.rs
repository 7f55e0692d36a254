//! Observing: what the cache shows of one cluster, to be looked up by instance.

use std::{collections::HashSet, sync::Arc};

use members::{Cache, KubeVirt, PodView, VmView, VmiView};
use store::{ClusterIntent, InstanceIntent};
use types::InstanceId;

/// Views of a cluster's objects within its own namespace, sorted by name.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) pods: Vec<Arc<PodView>>,
    pub(super) launchers: Vec<Arc<PodView>>,
    pub(super) vms: Vec<Arc<VmView>>,
    pub(super) vmis: Vec<Arc<VmiView>>,
    /// Whether the member serves KubeVirt: without it, VMs that do not show say nothing.
    pub(super) kubevirt: KubeVirt,
    /// Instances with a launcher.
    launched: HashSet<InstanceId>,
}

impl Observed {
    /// Objects that carry the cluster's label elsewhere are somebody's copies: they do not count.
    pub(super) fn of(cache: &Cache, cluster: &ClusterIntent) -> Self {
        let mut pods = cache.pods(cluster.id);
        pods.retain(|pod| pod.namespace == cluster.namespace);
        pods.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let (launchers, pods): (Vec<_>, Vec<_>) = pods.into_iter().partition(|pod| pod.launcher);
        let launched = launchers.iter().filter_map(|pod| pod.instance).collect();
        let mut vms = cache.vms(cluster.id);
        vms.retain(|vm| vm.namespace == cluster.namespace);
        vms.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut vmis = cache.vmis(cluster.id);
        vmis.retain(|vmi| vmi.namespace == cluster.namespace);
        vmis.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self { pods, launchers, vms, vmis, kubevirt: cache.kubevirt(), launched }
    }

    pub(super) fn pod(&self, instance: &InstanceIntent) -> Option<&PodView> {
        let at = self.pods.binary_search_by(|pod| pod.name.cmp(&instance.name)).ok()?;
        self.pods.get(at).map(AsRef::as_ref).filter(|pod| pod.instance == Some(instance.id))
    }

    pub(super) fn vm(&self, instance: &InstanceIntent) -> Option<&VmView> {
        let at = self.vms.binary_search_by(|vm| vm.name.cmp(&instance.name)).ok()?;
        self.vms.get(at).map(AsRef::as_ref).filter(|vm| vm.instance == Some(instance.id))
    }

    pub(super) fn vmi(&self, instance: &InstanceIntent) -> Option<&VmiView> {
        let at = self.vmis.binary_search_by(|vmi| vmi.name.cmp(&instance.name)).ok()?;
        self.vmis.get(at).map(AsRef::as_ref)
    }

    /// Whether nothing is left that computes for an instance.
    pub(super) fn is_gone(&self, instance: &InstanceIntent) -> bool {
        let launched = self.launched.contains(&instance.id);
        self.pod(instance).is_none() && self.vm(instance).is_none() && self.vmi(instance).is_none() && !launched
    }

    /// Whether nothing is left that computes.
    pub(super) fn is_empty(&self) -> bool {
        self.pods.is_empty() && self.launchers.is_empty() && self.vms.is_empty() && self.vmis.is_empty()
    }
}
