//! One member and the client that reaches it.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::{MemberError, Result};

/// Most time that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most time that an ordinary request may take. Watches have no such limit.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(10);

/// A Kubernetes cluster of the fleet. Holds connections, no objects.
pub struct Member {
    name: String,
    pub(crate) client: kube::Client,
    trouble: Mutex<Option<MemberError>>,
}

impl Member {
    /// From a kubeconfig file. Nothing is sent yet.
    pub async fn from_kubeconfig(name: impl Into<String>, path: &Path) -> Result<Self> {
        let bad = |e: kube::config::KubeconfigError| MemberError::Config(format!("kubeconfig {}: {e}", path.display()));
        let kubeconfig = Kubeconfig::read_from(path).map_err(bad)?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.map_err(bad)?;
        Self::from_config(name, config)
    }

    /// From the service account of the Pod that we run in.
    pub fn in_cluster(name: impl Into<String>) -> Result<Self> {
        let config = kube::Config::incluster().map_err(|e| MemberError::Config(format!("in-cluster account: {e}")))?;
        Self::from_config(name, config)
    }

    /// From a configuration. Its timeouts are replaced by ours, and its hidden retries switched off:
    /// `reconcile` decides when to try again.
    pub fn from_config(name: impl Into<String>, mut config: kube::Config) -> Result<Self> {
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        config.write_timeout = Some(REQUEST_DEADLINE);
        config.read_timeout = None;
        config.default_retry = false;
        let client = kube::Client::try_from(config).map_err(|e| MemberError::Config(e.to_string()))?;
        Ok(Self { name: name.into(), client, trouble: Mutex::new(None) })
    }

    /// The member's name in the fleet.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Why the last request got no answer at all; `None` when it got one.
    pub fn trouble(&self) -> Option<MemberError> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers whether the member answers. A refusal is an answer.
    pub(crate) fn remember_answer(&self, error: Option<&MemberError>) {
        let trouble = error.filter(|e| matches!(e, MemberError::Timeout(_) | MemberError::Unreachable(_))).cloned();
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}
