//! All kinds that can be watched, and where each is kept. Another one is a line here, and its view.

use types::Subject;

use super::{
    kind::{KindCache, KindState},
    known::{Known, KubeVirt},
};
use crate::{
    Kind, MemberError,
    slim::Object,
    view::{GuardrailView, NamespaceView, PodView, SlimGuardrail, SlimNamespace, SlimPod, SlimVm, SlimVmi, View, VmView, VmiView},
};

/// A kind that can be watched: of which objects its view is made, and where the cache keeps it.
pub(crate) trait Watched: 'static {
    const KIND: Kind;
    type Object: Object;
    type View: View + From<Self::Object>;
    fn cache(kinds: &mut KindCaches) -> &mut KindCache<Self::View>;
}

macro_rules! kinds {
    ($($kind:ident($object:ty) => $view:ty, $field:ident;)+) => {
        /// What the watches of one member know.
        #[derive(Default)]
        pub(crate) struct KindCaches {
            $(pub(crate) $field: KindCache<$view>,)+
            pub(crate) kubevirt: KubeVirt,
            /// Why it is not known whether KubeVirt is served.
            pub(crate) kubevirt_trouble: Option<MemberError>,
        }

        /// Names of the kinds, for the compiler only.
        pub(crate) mod watched {
            $(pub(crate) struct $kind;)+
        }

        $(impl Watched for watched::$kind {
            const KIND: Kind = Kind::$kind;
            type Object = $object;
            type View = $view;
            fn cache(kinds: &mut KindCaches) -> &mut KindCache<$view> {
                &mut kinds.$field
            }
        })+

        impl KindCaches {
            /// How each kind's watch is doing.
            pub(crate) fn states(&self) -> impl Iterator<Item = (Kind, &KindState)> {
                [$((Kind::$kind, self.$field.state())),+].into_iter()
            }

            /// Number of objects kept, by kind.
            pub(crate) fn sizes(&self) -> Vec<(Kind, usize)> {
                vec![$((Kind::$kind, self.$field.len())),+]
            }

            /// Number of objects that will be kept.
            pub(crate) fn held(&self) -> usize {
                [$(self.$field.held()),+].into_iter().sum()
            }
        }
    };
}

kinds! {
    Namespace(SlimNamespace) => NamespaceView, namespaces;
    Pod(SlimPod) => PodView, pods;
    ResourceQuota(SlimGuardrail) => GuardrailView, quotas;
    LimitRange(SlimGuardrail) => GuardrailView, limit_ranges;
    NetworkPolicy(SlimGuardrail) => GuardrailView, policies;
    VirtualMachine(SlimVm) => VmView, vms;
    VirtualMachineInstance(SlimVmi) => VmiView, vmis;
}

impl KindCaches {
    pub(crate) fn known(&self) -> Known {
        let Self { namespaces, pods, quotas, limit_ranges, policies, vms, vmis, kubevirt, kubevirt_trouble: _ } = self;
        Known {
            kubevirt: *kubevirt,
            containers: namespaces.state().synced && pods.state().synced,
            guardrails: quotas.state().synced && limit_ranges.state().synced && policies.state().synced,
            vms: match kubevirt {
                KubeVirt::Unknown => false,
                KubeVirt::Absent => true,
                KubeVirt::Served => vms.state().synced && vmis.state().synced,
            },
        }
    }

    /// A subject's guardrails, of all three kinds.
    pub(crate) fn guardrails(&self, subject: Subject) -> Vec<(Kind, std::sync::Arc<GuardrailView>)> {
        let kinds = [(Kind::ResourceQuota, &self.quotas), (Kind::LimitRange, &self.limit_ranges), (Kind::NetworkPolicy, &self.policies)];
        kinds.into_iter().flat_map(|(kind, cache)| cache.of(subject).into_iter().map(move |view| (kind, view))).collect()
    }
}
