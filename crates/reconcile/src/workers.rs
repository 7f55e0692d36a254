//! The workers: several tasks that take subjects from the queue while the lease is held.
//!
//! A defect that one subject brings out is that subject's trouble, wherever in a worker it shows: it counts as a failed
//! pass, and the worker goes on.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use futures::FutureExt as _;
use types::{Error, Subject};

use crate::{
    error::PassError,
    queue::{Job, Queue, Traits},
    requeue::{Outcome, Requeue},
};

/// What workers do with subjects.
pub(crate) trait Passes: Send + Sync + 'static {
    /// The member's name.
    fn member(&self) -> &str;

    /// What is known of those of them that are this member's.
    fn look_up(&self, subjects: &[Subject]) -> impl Future<Output = Result<Vec<(Subject, Traits)>, Error>> + Send;

    /// Makes a subject match its intent as far as that is possible now.
    fn reconcile(&self, subject: Subject) -> impl Future<Output = Result<Outcome, PassError>> + Send;
}

/// One of several, for ever.
pub(crate) async fn work(passes: Arc<impl Passes>, queue: Arc<Queue>) {
    loop {
        match queue.next().await {
            Job::LookUp(subjects) => match caught(look_up(&*passes, &queue, &subjects)).await {
                Ok(()) => {}
                Err(panic) => {
                    tracing::error!(member = passes.member(), panic, "looking up subjects panicked and is repeated");
                    queue.not_looked_up(&subjects);
                }
            },
            Job::Reconcile(subject) => {
                if let Err(panic) = caught(reconcile(&*passes, &queue, subject)).await {
                    let wait = queue.done(subject, Outcome::Failed { at_least: None });
                    log_failure(passes.member(), subject, &PassError::Panicked(panic), wait);
                }
            }
        }
    }
}

async fn look_up(passes: &impl Passes, queue: &Queue, subjects: &[Subject]) {
    match passes.look_up(subjects).await {
        Ok(found) => queue.looked_up(subjects, &found),
        Err(error) => {
            tracing::warn!(member = passes.member(), %error, "cannot look up subjects");
            queue.not_looked_up(subjects);
        }
    }
}

async fn reconcile(passes: &impl Passes, queue: &Queue, subject: Subject) {
    let started = Instant::now();
    let result = passes.reconcile(subject).await;
    let member = || passes.member().to_owned();
    metrics::histogram!("kubekcloud_reconcile_duration_seconds", "member" => member()).record(started.elapsed().as_secs_f64());
    metrics::gauge!("kubekcloud_queue_depth", "member" => member()).set(queue.depth() as f64);
    let (outcome, word, reason) = match &result {
        Ok(outcome @ (Outcome::Reconciled(Requeue::ON_CHANGE) | Outcome::Gone)) => (*outcome, "settled", ""),
        Ok(outcome) => (*outcome, "again", ""),
        Err(error) => (error.outcome(), "failed", error.reason()),
    };
    metrics::counter!("kubekcloud_reconcile_passes_total", "member" => member(), "result" => word, "reason" => reason).increment(1);
    let wait = queue.done(subject, outcome);
    if let Err(error) = result {
        log_failure(passes.member(), subject, &error, wait);
    }
}

fn log_failure(member: &str, subject: Subject, error: &PassError, wait: Option<std::time::Duration>) {
    let reason = error.reason();
    if matches!(error, PassError::Panicked(_)) {
        tracing::error!(member, %subject, reason, %error, ?wait, "a pass panicked and is repeated");
    } else if error.retryable() {
        tracing::info!(member, %subject, reason, %error, ?wait, "a pass failed and is repeated");
    } else {
        tracing::warn!(member, %subject, reason, %error, ?wait, "a pass was refused");
    }
}

/// A panic as a text.
pub(crate) async fn caught<T>(task: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(task).catch_unwind().await.map_err(|panic| {
        let text = text_of(&*panic);
        // A failpoint stands for the death of the process.
        if text.starts_with("failpoint ") {
            std::panic::resume_unwind(panic);
        }
        text
    })
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no text").to_owned()
}

#[cfg(test)]
#[path = "workers_tests.rs"]
mod tests;
