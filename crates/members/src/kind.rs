//! The kinds of objects that we touch, and where the API has them.
//!
//! A closed list on purpose: `deploy/kubernetes/rbac.yaml` grants exactly these.

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `v1`; the only one that is cluster-scoped, all others are namespaced.
    Namespace,
    /// `v1`.
    Pod,
    /// `v1`.
    ResourceQuota,
    /// `v1`.
    LimitRange,
    /// `v1`.
    Secret,
    /// `v1`.
    PersistentVolumeClaim,
    /// `v1`.
    Event,
    /// `networking.k8s.io/v1`.
    NetworkPolicy,
    /// `kubevirt.io/v1`.
    VirtualMachine,
    /// `kubevirt.io/v1`.
    VirtualMachineInstance,
}

impl Kind {
    /// Group, version, kind and plural.
    pub(crate) const fn names(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Namespace => ("", "v1", "Namespace", "namespaces"),
            Self::Pod => ("", "v1", "Pod", "pods"),
            Self::ResourceQuota => ("", "v1", "ResourceQuota", "resourcequotas"),
            Self::LimitRange => ("", "v1", "LimitRange", "limitranges"),
            Self::Secret => ("", "v1", "Secret", "secrets"),
            Self::PersistentVolumeClaim => ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
            Self::Event => ("", "v1", "Event", "events"),
            Self::NetworkPolicy => ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
            Self::VirtualMachine => ("kubevirt.io", "v1", "VirtualMachine", "virtualmachines"),
            Self::VirtualMachineInstance => ("kubevirt.io", "v1", "VirtualMachineInstance", "virtualmachineinstances"),
        }
    }

    /// Kubernetes' name of the kind.
    pub const fn as_str(self) -> &'static str {
        self.names().2
    }

    /// Whether it is there only with KubeVirt.
    pub(crate) fn is_kubevirt(self) -> bool {
        self.names().0 == "kubevirt.io"
    }

    /// Path of all objects, or of those in one namespace.
    pub(crate) fn collection(self, namespace: Option<&str>) -> String {
        let (group, version, _, plural) = self.names();
        let root = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        match namespace {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
            None => format!("{root}/{plural}"),
        }
    }

    /// Path of one object; `namespace` is `None` for a Namespace itself.
    pub(crate) fn object(self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{name}", self.collection(namespace))
    }
}
