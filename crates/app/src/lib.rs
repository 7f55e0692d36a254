//! Use cases: the only home of business rules. One file a noun, or a verb that needs the room.
//!
//! Each use case authorizes its [`Caller`], then reads, or writes in one transaction and wakes reconciling.
//! No HTTP here, and no call to Kubernetes inside a transaction.
#![warn(missing_docs)]

mod audit;
mod auth;
mod bulk;
mod cluster;
mod create;
mod find;
mod instance;
mod operate;
mod placement;
mod quota;
mod show;
mod token;
mod user;
mod validate;
mod wait;

use std::{fmt, sync::Arc, time::Duration};

use members::Member;
use store::Store;
use tokio::sync::watch;
use types::ClusterId;

pub use auth::Caller;
pub use create::{Created, IDEMPOTENCY_KEY_MAX};
pub use token::Bootstrap;

/// Tells reconciling that a cluster's intent changed. A hint: losing one costs time only.
pub type Wake = Arc<dyn Fn(ClusterId) + Send + Sync>;

/// What an installation decides for itself.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Anybody may create a user. For trying only.
    pub open_sign_up: bool,
    /// What containers run when their cluster doesn't say.
    pub container_image: String,
    /// What VMs boot from when their cluster doesn't say.
    pub vm_image: String,
    /// How long operations wait for their end before they answer `pending`.
    pub operation_wait: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            open_sign_up: false,
            container_image: "nginx:latest".into(),
            vm_image: "quay.io/containerdisks/fedora:latest".into(),
            operation_wait: Duration::from_secs(10),
        }
    }
}

/// The use cases, with what they need.
#[derive(Clone)]
pub struct App {
    store: Store,
    policy: Arc<Policy>,
    /// `None`: no Kubernetes was named, so there is nowhere to place a cluster.
    local: Option<Arc<Member>>,
    wake: Wake,
    /// Changes whenever this process has written an observation.
    changes: watch::Receiver<u64>,
}

impl App {
    /// Puts the use cases together.
    pub fn new(store: Store, policy: Policy, local: Option<Arc<Member>>, wake: Wake, changes: watch::Receiver<u64>) -> Self {
        Self { store, policy: Arc::new(policy), local, wake, changes }
    }

    /// Whether the database answers.
    pub async fn database_ready(&self) -> types::Result<()> {
        self.store.ping().await
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("policy", &self.policy).finish_non_exhaustive()
    }
}
