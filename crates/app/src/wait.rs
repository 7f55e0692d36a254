//! Waiting for reconciling to get somewhere, on behalf of a request.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};

use crate::App;

/// Another replica may hold the member's lease; its writes are noticed at this interval.
const OTHER_REPLICA: Duration = Duration::from_millis(300);

/// Least time between two reads of one waiter.
const PAUSE: Duration = Duration::from_millis(25);

/// Says when it is worth reading again: `loop { read; if done or !waiter.next().await { break } }`.
pub(crate) struct Waiter {
    changes: watch::Receiver<u64>,
    deadline: Instant,
}

impl App {
    /// Waits until `deadline` at most. To be made before the first read, so that no change falls between.
    pub(crate) fn waiter(&self, deadline: Instant) -> Waiter {
        let mut changes = self.changes.clone();
        changes.mark_unchanged();
        Waiter { changes, deadline }
    }
}

impl Waiter {
    /// `true`: something may have changed, read again. `false`: time is up.
    pub(crate) async fn next(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.deadline {
            return false;
        }
        let next = self.deadline.min(now + OTHER_REPLICA);
        if let Ok(Err(_)) = timeout_at(next, self.changes.changed()).await {
            // Nobody reconciles in this process; another replica might.
            sleep_until(next).await;
        }
        // Whatever else is written in this moment is read in one go.
        sleep_until(self.deadline.min(now + PAUSE)).await;
        self.changes.mark_unchanged();
        true
    }
}
