//! Holding a member's lease: taking it, renewing it, and reconciling while it is held.
//!
//! That ends when the lease is lost, when it could not be renewed in time by our own clock, or when the process ends.
//! Whatever is under way then is dropped where it stands, as a crash would: every pass copes with that.

use std::{sync::Arc, time::Duration};

use members::{Fence, Member, Watches, Writer};
use store::{Lease, LeaseName, Leases, Observations, Replica};
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use types::{Error, MemberId};

use crate::{
    Changes, Health, Options, Wake,
    compute::{Context, Memories, WATCHES},
    parked::name_parked,
    poll::poll,
    queue::{Cause, Queue},
    renewal::{renew_until_lost, usable_until},
    walk::walk,
    workers,
};

/// Pause after the lease ended, so that a defect that ends it does not spin.
const REACQUIRE_PAUSE: Duration = Duration::from_millis(500);

/// Takes one member's lease and reconciles while it has it.
pub(crate) struct LeaseHolder {
    pub(crate) store: Observations,
    pub(crate) leases: Leases,
    pub(crate) member: Arc<Member>,
    pub(crate) member_id: MemberId,
    pub(crate) options: Options,
    pub(crate) wake: Wake,
    pub(crate) changes: Changes,
    pub(crate) health: Health,
    pub(crate) cancel: CancellationToken,
    pub(crate) installation: String,
}

impl LeaseHolder {
    /// Takes the lease whenever it is free, and reconciles while it is held, until cancelled.
    pub(crate) async fn run(&self) {
        let pause = self.options.lease_ttl / 4;
        while !self.cancel.is_cancelled() {
            let asked = Instant::now();
            match self.acquire().await {
                Ok(Some((lease, replica))) => {
                    tracing::info!(member = self.member.name(), epoch = lease.epoch, "took the lease");
                    self.health.note_error(None);
                    self.hold(lease, &replica, asked).await;
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
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    async fn acquire(&self) -> Result<Option<(Lease, Replica)>, Error> {
        let Options { holder, lease_ttl, .. } = &self.options;
        let name = LeaseName::Member(self.member_id);
        self.leases.bury(*lease_ttl).await?;
        if !self.leases.holders().await?.is_free(name) {
            return Ok(None);
        }
        let replica = self.leases.join(holder, *lease_ttl).await?;
        let lease = self.leases.claim(&replica, name).await?;
        if lease.is_none() {
            self.leases.leave(&replica).await?;
        }
        Ok(lease.map(|lease| (lease, replica)))
    }

    /// Watches the member and reconciles what is on it until the lease ends, and gives it back where it was not lost.
    async fn hold(&self, lease: Lease, replica: &Replica, asked: Instant) {
        let until = usable_until(asked, self.options.lease_ttl);
        let fence = Fence::until(until.into_std());
        let _held = Held { fence: fence.clone(), health: self.health.clone() };
        let queue = Arc::new(Queue::new(self.options.passes));
        let named = queue.clone();
        let mut watches = Watches::start(self.member.clone(), &self.installation, WATCHES, move |subject| named.add(subject, Cause::Watch));
        let context = Arc::new(Context {
            store: self.store.clone(),
            lease: lease.clone(),
            member_id: self.member_id,
            writer: Writer::new(self.member.clone(), fence.clone()),
            cache: watches.cache().clone(),
            installation: self.installation.clone(),
            options: self.options.clone(),
            changes: self.changes.clone(),
            memories: Memories::default(),
            lease_held_since: Instant::now(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..self.options.passes {
            let (context, queue) = (context.clone(), queue.clone());
            tasks.spawn(async move {
                context.cache.until_synced().await;
                workers::work(context, queue).await;
            });
        }
        tasks.spawn(poll(context.clone(), queue.clone()));
        tasks.spawn(name_parked(context.clone(), queue.clone()));
        tasks.spawn(walk(context, queue.clone()));
        let route = self.wake.route(self.member_id, queue);
        self.health.note_lease(Some(watches.cache().clone()));
        let lost = tokio::select! {
            () = self.renew(replica, &fence, until) => true,
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
        drop(route);
        tasks.shutdown().await;
        drop(watches);
        if lost {
            tracing::warn!(member = self.member.name(), epoch = lease.epoch, "lost the lease");
        } else if let Err(error) = self.leases.leave(replica).await {
            tracing::warn!(member = self.member.name(), %error, "cannot give the lease back; it runs out by itself");
        }
    }

    /// Renews the lease until it is lost.
    async fn renew(&self, replica: &Replica, fence: &Fence, until: Instant) {
        let ttl = self.options.lease_ttl;
        let granted = |until: Instant| {
            self.health.note_error(None);
            fence.extend(until.into_std());
        };
        let failed = |error: &Error| {
            tracing::warn!(member = self.member.name(), %error, "cannot renew the lease");
            self.health.note_error(Some(error.to_string()));
        };
        renew_until_lost(ttl, until, || self.leases.heartbeat(replica, ttl), granted, failed).await;
    }
}

/// That the lease is held, and used: not any more when this is dropped, be it by a panic.
struct Held {
    fence: Fence,
    health: Health,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.fence.revoke();
        self.health.note_lease(None);
    }
}
