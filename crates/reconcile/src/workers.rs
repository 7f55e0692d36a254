//! The tasks that run while the lease is held: workers that reconcile, the poll for lost wake-ups, the resync.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use types::{ClusterId, Subject};

use crate::{
    compute::{self, Context},
    error::PassError,
    queue::{Cause, Queue},
    requeue::{Outcome, Requeue},
};

/// One of several that take clusters from the queue, for ever.
pub(crate) async fn reconcile(context: Arc<Context>, queue: Arc<Queue>) {
    context.cache.until_synced().await;
    loop {
        let id = queue.next().await;
        let started = Instant::now();
        let result = compute::reconcile(&context, id).await;
        metrics::histogram!("kubekcloud_reconcile_duration_seconds").record(started.elapsed().as_secs_f64());
        metrics::gauge!("kubekcloud_queue_depth").set(queue.depth() as f64);
        let (outcome, word, reason) = match &result {
            Ok(outcome @ (Outcome::Reconciled(Requeue::ON_CHANGE) | Outcome::Gone)) => (*outcome, "settled", ""),
            Ok(outcome) => (*outcome, "again", ""),
            Err(error) => (error.outcome(), "failed", error.reason()),
        };
        metrics::counter!("kubekcloud_reconcile_passes_total", "result" => word, "reason" => reason).increment(1);
        let wait = queue.done(id, outcome);
        if let Err(error) = result {
            log_failure(id, &error, wait);
        }
    }
}

fn log_failure(cluster: ClusterId, error: &PassError, wait: Option<Duration>) {
    let (cluster, reason) = (cluster.0, error.reason());
    if matches!(error, PassError::Panicked(_)) {
        tracing::error!(cluster, reason, %error, ?wait, "a pass panicked and is repeated");
    } else if error.retryable() {
        tracing::info!(cluster, reason, %error, ?wait, "a pass failed and is repeated");
    } else {
        tracing::warn!(cluster, reason, %error, ?wait, "a pass was refused");
    }
}

/// Finds what no wake-up told of.
pub(crate) async fn poll(context: Arc<Context>, queue: Arc<Queue>) {
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

/// Has every cluster reconciled once in a while, its guardrails applied anew, and counts what belongs to none.
pub(crate) async fn resync(context: Arc<Context>, queue: Arc<Queue>) {
    context.cache.until_synced().await;
    let mut spread = Duration::ZERO;
    loop {
        match context.store.clusters_on(context.lease.member).await {
            Ok(clusters) => {
                context.memories.distrust_guardrails();
                for id in &clusters {
                    queue.add_after(*id, spread.mul_f64(rand::random()));
                }
                count_orphans(&context, &clusters);
                count_watched(&context);
            }
            Err(error) => tracing::warn!(%error, "cannot list clusters"),
        }
        spread = context.options.resync / 10;
        tokio::time::sleep(context.options.resync).await;
    }
}

/// Namespaces with our label that no row asks for are shown, never deleted: they may hold somebody's data.
fn count_orphans(context: &Context, clusters: &[ClusterId]) {
    let clusters: HashSet<_> = clusters.iter().collect();
    let mut orphans = 0;
    for (subject, namespace) in context.cache.namespaces_all() {
        let known = match subject {
            Some(Subject::Cluster(id)) => clusters.contains(&id),
            Some(Subject::VirtualCluster(_)) => true,
            None => false,
        };
        if namespace.terminating.is_none() && !known {
            orphans += 1;
            tracing::warn!(namespace = namespace.name, "a namespace with our label belongs to no cluster; it is left alone");
        }
    }
    metrics::gauge!("kubekcloud_orphan_namespaces").set(f64::from(orphans));
}

fn count_watched(context: &Context) {
    for (kind, count) in context.cache.sizes() {
        metrics::gauge!("kubekcloud_watched_objects", "kind" => kind).set(count as f64);
    }
}
