//! Running something for ever: that it died is seen, and it is started again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::backoff::backoff;

/// Pause before what died is started again, and at most.
const RESTART_FIRST: Duration = Duration::from_millis(500);
const RESTART_MOST: Duration = Duration::from_secs(30);
/// After having run for so long, a death counts as the first.
const RESTART_FORGIVE: Duration = Duration::from_secs(300);

/// Whether it runs at all.
#[derive(Clone)]
pub(crate) struct Running(Arc<AtomicBool>);

impl Default for Running {
    /// It is about to.
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Running {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// It does until what is answered is dropped: at its end, or while a panic unwinds it.
    fn until_dropped(&self) -> UntilDropped {
        self.0.store(true, Ordering::Relaxed);
        UntilDropped(self.clone())
    }
}

/// See [`Running::until_dropped`].
struct UntilDropped(Running);

impl Drop for UntilDropped {
    fn drop(&mut self) {
        self.0.0.store(false, Ordering::Relaxed);
    }
}

/// Runs something that ends only when cancelled. When it dies of a defect, its health says so, and it is started again.
pub(crate) async fn keep_running<F>(run: impl Fn() -> F, running: Running, cancel: CancellationToken)
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
        tracing::error!(?ended, ?pause, "reconciling died and is started again");
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
        let running = Running::default();
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
        let task = tokio::spawn(keep_running(run, running.clone(), cancel.clone()));
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
