//! How far the writes of a pass got, and what is remembered of each.

use members::MemberError;
use store::ClusterIntent;
use tokio::time::Instant;

use super::write::{Task, Written};
use crate::{
    compute::{memory::InstanceMemories, plan::Action},
    error::hits_every_write,
    requeue::Requeue,
};

/// How far a pass got.
#[derive(Default)]
pub(in crate::compute) struct Progress {
    pub(in crate::compute) requeue: Requeue,
    /// Whether something is left to do.
    pub(in crate::compute) unfinished: bool,
    /// What no other write fared better with.
    pub(in crate::compute) error: Option<MemberError>,
    /// The first of the refusals that hit one instance only, and are in its memory.
    pub(in crate::compute) refusal: Option<MemberError>,
}

impl Progress {
    /// Something counts as done, but is to be looked at again.
    pub(super) fn look_again(&mut self, requeue: Requeue) {
        self.requeue = self.requeue.soonest(requeue);
    }

    /// Something is left to do.
    pub(super) fn leave_unfinished(&mut self, requeue: Requeue) {
        self.look_again(requeue);
        self.unfinished = true;
    }

    /// Remembers what came of a task.
    pub(super) fn note_outcome(
        &mut self,
        cluster: &ClusterIntent,
        memory: &mut InstanceMemories,
        task: &Task<'_>,
        outcome: members::Result<Written>,
    ) {
        let remembered = memory.of(task.instance);
        match outcome {
            Ok(Written::AsAsked) => remembered.note_done(task.action, Instant::now()),
            Ok(Written::TooEarly) => {
                let wait = remembered.note_too_early(task.action, Instant::now());
                self.leave_unfinished(Requeue::after(wait));
            }
            Ok(Written::NameTaken) => {
                remembered.note_done(task.action, Instant::now());
                remembered.note_name_taken(&task.instance.name);
            }
            Err(error) if hits_every_instance(&error) => {
                remembered.note_refused(error.reason(), &error, None);
                self.error.get_or_insert(error);
            }
            Err(error) if is_permanent(task.action, &error) => {
                remembered.note_refused(refused_as(task.action, &error), &error, Some(cluster.generation));
                tracing::warn!(cluster = %cluster.id, instance = task.instance.name, %error, "the member refuses an instance for good");
            }
            Err(error) => {
                remembered.note_refused(refused_as(task.action, &error), &error, None);
                let wait = remembered.retry_later(task.action, error.retry_after(), Instant::now());
                // One of them is enough: a thousand may be refused alike, and status tells of each.
                if self.refusal.is_none() {
                    tracing::info!(cluster = %cluster.id, instance = task.instance.name, %error, ?wait, "an instance is refused and tried again");
                }
                self.leave_unfinished(Requeue::after(wait));
                self.refusal.get_or_insert(error);
            }
        }
    }
}

/// Whether an error says nothing of the one instance: the others wait as well, and the pass ends by it. Whatever is
/// refused otherwise waits alone.
pub(super) fn hits_every_instance(error: &MemberError) -> bool {
    hits_every_write(error) || error.namespace_not_ready() || error.reason() == "TooManyRequests"
}

/// The word for a refusal. What KubeVirt says of a pause is a sentence; its codes say little.
fn refused_as(action: Action, error: &MemberError) -> &'static str {
    match action {
        Action::Pause => "PauseRefused",
        Action::Unpause => "UnpauseRefused",
        _ => error.reason(),
    }
}

/// Whether trying again is of no use. Only what we build ourselves can be invalid for good: KubeVirt answers 400 to a
/// pause, too, while a node's virt-handler is away, and what is to be stopped must not stay for one refusal.
fn is_permanent(action: Action, error: &MemberError) -> bool {
    matches!(action, Action::Create | Action::Run) && !error.retryable()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use types::InstanceType;

    use super::*;
    use crate::compute::fixtures;

    fn api(code: u16, message: &str) -> MemberError {
        let failure = members::ApiFailure { code, reason: String::new(), message: message.to_owned(), retry_after: None };
        MemberError::Api(Box::new(failure))
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_instance_is_refused_holds_up_no_other_and_what_hits_all_ends_the_pass() {
        let young = "pods \"a\" is forbidden: status unknown for quota: kubekcloud, resources: pods";
        let table = [
            (api(500, "failed calling webhook"), false),
            (api(403, "exceeded quota: kubekcloud"), false),
            (api(503, "the webhook is not there"), false),
            (api(429, "too many requests"), true),
            (api(403, young), true),
            (MemberError::Timeout(Duration::from_secs(10)), true),
            (MemberError::Unreachable("no route".into()), true),
            (MemberError::Fenced, true),
            (MemberError::Config("the token ran out".into()), true),
        ];
        let cluster = fixtures::cluster(InstanceType::Container);
        let task = Task { instance: &cluster.instances[0], action: Action::Create };
        for (error, of_all) in table {
            let (mut progress, mut memory) = (Progress::default(), InstanceMemories::default());
            progress.note_outcome(&cluster, &mut memory, &task, Err(error.clone()));
            assert_eq!((progress.error.is_some(), progress.refusal.is_some()), (of_all, !of_all), "{error}");
            let [first, second] = [0, 1].map(|at| memory.of(&cluster.instances[at]).retry_in(Action::Create, Instant::now()));
            assert_eq!((first.is_some(), second.is_some()), (!of_all, false), "{error}");
            assert_eq!(progress.requeue.wait().is_some(), !of_all, "its next try is planned: {error}");
        }
    }

    #[test]
    fn only_what_we_build_is_refused_for_good() {
        let no_handler = api(400, "No virt-handler on node a found");
        for action in [Action::Pause, Action::Unpause, Action::Delete, Action::Recreate, Action::Halt] {
            assert!(!is_permanent(action, &no_handler), "{action:?}");
        }
        let busy = api(429, "too many requests");
        for action in [Action::Create, Action::Run] {
            assert!(is_permanent(action, &no_handler), "{action:?}");
            assert!(!is_permanent(action, &busy), "{action:?}");
        }
    }
}
