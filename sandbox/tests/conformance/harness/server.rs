//! The servers: a sandbox for the whole process, or a real one that the environment names.

use std::sync::OnceLock;

use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sandbox::{Options, Sandbox};

const KUBECONFIG: &str = "KUBEKCLOUD_TEST_KUBECONFIG";
pub(super) const NODE_KUBECONFIG: &str = "KUBEKCLOUD_TEST_NODE_KUBECONFIG";

/// What the real server must have behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Needs {
    /// Nothing but the API and its controllers.
    Api,
    /// A node that runs containers.
    Node,
}

/// Where a case talks to.
pub(super) struct Server {
    kubeconfig: Kubeconfig,
    pub(super) real: bool,
}

impl Server {
    /// The one to hold against the recordings; `None` when only a real one without a node is there.
    pub(super) fn of(needs: Needs) -> Option<Server> {
        let named = |variable: &str| std::env::var_os(variable).map(|path| Kubeconfig::read_from(path).expect("a kubeconfig"));
        let real = match needs {
            Needs::Api => named(KUBECONFIG),
            Needs::Node => named(NODE_KUBECONFIG),
        };
        match real {
            Some(kubeconfig) => Some(Server { kubeconfig, real: true }),
            None if needs == Needs::Node && std::env::var_os(KUBECONFIG).is_some() => None,
            None => Some(Server { kubeconfig: Kubeconfig::from_yaml(sandbox()).expect("a kubeconfig"), real: false }),
        }
    }

    pub(super) async fn client(&self) -> Client {
        Client::try_from(self.config().await).expect("a client")
    }

    /// A client with other credentials; `None` has none at all.
    pub(super) async fn client_with_token(&self, token: Option<&str>) -> Client {
        let mut config = self.config().await;
        config.auth_info = AuthInfo { token: token.map(|t| t.to_owned().into()), ..AuthInfo::default() };
        Client::try_from(config).expect("a client")
    }

    async fn config(&self) -> Config {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Config::from_custom_kubeconfig(self.kubeconfig.clone(), &KubeConfigOptions::default()).await.expect("a usable kubeconfig")
    }
}

/// One for all cases of this process, on a thread of its own because it outlives each test's runtime.
fn sandbox() -> &'static str {
    static KUBECONFIG: OnceLock<String> = OnceLock::new();
    KUBECONFIG.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let sandbox = Sandbox::start(Options::default()).await.expect("the sandbox starts");
                sender.send(sandbox.kubeconfig().to_owned()).expect("somebody waits");
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().expect("the sandbox started")
    })
}
