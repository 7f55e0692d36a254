//! Delayed work, at most one at a time of each name: watches repeat what they said before.

use super::log::log;
use std::{
    collections::HashSet,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

#[derive(Clone, Default)]
pub(super) struct Tasks {
    busy: Arc<Mutex<HashSet<String>>>,
}

const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(200);

impl Tasks {
    /// Runs `work` after `delay` unless work of that name is under way; a failure is logged and tried again.
    pub(super) fn once<F, W>(&self, name: String, delay: Duration, work: W)
    where
        W: Fn() -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send,
    {
        if !self.lock().insert(name.clone()) {
            return;
        }
        let tasks = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            for _ in 0..TRIES {
                match work().await {
                    Ok(()) => break,
                    Err(error) => log(format!("{name}: {error:#}")),
                }
                tokio::time::sleep(PAUSE).await;
            }
            tasks.lock().remove(&name);
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
