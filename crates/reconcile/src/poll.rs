//! The poll: finds what the store says is not done, and no wake-up told of.

use std::sync::Arc;

use types::Subject;

use crate::{
    compute::Context,
    queue::{Cause, Queue},
};

/// Asks for ever.
pub(crate) async fn poll(context: Arc<Context>, queue: Arc<Queue>) {
    let mut ticks = tokio::time::interval(context.options.poll);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match context.store.clusters_dirty(context.lease.member).await {
            Ok(dirty) => dirty.into_iter().for_each(|id| queue.add(Subject::Cluster(id), Cause::Poll)),
            Err(error) => tracing::warn!(%error, "cannot ask for clusters that are not done"),
        }
    }
}
