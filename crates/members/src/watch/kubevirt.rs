//! KubeVirt's kinds, watched while the member serves them.

use std::{collections::HashSet, time::Duration};

use futures::future::BoxFuture;
use http::Method;
use serde::Deserialize;
use tokio::{task::JoinSet, time::Instant};
use types::Subject;

use super::follow::Follower;
use crate::{KubeVirt, Result, cache::KindCaches, call::Call, member::REQUEST_DEADLINE};

/// How often a member is asked whether it serves KubeVirt.
const RECHECK: Duration = Duration::from_secs(60);
/// The same while it gave no answer.
const RETRY: Duration = Duration::from_secs(2);

/// The same while the last call of any kind had no answer: one write that hangs must not look like a member that is
/// out of reach.
const SILENCE_RECHECK: Duration = Duration::from_secs(5);

/// Starts and stops the watch of a kind.
type Switch = (fn(Follower) -> BoxFuture<'static, ()>, fn(&mut KindCaches) -> HashSet<Subject>);

#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
}

impl Follower {
    /// Watches these kinds while they are served.
    pub(super) async fn follow_kubevirt(self, kinds: Vec<Switch>) {
        let mut watching: Option<JoinSet<()>> = None;
        loop {
            match self.ask_for_kubevirt().await {
                Ok(KubeVirt::Served) => {
                    if watching.is_none() {
                        tracing::info!(member = self.member.name(), "KubeVirt is served: watching VMs");
                        let mut tasks = JoinSet::new();
                        for (run, _) in &kinds {
                            tasks.spawn(run(self.clone()));
                        }
                        watching = Some(tasks);
                    }
                    self.cache.update(|caches| (caches.kubevirt, caches.kubevirt_trouble) = (KubeVirt::Served, None));
                }
                Ok(state) => {
                    watching = None;
                    let touched: Vec<_> = self.cache.update(|caches| {
                        (caches.kubevirt, caches.kubevirt_trouble) = (state, None);
                        kinds.iter().flat_map(|(_, stop)| stop(caches)).collect()
                    });
                    self.tell(touched);
                }
                // What was known before stands: an API server that restarts does not take KubeVirt away.
                Err(error) => {
                    tracing::debug!(member = self.member.name(), %error, "cannot tell whether KubeVirt is served");
                    self.cache.update(|caches| caches.kubevirt_trouble = Some(error));
                }
            }
            tokio::select! {
                () = self.pause() => {}
                () = any_ended(&mut watching) => return,
            }
        }
    }

    async fn pause(&self) {
        let pause = if self.cache.kubevirt() == KubeVirt::Unknown { RETRY } else { RECHECK };
        let ends = Instant::now() + pause;
        while Instant::now() < ends {
            tokio::time::sleep_until(ends.min(Instant::now() + SILENCE_RECHECK)).await;
            if self.member.reach.silent_since().is_some() {
                return;
            }
        }
    }

    async fn ask_for_kubevirt(&self) -> Result<KubeVirt> {
        let call = Call::new(Method::GET, "/apis/kubevirt.io/v1".to_owned()).unguarded();
        match self.member.call::<Resources>(call, REQUEST_DEADLINE).await {
            Ok(list) if list.resources.iter().any(|r| r.name == "virtualmachines") => Ok(KubeVirt::Served),
            Ok(_) => Ok(KubeVirt::Absent),
            Err(error) if error.is_not_found() => Ok(KubeVirt::Absent),
            Err(error) => Err(error),
        }
    }
}

/// Waits until one of these tasks has ended; for ever if there are none.
async fn any_ended(tasks: &mut Option<JoinSet<()>>) {
    match tasks {
        Some(tasks) if !tasks.is_empty() => _ = tasks.join_next().await,
        _ => std::future::pending().await,
    }
}
