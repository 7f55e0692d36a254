//! Waiting for reconciling to get somewhere, on behalf of a request.

use std::time::Duration;

use store::InstanceRow;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout_at},
};
use types::{ClusterId, InstanceId, Result};

use crate::{App, Caller, validate::INSTANCES_MAX};

/// Another replica may hold the member's lease: its writes are not announced here, and read for at this interval.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

/// Least time between two reads of one waiter: what is written within it is read in one go.
const READ_INTERVAL: Duration = Duration::from_millis(25);

/// Says when it is worth reading again: `loop { read; if done or !waiter.next().await { break } }`.
/// To be made before the first read, so that no change falls between.
struct Waiter {
    changes: watch::Receiver<u64>,
    deadline: Instant,
}

impl Waiter {
    fn new(mut changes: watch::Receiver<u64>, deadline: Instant) -> Self {
        changes.mark_unchanged();
        Self { changes, deadline }
    }

    /// `true`: something may have changed, read again. `false`: time is up.
    async fn next(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.deadline {
            return false;
        }
        let next = self.deadline.min(now + POLL_INTERVAL);
        if let Ok(Err(_)) = timeout_at(next, self.changes.changed()).await {
            // Nobody reconciles in this process; another replica might.
            sleep_until(next).await;
        }
        sleep_until(self.deadline.min(now + READ_INTERVAL)).await;
        self.changes.mark_unchanged();
        true
    }
}

impl App {
    /// The instance when it has settled or is on its way out, or as it is at `deadline`.
    pub(crate) async fn instance_settled(&self, caller: &Caller, id: InstanceId, deadline: Instant) -> Result<InstanceRow> {
        let mut waiter = Waiter::new(self.changes.clone(), deadline);
        loop {
            let row = self.find_instance(caller, id).await?;
            if settled_or_deleting(&row) || !waiter.next().await {
                return Ok(row);
            }
        }
    }

    /// The cluster's instances when those that `matter` have settled or are on their way out, or as they are at `deadline`.
    pub(crate) async fn instances_settled(
        &self,
        caller: &Caller,
        id: ClusterId,
        deadline: Instant,
        matter: impl Fn(&InstanceRow) -> bool,
    ) -> Result<Vec<InstanceRow>> {
        let mut waiter = Waiter::new(self.changes.clone(), deadline);
        loop {
            let rows = self.find_instances(caller, id, 0, INSTANCES_MAX).await?;
            if rows.iter().filter(|row| matter(row)).all(settled_or_deleting) || !waiter.next().await {
                return Ok(rows);
            }
        }
    }
}

fn settled_or_deleting(row: &InstanceRow) -> bool {
    row.settled() || row.intent.deleting || row.cluster_deleting
}
