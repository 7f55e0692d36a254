//! Starting and stopping the reconciling of one member.

use std::{sync::Arc, time::Duration};

use members::Member;
use store::{Leases, Observations};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use types::MemberId;

use crate::{Changes, Health, Options, Wake, backoff::backoff, health::Running, lease_holder::LeaseHolder};

/// Pause before what died is started again, and at most.
const RESTART_FIRST: Duration = Duration::from_millis(500);
const RESTART_MOST: Duration = Duration::from_secs(30);
/// After having run for so long, a death counts as the first.
const RESTART_FORGIVE: Duration = Duration::from_secs(300);

/// A running reconciler of one member.
pub struct Reconciler {
    wake: Wake,
    changes: Changes,
    health: Health,
    task: JoinHandle<()>,
}

impl Reconciler {
    /// Starts it. It runs until `cancel`, taking the member's lease whenever it is free.
    pub fn start(
        (store, leases): (Observations, Leases),
        installation: String,
        member: Arc<Member>,
        member_id: MemberId,
        options: Options,
        cancel: CancellationToken,
    ) -> Self {
        let (wake, changes, health) = (Wake::default(), Changes::default(), Health::new(member.clone()));
        let name = member.name().to_owned();
        let holder = Arc::new(LeaseHolder {
            store,
            leases,
            member,
            member_id,
            options,
            wake: wake.clone(),
            changes: changes.clone(),
            health: health.clone(),
            cancel: cancel.clone(),
            installation,
        });
        let run = move || {
            let holder = holder.clone();
            async move { holder.run().await }
        };
        let task = tokio::spawn(keep_running(name, run, health.running(), cancel));
        Self { wake, changes, health, task }
    }

    /// For those that change intent.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// For those that wait for status.
    pub fn changes(&self) -> Changes {
        self.changes.clone()
    }

    /// For those that ask how it is doing.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Waits for its end after it was cancelled: the lease is given back then.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the reconciler died");
        }
    }
}

/// Runs something that ends only when cancelled. When it dies of a defect, its health says so, and it is started again.
async fn keep_running<F>(member: String, run: impl Fn() -> F, running: Running, cancel: CancellationToken)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut deaths = 0;
    while !cancel.is_cancelled() {
        let started = Instant::now();
        // Within a set, so that it does not outlive us.
        let mut task = JoinSet::new();
        let (run, until_dropped) = (run(), running.until_dropped());
        task.spawn(async move {
            let _until_dropped = until_dropped;
            run.await;
        });
        let ended = task.join_next().await;
        if cancel.is_cancelled() {
            return;
        }
        deaths = if started.elapsed() > RESTART_FORGIVE { 1 } else { deaths + 1 };
        let pause = backoff(deaths, RESTART_FIRST, RESTART_MOST);
        tracing::error!(member, ?ended, ?pause, "the reconciler died and is started again");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = cancel.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_that_dies_is_seen_and_started_again_later_each_time() {
        let running = Running::new();
        let cancel = CancellationToken::new();
        let starts = Arc::new(AtomicU32::new(0));
        let (counted, stop) = (starts.clone(), cancel.clone());
        let run = move || {
            let (start, stop) = (counted.fetch_add(1, Ordering::Relaxed), stop.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                match start {
                    0 => panic!("a defect"),
                    1 => {}
                    _ => stop.cancelled().await,
                }
            }
        };
        let task = tokio::spawn(keep_running("local".into(), run, running.clone(), cancel.clone()));
        let mut seen = Vec::new();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            seen.push(running.get());
        }
        seen.dedup();
        assert_eq!(seen, [true, false, true, false, true]);
        assert_eq!(starts.load(Ordering::Relaxed), 3);
        cancel.cancel();
        task.await.unwrap();
        assert!(!running.get());
    }
}
