//! What is built from which pinned module, and how.
//!
//! One Go module per upstream, because their dependencies disagree. Versions stand in the modules'
//! `go.mod` files under `xtask/tools/`; this table adds what Go has no place for: linker flags and
//! the manifests that a built tool prints.

/// A Go module under `xtask/tools/`.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) tools: &'static [Tool],
    pub(crate) manifests: &'static [Manifest],
    /// Linker flags of every tool of the module, mostly version stamps: without them clients meet v0.0.0.
    pub(crate) ldflags: &'static str,
}

pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
}

/// A file that a tool of the same module prints on standard output.
pub(crate) struct Manifest {
    pub(crate) name: &'static str,
    pub(crate) tool: &'static str,
    pub(crate) args: &'static [&'static str],
}

/// What a caller needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// etcd, the Kubernetes control plane, kubectl and kwok.
    ControlPlane,
    /// KubeVirt's control plane, its manifests and CDI's.
    Kubevirt,
}

impl Set {
    pub(crate) fn modules(self) -> &'static [Module] {
        match self {
            Set::ControlPlane => CONTROL_PLANE,
            Set::Kubevirt => KUBEVIRT,
        }
    }
}

/// Tools that an envtest-style directory named by `KUBEBUILDER_ASSETS` may supply.
pub(crate) const SUPPLIED: &[&str] = &["etcd", "kube-apiserver", "kubectl"];

const CONTROL_PLANE: &[Module] = &[
    Module {
        name: "kubernetes",
        tools: &[
            Tool { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
            Tool { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
            Tool { name: "kube-scheduler", package: "k8s.io/kubernetes/cmd/kube-scheduler" },
            Tool { name: "kubectl", package: "k8s.io/kubernetes/cmd/kubectl" },
        ],
        manifests: &[],
        ldflags: "-s -w \
            -X k8s.io/component-base/version.gitVersion=v1.36.3 \
            -X k8s.io/component-base/version.gitMajor=1 \
            -X k8s.io/component-base/version.gitMinor=36 \
            -X k8s.io/component-base/version.gitTreeState=clean",
    },
    Module { name: "etcd", tools: &[Tool { name: "etcd", package: "go.etcd.io/etcd/server/v3" }], manifests: &[], ldflags: "-s -w" },
    Module { name: "kwok", tools: &[Tool { name: "kwok", package: "sigs.k8s.io/kwok/cmd/kwok" }], manifests: &[], ldflags: "-s -w" },
];

const KUBEVIRT: &[Module] = &[
    Module {
        name: "kubevirt",
        tools: &[
            Tool { name: "virt-api", package: "kubevirt.io/kubevirt/cmd/virt-api" },
            Tool { name: "virt-controller", package: "kubevirt.io/kubevirt/cmd/virt-controller" },
            Tool { name: "gen", package: "./gen" },
        ],
        manifests: &[
            Manifest { name: "kubevirt-crds.json", tool: "gen", args: &["crds"] },
            Manifest { name: "kubevirt-rbac.json", tool: "gen", args: &["rbac"] },
            Manifest { name: "kubevirt-apiservices.json", tool: "gen", args: &["apiservices"] },
            Manifest { name: "kubevirt-webhooks.json", tool: "gen", args: &["webhooks"] },
            Manifest { name: "kubevirt-cr.json", tool: "gen", args: &["cr"] },
        ],
        ldflags: "-s -w \
            -X kubevirt.io/client-go/version.gitVersion=v1.8.0 \
            -X kubevirt.io/client-go/version.gitCommit=unknown \
            -X kubevirt.io/client-go/version.gitTreeState=clean \
            -X kubevirt.io/client-go/version.buildDate=2026-03-24T14:25:14Z",
    },
    Module {
        name: "cdi",
        tools: &[Tool { name: "controller-gen", package: "sigs.k8s.io/controller-tools/cmd/controller-gen" }],
        manifests: &[Manifest {
            name: "cdi-crds.yaml",
            tool: "controller-gen",
            args: &["crd", "paths=kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1", "output:crd:stdout"],
        }],
        ldflags: "-s -w",
    },
];
