//! The poll: finds what the store says is not done, and no wake-up told of. One for all members of this process.

use std::time::Duration;

use store::Observations;

use crate::Wake;

/// Asks for ever, while there is a queue for the answer.
pub(crate) async fn poll(observations: &Observations, wake: &Wake, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if wake.is_idle() {
            continue;
        }
        match observations.work_due().await {
            Ok(due) => due.into_iter().for_each(|(member, subject)| wake.poll(member, subject)),
            Err(error) => tracing::warn!(%error, "cannot ask for what is not done"),
        }
    }
}
