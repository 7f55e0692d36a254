//! Starting and stopping the reconciling of one member.

use std::sync::Arc;

use members::Member;
use store::Store;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::MemberId;

use crate::{Changes, Health, Options, Wake, lease_holder::LeaseHolder, queue::Queue};

/// A running reconciler of one member.
pub struct Reconciler {
    wake: Wake,
    changes: Changes,
    health: Health,
    task: JoinHandle<()>,
}

impl Reconciler {
    /// Starts it. It runs until `cancel`, taking the member's lease whenever it is free.
    pub fn start(store: Store, member: Arc<Member>, member_id: MemberId, options: Options, cancel: CancellationToken) -> Self {
        let queue = Arc::new(Queue::default());
        let changes = Changes::default();
        let health = Health::new(member.clone());
        let holder =
            LeaseHolder { store, member, member_id, options, queue: queue.clone(), changes: changes.clone(), health: health.clone(), cancel };
        Self { wake: Wake(queue), changes, health, task: tokio::spawn(holder.run()) }
    }

    /// For those that change intent.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// For those that wait for status.
    pub fn changes(&self) -> Changes {
        self.changes.clone()
    }

    /// For those that ask how it is doing.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Waits for its end after it was cancelled: the lease is given back then.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the reconciler died");
        }
    }
}
