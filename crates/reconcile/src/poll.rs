//! The poll: finds what the store says is not done, and no wake-up told of.

use std::sync::Arc;

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
        match context.store.work_due().await {
            Ok(due) => due.into_iter().filter(|(on, _)| *on == context.member_id).for_each(|(_, subject)| queue.add(subject, Cause::Poll)),
            Err(error) => tracing::warn!(%error, "cannot ask for what is due"),
        }
    }
}
