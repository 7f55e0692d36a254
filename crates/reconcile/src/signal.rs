//! Hints without data, in and out.
//!
//! In: [`Wake`] says that a subject's intent changed. Out: [`Changes`] says that status of a subject was written.
//! Neither carries anything that could be lost with it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;
use types::{MemberId, Subject};

use crate::queue::{Cause, Queue};

/// Tells the reconciler of a member that a subject is to be reconciled now. Cheap, never waits, and may be called by
/// replicas that do not hold the member's lease: then it does nothing, and the holder's poll finds the change.
#[derive(Clone, Default)]
pub struct Wake(Arc<Mutex<HashMap<MemberId, Arc<Queue>>>>);

impl Wake {
    fn queues(&self) -> MutexGuard<'_, HashMap<MemberId, Arc<Queue>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a subject reconciled as soon as possible.
    pub fn wake(&self, member: MemberId, subject: Subject) {
        self.add(member, subject, Cause::Wake);
    }

    /// As the store says that it is not done.
    pub(crate) fn poll(&self, member: MemberId, subject: Subject) {
        self.add(member, subject, Cause::Poll);
    }

    /// Whether this process holds no member.
    pub(crate) fn is_idle(&self) -> bool {
        self.queues().is_empty()
    }

    fn add(&self, member: MemberId, subject: Subject, cause: Cause) {
        let queue = self.queues().get(&member).cloned();
        if let Some(queue) = queue {
            queue.add(subject, cause);
        }
    }

    /// Has a member's subjects put into that queue from now on, until what is answered is dropped.
    pub(crate) fn route(&self, member: MemberId, queue: Arc<Queue>) -> Route {
        self.queues().insert(member, queue);
        Route { wake: self.clone(), member }
    }
}

/// That a member's queue is open.
pub(crate) struct Route {
    wake: Wake,
    member: MemberId,
}

impl Drop for Route {
    fn drop(&mut self) {
        self.wake.queues().remove(&self.member);
    }
}

/// Fires after each write of status by this process.
#[derive(Clone)]
pub struct Changes {
    all: watch::Sender<u64>,
    subjects: Arc<Mutex<Subjects>>,
}

#[derive(Default)]
struct Subjects {
    senders: HashMap<Subject, watch::Sender<u64>>,
    /// From so many on it is worth looking for those that nobody listens to any more.
    sweep_at: usize,
}

impl Default for Changes {
    fn default() -> Self {
        Self { all: watch::Sender::new(0), subjects: Arc::default() }
    }
}

impl Changes {
    /// From now on, of all subjects. Subscribe first, then read, then wait: nothing between is missed. Other replicas'
    /// writes do not show here, so wait with a limit and look again.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.all.subscribe()
    }

    /// As [`Changes::subscribe`], of one subject.
    pub fn of(&self, subject: Subject) -> watch::Receiver<u64> {
        const SWEEP_LEAST: usize = 64;
        let mut subjects = self.subjects();
        if subjects.senders.len() >= subjects.sweep_at {
            subjects.senders.retain(|_, sender| !sender.is_closed());
            subjects.sweep_at = (subjects.senders.len() * 2).max(SWEEP_LEAST);
        }
        subjects.senders.entry(subject).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    pub(crate) fn fire(&self, subject: Subject) {
        self.all.send_modify(|count| *count += 1);
        if let Some(sender) = self.subjects().senders.get(&subject) {
            sender.send_modify(|count| *count += 1);
        }
    }

    fn subjects(&self) -> MutexGuard<'_, Subjects> {
        self.subjects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use types::{ClusterId, VirtualClusterId};

    use super::*;

    const A: Subject = Subject::Cluster(ClusterId(1));
    const B: Subject = Subject::VirtualCluster(VirtualClusterId(1));

    #[test]
    fn whoever_waits_for_a_subject_hears_of_no_other() {
        let changes = Changes::default();
        let (mut of_a, mut of_b) = (changes.of(A), changes.of(B));
        changes.fire(A);
        assert!(of_a.has_changed().unwrap() && !of_b.has_changed().unwrap());
        of_a.mark_unchanged();
        of_b.mark_unchanged();
        assert!(!changes.of(A).has_changed().unwrap(), "only from now on");
    }

    #[test]
    fn nothing_is_kept_for_those_who_stopped_waiting() {
        let changes = Changes::default();
        let waiting = changes.of(A);
        (0..10_000).for_each(|id| drop(changes.of(Subject::Cluster(ClusterId(id)))));
        assert!(changes.subjects().senders.len() <= 64);
        changes.fire(A);
        assert!(waiting.has_changed().unwrap());
    }

    #[tokio::test]
    async fn a_wake_up_goes_to_its_member_and_to_nobody_without_the_lease() {
        let (wake, member) = (Wake::default(), MemberId::LOCAL);
        let queue = Arc::new(Queue::new(1));
        wake.wake(member, A);
        let route = wake.route(member, queue.clone());
        wake.wake(MemberId(77), A);
        assert_eq!(queue.depth(), 0);
        wake.wake(member, A);
        assert_eq!(queue.depth(), 1);
        drop(route);
        wake.wake(member, B);
        assert_eq!(queue.depth(), 1);
    }
}
