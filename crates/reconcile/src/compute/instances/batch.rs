//! Many writes at the same time, for a bounded time and a bounded number of refusals.

use std::{collections::VecDeque, time::Duration};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use store::ClusterIntent;
use tokio::time::Instant;

use super::{
    progress::{Progress, hits_every_instance},
    write::{self, Task, Written},
};
use crate::{
    compute::{context::Pass, memory::InstanceMemories, observe::Observed},
    requeue::Requeue,
};

/// How long a pass goes on starting new writes.
const SLICE: Duration = Duration::from_secs(1);
/// After so many refusals that may pass, the rest is left for a later pass.
const REFUSALS_MAX: usize = 16;

/// The writes of one pass.
pub(super) struct Batch<'a> {
    pass: &'a Pass<'a>,
    cluster: &'a ClusterIntent,
    observed: &'a Observed,
    waiting: VecDeque<Task<'a>>,
    running: FuturesUnordered<BoxFuture<'a, (Task<'a>, members::Result<Written>)>>,
    ends: Instant,
    refusals_left: usize,
}

impl<'a> Batch<'a> {
    /// An empty one, whose slice of time begins now.
    pub(super) fn new(pass: &'a Pass<'a>, cluster: &'a ClusterIntent, observed: &'a Observed) -> Self {
        let (waiting, running) = (VecDeque::new(), FuturesUnordered::new());
        Self { pass, cluster, observed, waiting, running, ends: Instant::now() + SLICE, refusals_left: REFUSALS_MAX }
    }

    /// Does as many of the tasks as fit; notes of each what came of it, and whether some are left.
    pub(super) async fn run(mut self, tasks: Vec<Task<'a>>, memory: &mut InstanceMemories, progress: &mut Progress) {
        self.waiting = tasks.into();
        let idle = self.waiting.is_empty();
        loop {
            while self.start_next() {}
            let Some((task, outcome)) = self.running.next().await else { break };
            self.settle(&task, outcome, memory, progress);
        }
        match self.waiting.front() {
            Some(next) if self.refusals_left == 0 && progress.error.is_none() => {
                let wait = memory.note_many_refused(next.action, Instant::now());
                progress.leave_unfinished(Requeue::after(wait));
            }
            Some(_) => progress.leave_unfinished(Requeue::AT_ONCE),
            None if !idle && self.refusals_left > 0 => memory.note_few_refused(),
            None => {}
        }
    }

    /// Starts one write more, if there is room and time for it.
    fn start_next(&mut self) -> bool {
        let room = self.running.len() < self.pass.context.options.writes;
        if !room || self.refusals_left == 0 || Instant::now() >= self.ends {
            return false;
        }
        let Some(task) = self.waiting.pop_front() else { return false };
        let Self { pass, cluster, observed, .. } = *self;
        let write = async move {
            let outcome = write::execute(pass, cluster, observed, &task).await;
            (task, outcome)
        };
        self.running.push(write.boxed());
        true
    }

    /// Notes what came of one that ended.
    fn settle(&mut self, task: &Task<'a>, outcome: members::Result<Written>, memory: &mut InstanceMemories, progress: &mut Progress) {
        match &outcome {
            Ok(_) => {}
            Err(error) if hits_every_instance(error) => self.give_up(),
            Err(error) => self.refusals_left = self.refusals_left.saturating_sub(usize::from(error.retryable())),
        }
        progress.note_outcome(self.cluster, memory, task, outcome);
    }

    /// Starts no more: the rest is left for a later pass.
    fn give_up(&mut self) {
        self.refusals_left = 0;
    }
}
