//! Waiting for reconciling to get somewhere, on behalf of a request.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use types::Result;

use crate::App;

/// How long operations wait for their end before they answer `pending`.
pub(crate) const OPERATION_WAIT: Duration = Duration::from_secs(10);

/// Another replica may hold the member's lease; its writes are noticed at this interval.
const OTHER_REPLICA: Duration = Duration::from_millis(300);

impl App {
    /// Reads until `done` says so or the deadline passes, and answers what was read last. Reads again whenever this
    /// process has written an observation.
    pub(crate) async fn wait_for<T>(&self, deadline: Instant, read: impl AsyncFn() -> Result<T>, done: impl Fn(&T) -> bool) -> Result<T> {
        let mut changes = self.changes.clone();
        loop {
            changes.mark_unchanged();
            let seen = read().await?;
            if done(&seen) || Instant::now() >= deadline {
                return Ok(seen);
            }
            let next = deadline.min(Instant::now() + OTHER_REPLICA);
            if let Ok(Err(_)) = timeout_at(next, changes.changed()).await {
                // Nobody reconciles in this process; the other replica might.
                tokio::time::sleep_until(next).await;
            }
        }
    }
}
