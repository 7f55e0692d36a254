//! Holding a member's lease: taking it, renewing it, and reconciling while it is held.
//!
//! That ends when the lease is lost, when it could not be renewed in time by our own clock, or when the process ends.
//! Whatever is under way then is dropped where it stands, as a crash would: every pass copes with that.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use members::{Fence, Member, Watches, Writer};
use store::{Lease, Store};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use types::{Error, MemberId, Subject};

use crate::{
    Changes, Health, Options,
    compute::{Context, Memories, WATCHES},
    queue::{Cause, Queue},
    workers,
};

/// The part of the lease that is left unused: a write that was sent at the last moment arrives before its end.
const EXPIRY_MARGIN: u32 = 10;

/// Pause after the lease ended, so that a defect that ends it does not spin.
const REACQUIRE_PAUSE: Duration = Duration::from_millis(500);

/// Takes one member's lease and reconciles while it has it.
pub(crate) struct LeaseHolder {
    pub(crate) store: Store,
    pub(crate) member: Arc<Member>,
    pub(crate) member_id: MemberId,
    pub(crate) options: Options,
    pub(crate) queue: Arc<Queue>,
    pub(crate) changes: Changes,
    pub(crate) health: Health,
    pub(crate) cancel: CancellationToken,
}

impl LeaseHolder {
    /// Takes the lease whenever it is free, and reconciles while it is held, until cancelled.
    pub(crate) async fn run(self) {
        let pause = self.options.lease_ttl / 3;
        while !self.cancel.is_cancelled() {
            let asked = Instant::now();
            match self.acquire().await {
                Ok(Some((lease, installation))) => {
                    tracing::info!(member = self.member.name(), epoch = lease.epoch, "took the lease");
                    self.health.note_error(None);
                    self.hold(lease, &installation, asked).await;
                    self.health.note_lease(None);
                    self.pause(REACQUIRE_PAUSE).await;
                    continue;
                }
                Ok(None) => self.health.note_error(None),
                Err(error) => {
                    tracing::warn!(member = self.member.name(), %error, "cannot take the lease");
                    self.health.note_error(Some(error.to_string()));
                }
            }
            self.pause(pause).await;
        }
        self.health.note_stopped();
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    async fn acquire(&self) -> Result<Option<(Lease, String)>, Error> {
        let Options { holder, lease_ttl, .. } = &self.options;
        let Some(lease) = self.store.lease_acquire(self.member_id, holder, *lease_ttl).await? else { return Ok(None) };
        Ok(Some((lease, self.store.installation_id().await?)))
    }

    /// Until when a lease that was asked for then may be used.
    fn usable_until(&self, asked: Instant) -> Instant {
        asked + (self.options.lease_ttl - self.options.lease_ttl / EXPIRY_MARGIN)
    }

    /// Watches the member and reconciles its clusters until the lease ends, and gives it back where it was not lost.
    async fn hold(&self, lease: Lease, installation: &str, asked: Instant) {
        let fence = Fence::until(self.usable_until(asked));
        self.queue.open();
        let queue = self.queue.clone();
        let mut watches = Watches::start(self.member.clone(), installation, WATCHES, move |subject| {
            if let Subject::Cluster(cluster) = subject {
                queue.add(cluster, Cause::Watch);
            }
        });
        self.health.note_lease(Some(watches.cache().clone()));
        let context = Arc::new(Context {
            store: self.store.clone(),
            lease: lease.clone(),
            writer: Writer::new(self.member.clone(), fence.clone()),
            cache: watches.cache().clone(),
            installation: installation.to_owned(),
            options: self.options.clone(),
            changes: self.changes.clone(),
            memories: Memories::default(),
            lease_held_since: tokio::time::Instant::now(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..self.options.passes {
            tasks.spawn(workers::reconcile(context.clone(), self.queue.clone()));
        }
        tasks.spawn(workers::poll(context.clone(), self.queue.clone()));
        tasks.spawn(workers::resync(context, self.queue.clone()));
        let lost = tokio::select! {
            () = self.renew_until_lost(&lease, &fence) => true,
            () = self.cancel.cancelled() => false,
            Some(ended) = tasks.join_next() => {
                // They never end by themselves: a defect. The next lease starts them afresh.
                tracing::error!(member = self.member.name(), ?ended, "a task of the reconciler died");
                false
            }
            () = watches.ended() => {
                tracing::error!(member = self.member.name(), "a watch died");
                false
            }
        };
        fence.revoke();
        self.queue.close();
        tasks.shutdown().await;
        drop(watches);
        if lost {
            tracing::warn!(member = self.member.name(), epoch = lease.epoch, "lost the lease");
        } else if let Err(error) = self.store.lease_release(&lease).await {
            tracing::warn!(member = self.member.name(), %error, "cannot give the lease back; it runs out by itself");
        }
    }

    async fn renew_until_lost(&self, lease: &Lease, fence: &Fence) {
        let every = self.options.lease_ttl / 3;
        loop {
            let left = fence.remaining().unwrap_or_default();
            tokio::time::sleep(every.min(left)).await;
            let asked = Instant::now();
            let Some(left) = fence.remaining() else { return };
            match tokio::time::timeout(left, self.store.lease_renew(lease, self.options.lease_ttl)).await {
                Ok(Ok(true)) => {
                    self.health.note_error(None);
                    fence.extend(self.usable_until(asked));
                }
                Ok(Ok(false)) => return,
                Ok(Err(error)) => {
                    tracing::warn!(member = self.member.name(), %error, "cannot renew the lease");
                    self.health.note_error(Some(error.to_string()));
                    tokio::time::sleep((every / 5).min(left)).await;
                }
                Err(_) => return,
            }
        }
    }
}
