//! How far the writes of a pass got, and what is remembered of each.

use std::time::Duration;

use members::MemberError;
use store::ClusterIntent;
use tokio::time::Instant;

use super::write::{Task, Written};
use crate::{
    compute::{memory::InstanceMemories, plan::Action},
    error::hits_every_write,
    requeue::Requeue,
};

/// When to look at a VM again that could not be paused yet.
const PAUSE_RECHECK: Duration = Duration::from_millis(500);

/// How far a pass got.
#[derive(Default)]
pub(in crate::compute) struct Progress {
    pub(in crate::compute) requeue: Requeue,
    /// Whether something is left to do.
    pub(in crate::compute) unfinished: bool,
    /// What may succeed later; what may not is a refusal in the instance's memory.
    pub(in crate::compute) error: Option<MemberError>,
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
            Ok(written) => {
                remembered.note_done(task.action, Instant::now());
                match written {
                    Written::AsAsked => {}
                    Written::TooEarly => {
                        remembered.note_too_early();
                        self.leave_unfinished(Requeue::after(PAUSE_RECHECK));
                    }
                    Written::NameTaken => remembered.note_name_taken(&task.instance.name),
                }
            }
            Err(error) if is_permanent(task.action, &error) => {
                remembered.note_refused(refused_as(task.action, &error), &error, Some(cluster.generation));
                tracing::warn!(cluster = %cluster.id, instance = task.instance.name, %error, "the member refuses an instance for good");
            }
            Err(error) => {
                remembered.note_refused(refused_as(task.action, &error), &error, None);
                self.error.get_or_insert(error);
            }
        }
    }
}

/// The word for a refusal. What KubeVirt says of a pause is a sentence; its codes say little.
fn refused_as(action: Action, error: &MemberError) -> &'static str {
    match action {
        Action::Pause if !hits_every_write(error) => "PauseRefused",
        Action::Unpause if !hits_every_write(error) => "UnpauseRefused",
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
    use super::*;

    #[test]
    fn only_what_we_build_is_refused_for_good() {
        let failure = |code, message: &str| members::ApiFailure { code, reason: String::new(), message: message.to_owned(), retry_after: None };
        let no_handler = MemberError::Api(Box::new(failure(400, "No virt-handler on node a found")));
        for action in [Action::Pause, Action::Unpause, Action::Delete, Action::Recreate, Action::Halt] {
            assert!(!is_permanent(action, &no_handler), "{action:?}");
        }
        let busy = MemberError::Api(Box::new(failure(429, "too many requests")));
        for action in [Action::Create, Action::Run] {
            assert!(is_permanent(action, &no_handler), "{action:?}");
            assert!(!is_permanent(action, &busy), "{action:?}");
        }
    }
}
