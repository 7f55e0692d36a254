//! The walk: every subject is reconciled once in a while without a reason, one after the other, never in a burst.
//!
//! It finds what no event told of: an object that was edited while nobody watched, a defect of ours. Nothing waits
//! for it, so it takes its time, from the first moment of a lease on.

use std::{collections::HashSet, sync::Arc, time::Duration};

use types::{ClusterId, Error, Subject};

use crate::{
    backoff::backoff,
    compute::Context,
    queue::{Cause, Queue},
};

/// Least time between two steps; many subjects take longer for a round than was asked for.
const STEP_LEAST: Duration = Duration::from_millis(20);
/// Wait after the list has failed, and at most.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(30);

/// Walks through a member's subjects for ever.
pub(crate) async fn walk(context: Arc<Context>, queue: Arc<Queue>) {
    context.cache.until_synced().await;
    let step = |subject| {
        if let Subject::Cluster(id) = subject {
            context.memories.distrust_guardrails(id);
        }
        queue.add(subject, Cause::Walk);
    };
    walk_through(context.options.resync, || list(context.clone()), step).await;
}

async fn walk_through<F>(round: Duration, list: impl Fn() -> F, step: impl Fn(Subject))
where
    F: Future<Output = Result<Vec<Subject>, Error>>,
{
    let mut failures = 0;
    loop {
        match list().await {
            Ok(subjects) => {
                failures = 0;
                let count = u32::try_from(subjects.len()).unwrap_or(u32::MAX).max(1);
                let pause = (round / count).max(STEP_LEAST);
                if subjects.is_empty() {
                    tokio::time::sleep(pause).await;
                }
                for subject in subjects {
                    step(subject);
                    tokio::time::sleep(pause).await;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot list what is to be reconciled");
                failures += 1;
                tokio::time::sleep(backoff(failures, RETRY_FIRST, RETRY_MOST)).await;
            }
        }
    }
}

/// All subjects of the member, and by the way what belongs to none.
async fn list(context: Arc<Context>) -> Result<Vec<Subject>, Error> {
    // Before the rows: a namespace without a row may be of a cluster that was made a moment ago, the other way round.
    let namespaces = context.cache.namespaces_all();
    let clusters = context.store.clusters_on(context.member_id).await?;
    let known: HashSet<ClusterId> = clusters.iter().copied().collect();
    let member = context.writer.member().name();
    let mut orphans = 0;
    for (subject, namespace) in namespaces {
        let belongs = match subject {
            Some(Subject::Cluster(id)) => known.contains(&id),
            Some(Subject::VirtualCluster(_)) => true,
            None => false,
        };
        if namespace.terminating.is_none() && !belongs {
            orphans += 1;
            // Shown, never deleted: it may hold somebody's data.
            tracing::warn!(member, namespace = namespace.name, "a namespace with our label belongs to no cluster; it is left alone");
        }
    }
    metrics::gauge!("kubekcloud_orphan_namespaces", "member" => member.to_owned()).set(f64::from(orphans));
    for (kind, count) in context.cache.sizes() {
        metrics::gauge!("kubekcloud_watched_objects", "member" => member.to_owned(), "kind" => kind).set(count as f64);
    }
    Ok(clusters.into_iter().map(Subject::Cluster).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::{Instant, timeout};

    use super::*;

    const ROUND: Duration = Duration::from_secs(300);

    /// When each step was taken, of the first `most` of walking.
    async fn steps<F>(most: Duration, list: impl Fn() -> F) -> Vec<Duration>
    where
        F: Future<Output = Result<Vec<Subject>, Error>>,
    {
        let began = Instant::now();
        let steps = Mutex::new(Vec::new());
        let step = |_| steps.lock().unwrap().push(began.elapsed());
        assert!(timeout(most, walk_through(ROUND, list, step)).await.is_err(), "it never ends");
        steps.into_inner().unwrap()
    }

    fn subjects(count: i64) -> Vec<Subject> {
        (1..=count).map(|id| Subject::Cluster(ClusterId(id))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_is_spread_over_its_time_from_the_first_on() {
        let steps = steps(ROUND - STEP_LEAST, || async { Ok(subjects(100)) }).await;
        assert_eq!(steps.len(), 100);
        assert!(steps.windows(2).all(|pair| pair[1] - pair[0] >= ROUND / 100), "{steps:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn many_take_longer_rather_than_come_faster() {
        let steps = steps(Duration::from_secs(10), || async { Ok(subjects(100_000)) }).await;
        assert!(steps.len() <= 501, "{}", steps.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_list_that_fails_is_soon_tried_again() {
        let tries = Mutex::new(0);
        let list = || async {
            *tries.lock().unwrap() += 1;
            if *tries.lock().unwrap() < 3 { Err(Error::Internal("no".into())) } else { Ok(subjects(1)) }
        };
        let steps = steps(ROUND, list).await;
        assert!(steps[0] <= RETRY_FIRST * 3, "{steps:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_to_walk_through_is_no_reason_to_spin() {
        let lists = Mutex::new(0);
        let list = || async {
            *lists.lock().unwrap() += 1;
            Ok(Vec::new())
        };
        steps(ROUND / 2, list).await;
        assert_eq!(*lists.lock().unwrap(), 1);
    }
}
