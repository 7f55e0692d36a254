//! One member and the client that reaches it.

use std::{path::Path, sync::Arc, time::Duration};

use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::sync::Semaphore;

use types::{MemberId, name::LOCAL_MEMBER};

use crate::{MemberError, Result, breaker::Breaker, reach::Reach};

/// Most time that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most time that an ordinary request may take. Watches have no such limit.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// Reads for the API that may be under way at a time.
const API_READS_MAX: usize = 32;

/// Which member, and by which of its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its row.
    pub id: MemberId,
    /// Unique to its owner.
    pub name: String,
    /// Grows when the credential is replaced.
    pub credential_version: i64,
}

impl Identity {
    /// The member that the operator configures.
    pub fn local() -> Self {
        Self { id: MemberId::LOCAL, name: LOCAL_MEMBER.to_owned(), credential_version: 0 }
    }
}

/// A Kubernetes cluster of the fleet. Holds connections, no objects.
pub struct Member {
    identity: Identity,
    pub(crate) client: kube::Client,
    pub(crate) reach: Arc<Reach>,
    pub(crate) breaker: Breaker,
    /// Reads for the API under way, of logs and events: what people ask for does not take all connections.
    pub(crate) api_reads: Semaphore,
}

impl Member {
    /// From a kubeconfig file. Nothing is sent yet.
    pub async fn from_kubeconfig(identity: Identity, path: &Path) -> Result<Self> {
        let bad = |e: kube::config::KubeconfigError| MemberError::Config(format!("kubeconfig {}: {e}", path.display()));
        let kubeconfig = Kubeconfig::read_from(path).map_err(bad)?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(bad)?;
        Self::from_config(identity, config)
    }

    /// From the service account of the Pod that we run in.
    pub fn in_cluster(identity: Identity) -> Result<Self> {
        let config = kube::Config::incluster().map_err(|e| MemberError::Config(format!("in-cluster account: {e}")))?;
        Self::from_config(identity, config)
    }

    /// From a configuration. Its timeouts are replaced by ours, and its hidden retries switched off:
    /// `reconcile` decides when to try again.
    pub fn from_config(identity: Identity, mut config: kube::Config) -> Result<Self> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.write_timeout = Some(REQUEST_DEADLINE);
        config.read_timeout = None;
        config.default_retry = false;
        let client = kube::Client::try_from(config).map_err(|e| MemberError::Config(e.to_string()))?;
        Ok(Self { identity, client, reach: Arc::default(), breaker: Breaker::default(), api_reads: Semaphore::new(API_READS_MAX) })
    }

    /// The member's id in the fleet.
    pub const fn id(&self) -> MemberId {
        self.identity.id
    }

    /// The member's name in the fleet.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// Which of its credentials this client uses.
    pub const fn credential_version(&self) -> i64 {
        self.identity.credential_version
    }

    /// Why the last request got no answer at all; `None` when it got one.
    pub fn trouble(&self) -> Option<MemberError> {
        self.reach.trouble()
    }

    /// For how long calls to an API group (the core group's name is empty) fail at once, because the last ones had no
    /// answer; `None`: they go through.
    pub fn breaker(&self, group: &str) -> Option<Duration> {
        self.breaker.open_for(group)
    }
}
