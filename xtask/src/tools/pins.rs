//! What is built from which pinned module, and how.
//!
//! One Go module per upstream, because their dependencies disagree. Versions stand in the modules'
//! `go.mod` files under `xtask/tools/`; this table adds what Go has no place for: build tags, linker
//! flags and the manifests that a built tool prints.

/// Tools that are built together from a Go module under `xtask/tools/`.
pub(crate) struct Module {
    /// Names its place in the cache.
    pub(crate) name: &'static str,
    /// The directory of its `go.mod`: two of these may share one, when not everybody needs both.
    pub(crate) source: &'static str,
    pub(crate) tools: &'static [Tool],
    pub(crate) manifests: &'static [Manifest],
    /// Linker flags of every tool of the module, mostly version stamps: without them clients meet v0.0.0.
    pub(crate) ldflags: &'static str,
    /// Build tags, separated by commas.
    pub(crate) tags: &'static str,
    /// Whether C is compiled in. All tools are static, also then.
    pub(crate) cgo: bool,
}

pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// A Go package, or a file of C within a required module, as `MODULE//PATH.c`.
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
    /// etcd, the Kubernetes control plane, kubectl, and all that a node runs.
    Node,
}

impl Set {
    pub(crate) fn modules(self) -> &'static [Module] {
        match self {
            Set::ControlPlane => CONTROL_PLANE,
            Set::Kubevirt => KUBEVIRT,
            Set::Node => NODE,
        }
    }
}

/// Tools that an envtest-style directory named by `KUBEBUILDER_ASSETS` may supply.
pub(crate) const SUPPLIED: &[&str] = &["etcd", "kube-apiserver", "kubectl"];

const CONTROL_PLANE: &[Module] = &[KUBERNETES, ETCD, KWOK];

const NODE: &[Module] = &[KUBERNETES, ETCD, KUBELET, CONTAINERD, CNI, RUNC];

const KUBERNETES_LDFLAGS: &str = "-s -w \
    -X k8s.io/component-base/version.gitVersion=v1.36.3 \
    -X k8s.io/component-base/version.gitMajor=1 \
    -X k8s.io/component-base/version.gitMinor=36 \
    -X k8s.io/component-base/version.gitTreeState=clean";

const KUBERNETES: Module = Module {
    name: "kubernetes",
    source: "kubernetes",
    tools: &[
        Tool { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
        Tool { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
        Tool { name: "kube-scheduler", package: "k8s.io/kubernetes/cmd/kube-scheduler" },
        Tool { name: "kubectl", package: "k8s.io/kubernetes/cmd/kubectl" },
    ],
    manifests: &[],
    ldflags: KUBERNETES_LDFLAGS,
    tags: "",
    cgo: false,
};

const KUBELET: Module = Module {
    name: "kubelet",
    source: "kubernetes",
    tools: &[
        Tool { name: "kubelet", package: "k8s.io/kubernetes/cmd/kubelet" },
        Tool { name: "kube-proxy", package: "k8s.io/kubernetes/cmd/kube-proxy" },
        Tool { name: "pause", package: "k8s.io/kubernetes//build/pause/linux/pause.c" },
    ],
    manifests: &[],
    ldflags: KUBERNETES_LDFLAGS,
    tags: "",
    cgo: false,
};

const ETCD: Module = Module {
    name: "etcd",
    source: "etcd",
    tools: &[Tool { name: "etcd", package: "go.etcd.io/etcd/server/v3" }],
    manifests: &[],
    ldflags: "-s -w",
    tags: "",
    cgo: false,
};

const KWOK: Module = Module {
    name: "kwok",
    source: "kwok",
    tools: &[Tool { name: "kwok", package: "sigs.k8s.io/kwok/cmd/kwok" }],
    manifests: &[],
    ldflags: "-s -w",
    tags: "",
    cgo: false,
};

const CONTAINERD: Module = Module {
    name: "containerd",
    source: "containerd",
    tools: &[
        Tool { name: "containerd", package: "github.com/containerd/containerd/v2/cmd/containerd" },
        Tool { name: "containerd-shim-runc-v2", package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2" },
    ],
    manifests: &[],
    ldflags: "-s -w -X github.com/containerd/containerd/v2/version.Version=v2.4.2",
    // File systems that need C libraries; ours is overlayfs.
    tags: "no_btrfs,no_devmapper,no_zfs",
    cgo: false,
};

const CNI: Module = Module {
    name: "cni",
    source: "cni",
    tools: &[
        Tool { name: "bridge", package: "github.com/containernetworking/plugins/plugins/main/bridge" },
        Tool { name: "loopback", package: "github.com/containernetworking/plugins/plugins/main/loopback" },
        Tool { name: "host-local", package: "github.com/containernetworking/plugins/plugins/ipam/host-local" },
        Tool { name: "portmap", package: "github.com/containernetworking/plugins/plugins/meta/portmap" },
    ],
    manifests: &[],
    ldflags: "-s -w",
    tags: "",
    cgo: false,
};

const RUNC: Module = Module {
    name: "runc",
    source: "runc",
    tools: &[Tool { name: "runc", package: "github.com/opencontainers/runc" }],
    manifests: &[],
    ldflags: "-s -w -X main.version=1.5.2 -linkmode external -extldflags -static",
    // Without seccomp, Pods that ask for the runtime's default profile (ours do) are refused.
    tags: "seccomp,netgo,osusergo,urfave_cli_no_docs",
    cgo: true,
};

const KUBEVIRT: &[Module] = &[
    Module {
        name: "kubevirt",
        source: "kubevirt",
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
        tags: "",
        cgo: false,
    },
    Module {
        name: "cdi",
        source: "cdi",
        tools: &[Tool { name: "controller-gen", package: "sigs.k8s.io/controller-tools/cmd/controller-gen" }],
        manifests: &[Manifest {
            name: "cdi-crds.yaml",
            tool: "controller-gen",
            args: &["crd", "paths=kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1", "output:crd:stdout"],
        }],
        ldflags: "-s -w",
        tags: "",
        cgo: false,
    },
];
