//! Holding a member's lease, and all that is done while it is held.
//!
//! A tenure ends when the lease is lost, when it could not be renewed in time by our own clock, or when the process
//! ends. Whatever is under way then is dropped where it stands, as a crash would: every pass copes with that.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use members::{Fence, Member, Watches, Writer};
use store::{Lease, Store};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use types::{Error, MemberId};

use crate::{
    Changes, Health, Options,
    compute::{self, Context},
    error::PassError,
    queue::{Cause, Queue, Verdict},
};

/// Part of the lease that is left unused: a write that was sent at the last moment arrives before its end.
const MARGIN: u32 = 10;

/// Pause between two tenures, so that a defect that ends them does not spin.
const TURN: Duration = Duration::from_millis(500);

/// What every tenure of one reconciler is made with.
pub(crate) struct Seat {
    pub(crate) store: Store,
    pub(crate) member: Arc<Member>,
    pub(crate) member_id: MemberId,
    pub(crate) options: Options,
    pub(crate) queue: Arc<Queue>,
    pub(crate) changes: Changes,
    pub(crate) health: Health,
    pub(crate) cancel: CancellationToken,
}

impl Seat {
    /// Takes the lease whenever it is free, and works while it is held, until cancelled.
    pub(crate) async fn run(self) {
        let pause = self.options.lease_ttl / 3;
        while !self.cancel.is_cancelled() {
            let asked = Instant::now();
            match self.acquire().await {
                Ok(Some((lease, installation))) => {
                    tracing::info!(member = self.member.name(), epoch = lease.epoch, "took the lease");
                    self.health.error(None);
                    self.serve(lease, &installation, asked).await;
                    self.health.lease(None);
                    self.pause(TURN).await;
                    continue;
                }
                Ok(None) => self.health.error(None),
                Err(error) => {
                    tracing::warn!(member = self.member.name(), %error, "cannot take the lease");
                    self.health.error(Some(error.to_string()));
                }
            }
            self.pause(pause).await;
        }
        self.health.stopped();
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
    fn deadline(&self, asked: Instant) -> Instant {
        asked + (self.options.lease_ttl - self.options.lease_ttl / MARGIN)
    }

    async fn serve(&self, lease: Lease, installation: &str, asked: Instant) {
        let fence = Fence::until(self.deadline(asked));
        self.queue.open();
        let queue = self.queue.clone();
        let mut watches = Watches::start(self.member.clone(), installation, move |cluster| queue.add(cluster, Cause::Watch));
        self.health.lease(Some(watches.cache().clone()));
        let context = Arc::new(Context {
            store: self.store.clone(),
            lease: lease.clone(),
            writer: Writer::new(self.member.clone(), fence.clone()),
            cache: watches.cache().clone(),
            installation: installation.to_owned(),
            options: self.options.clone(),
            changes: self.changes.clone(),
            memories: compute::Memories::default(),
            since: tokio::time::Instant::now(),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..self.options.passes {
            tasks.spawn(work(context.clone(), self.queue.clone()));
        }
        tasks.spawn(poll(context.clone(), self.queue.clone()));
        tasks.spawn(resync(context, self.queue.clone()));
        let lost = tokio::select! {
            () = self.keep(&lease, &fence) => true,
            () = self.cancel.cancelled() => false,
            Some(ended) = tasks.join_next() => {
                // They never end by themselves: a defect. Another tenure starts them afresh.
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

    /// Renews the lease until it is lost.
    async fn keep(&self, lease: &Lease, fence: &Fence) {
        let every = self.options.lease_ttl / 3;
        loop {
            let left = fence.remaining().unwrap_or_default();
            tokio::time::sleep(every.min(left)).await;
            let asked = Instant::now();
            let Some(left) = fence.remaining() else { return };
            match tokio::time::timeout(left, self.store.lease_renew(lease, self.options.lease_ttl)).await {
                Ok(Ok(true)) => {
                    self.health.error(None);
                    fence.extend(self.deadline(asked));
                }
                Ok(Ok(false)) => return,
                Ok(Err(error)) => {
                    tracing::warn!(member = self.member.name(), %error, "cannot renew the lease");
                    self.health.error(Some(error.to_string()));
                    tokio::time::sleep((every / 5).min(left)).await;
                }
                Err(_) => return,
            }
        }
    }
}

/// One of several that take clusters from the queue, for ever.
async fn work(context: Arc<Context>, queue: Arc<Queue>) {
    context.cache.until_synced().await;
    loop {
        let id = queue.next().await;
        let started = Instant::now();
        let result = compute::pass(&context, id).await;
        metrics::histogram!("kubekcloud_reconcile_duration_seconds").record(started.elapsed().as_secs_f64());
        metrics::gauge!("kubekcloud_queue_depth").set(queue.depth() as f64);
        let (verdict, outcome, reason) = match &result {
            Ok(verdict @ (Verdict::Settled | Verdict::Gone)) => (*verdict, "settled", ""),
            Ok(verdict) => (*verdict, "again", ""),
            Err(error) => (error.verdict(), "failed", error.reason()),
        };
        metrics::counter!("kubekcloud_reconcile_passes_total", "result" => outcome, "reason" => reason).increment(1);
        let wait = queue.done(id, verdict);
        if let Err(error) = result {
            log(id.0, &error, wait);
        }
    }
}

fn log(cluster: i64, error: &PassError, wait: Option<Duration>) {
    let reason = error.reason();
    if matches!(error, PassError::Panicked(_)) {
        tracing::error!(cluster, reason, %error, ?wait, "a pass panicked and is repeated");
    } else if error.retryable() {
        tracing::info!(cluster, reason, %error, ?wait, "a pass failed and is repeated");
    } else {
        tracing::warn!(cluster, reason, %error, ?wait, "a pass was refused");
    }
}

/// Finds what no wake-up told of.
async fn poll(context: Arc<Context>, queue: Arc<Queue>) {
    let mut ticks = tokio::time::interval(context.options.poll);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match context.store.clusters_dirty(context.lease.member).await {
            Ok(dirty) => dirty.into_iter().for_each(|id| queue.add(id, Cause::Poll)),
            Err(error) => tracing::warn!(%error, "cannot ask for clusters that are not done"),
        }
    }
}

/// Looks at everything once in a while, and at what nobody asked for.
async fn resync(context: Arc<Context>, queue: Arc<Queue>) {
    context.cache.until_synced().await;
    let mut spread = Duration::ZERO;
    loop {
        match context.store.clusters_on(context.lease.member).await {
            Ok(clusters) => {
                context.memories.distrust_guardrails();
                for id in &clusters {
                    queue.add_after(*id, spread.mul_f64(rand::random()));
                }
                report_orphans(&context, &clusters);
            }
            Err(error) => tracing::warn!(%error, "cannot list clusters"),
        }
        spread = context.options.resync / 10;
        tokio::time::sleep(context.options.resync).await;
    }
}

/// Namespaces with our label that no row asks for are shown, never deleted: they may hold somebody's data.
fn report_orphans(context: &Context, clusters: &[types::ClusterId]) {
    let clusters: HashSet<_> = clusters.iter().collect();
    let mut orphans = 0;
    for (cluster, namespace) in context.cache.namespaces_all() {
        if namespace.terminating.is_none() && cluster.is_none_or(|id| !clusters.contains(&id)) {
            orphans += 1;
            tracing::warn!(namespace = namespace.name, "a namespace with our label belongs to no cluster; it is left alone");
        }
    }
    metrics::gauge!("kubekcloud_orphan_namespaces").set(f64::from(orphans));
    for (kind, count) in context.cache.sizes() {
        metrics::gauge!("kubekcloud_watched_objects", "kind" => kind).set(count as f64);
    }
}
