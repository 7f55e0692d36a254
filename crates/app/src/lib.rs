//! Use cases: the only home of business rules. One file a noun, or a verb that needs the room.
//!
//! Each use case asks whether its [`Caller`] may do this ([`Action`]), then reads, or writes in one transaction (`transact`), which
//! also wakes reconciling. No HTTP here, and no call to Kubernetes inside a transaction.
#![warn(missing_docs)]

mod action;
mod audit;
mod auth;
mod bulk;
mod cluster;
mod create;
mod find;
mod instance;
mod operate;
mod placement;
mod policy;
mod quota;
mod show;
mod token;
mod transact;
mod turns;
mod user;
mod validate;
mod wait;

use std::{fmt, sync::Arc};

use members::Fleet;
use store::{Intents, TokenKey};
use tokio::sync::watch;
use types::{MemberId, Subject};

pub use action::{Action, Need, Permit};
pub use auth::{Caller, Credential};
pub use cluster::DETAIL_INSTANCES;
pub use create::{Created, IDEMPOTENCY_KEY_MAX};
pub use policy::Policy;
pub use token::Bootstrap;
use turns::Turns;

/// Tells reconciling that a subject's intent changed. A hint: losing one costs time only.
pub type Wake = Arc<dyn Fn(MemberId, Subject) + Send + Sync>;

/// Gives what changes whenever this process has written an observation of a subject.
pub type Changes = Arc<dyn Fn(Subject) -> watch::Receiver<u64> + Send + Sync>;

/// Reads of one user that are made at a time: what one user can have of the database.
const READS: usize = 4;

/// The use cases, with what they need.
#[derive(Clone)]
pub struct App {
    intents: Intents,
    token_key: TokenKey,
    policy: Arc<Policy>,
    /// Empty: no Kubernetes was named, so there is nowhere to place a cluster.
    fleet: Fleet,
    wake: Wake,
    changes: Changes,
    /// One transaction of an owner at a time.
    writes: Arc<Turns>,
    /// A few reads of a user at a time.
    reads: Arc<Turns>,
    waits: Arc<wait::Waits>,
    closing: watch::Sender<bool>,
}

impl App {
    /// Puts the use cases together.
    pub fn new(intents: Intents, token_key: TokenKey, policy: Policy, fleet: Fleet, wake: Wake, changes: Changes) -> Self {
        Self {
            intents,
            token_key,
            policy: Arc::new(policy),
            fleet,
            wake,
            changes,
            writes: Arc::new(Turns::new(1)),
            reads: Arc::new(Turns::new(READS)),
            waits: Arc::default(),
            closing: watch::Sender::new(false),
        }
    }

    /// Has whoever waits answered with what is known: the process ends soon.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Whether the database answers.
    pub async fn database_ready(&self) -> types::Result<()> {
        self.intents.ping().await
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("policy", &self.policy).finish_non_exhaustive()
    }
}
