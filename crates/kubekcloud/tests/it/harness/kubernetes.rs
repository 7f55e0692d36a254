//! The Kubernetes that tests run against, and a look at it around the product.

use std::{path::PathBuf, sync::OnceLock};

use k8s_openapi::api::core::v1::{Namespace, PersistentVolume, Pod};
use kube::{
    Api, Config,
    api::{DeleteParams, ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
};
use sandbox::Sandbox;

/// Whether tests run against a real Kubernetes.
pub(crate) fn is_real() -> bool {
    std::env::var_os("KUBEKCLOUD_TEST_KUBECONFIG").is_some()
}

/// One for all tests of this process: the named one, else a sandbox on a thread of its own.
fn kubeconfig() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| match std::env::var_os("KUBEKCLOUD_TEST_KUBECONFIG") {
        Some(path) => path.into(),
        None => start_sandbox(),
    })
    .clone()
}

fn start_sandbox() -> PathBuf {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let dir = tempfile::tempdir().expect("temporary directory");
            let sandbox = Sandbox::start(sandbox::Options { data_dir: Some(dir.path().to_owned()), port: 0 }).await.expect("the sandbox");
            sender.send(sandbox.kubeconfig_path().expect("a data directory was given").to_owned()).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().expect("the sandbox started")
}

/// The tests' own eyes and hands in the member.
pub(crate) struct Kubernetes {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) client: kube::Client,
}

impl Kubernetes {
    pub(crate) async fn connect() -> Self {
        Self::at(kubeconfig()).await
    }

    /// The one whose node runs containers; says so when there is none.
    pub(crate) async fn with_real_node() -> Option<Self> {
        match std::env::var_os("KUBEKCLOUD_TEST_NODE_KUBECONFIG") {
            Some(path) => Some(Self::at(path.into()).await),
            None => {
                super::skip("it needs a node that runs containers; name its cluster in KUBEKCLOUD_TEST_NODE_KUBECONFIG");
                None
            }
        }
    }

    pub(crate) async fn at(kubeconfig: PathBuf) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let read = Kubeconfig::read_from(&kubeconfig).expect("a kubeconfig");
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await.expect("a usable kubeconfig");
        Self { kubeconfig, client: kube::Client::try_from(config).expect("a client") }
    }

    pub(crate) fn pods(&self, namespace: &str) -> Api<Pod> {
        Api::namespaced(self.client.clone(), namespace)
    }

    pub(crate) fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }

    /// Makes sure that `count` claims of 1 GiB can be bound: the real control plane has no provisioner. Offer some more
    /// than needed: claims that an interrupted test left behind take theirs first.
    pub(crate) async fn offer_volumes(&self, count: usize) {
        if !is_real() {
            return;
        }
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        for _ in 0..count {
            let volume = serde_json::json!({
                "metadata": {"name": super::unique("volume")},
                "spec": {
                    "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
                    "hostPath": {"path": "/nowhere"},
                },
            });
            let volume = serde_json::from_value(volume).expect("a volume");
            volumes.create(&PostParams::default(), &volume).await.expect("creates");
        }
    }

    /// Names of the namespaces that belong to an installation.
    pub(crate) async fn namespaces_of(&self, installation: &str) -> Vec<String> {
        let params = ListParams::default().labels(&format!("kubekcloud.io/installation={installation}"));
        let list = self.namespaces().list(&params).await.expect("lists namespaces");
        list.items.into_iter().filter_map(|namespace| namespace.metadata.name).collect()
    }

    /// Deletes a Pod at once, as a failing node would.
    pub(crate) async fn kill_pod(&self, namespace: &str, name: &str) {
        self.pods(namespace).delete(name, &DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() }).await.expect("deletes");
    }
}
