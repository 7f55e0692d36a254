use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};
use types::{ClusterId, UserId};

use super::*;
use crate::queue::{Cause, Class};

const VMS: i64 = 1_000;

fn cluster(id: i64) -> Subject {
    Subject::Cluster(ClusterId(id))
}

/// A member whose VMs hang, and whose first pass and first look-up are defects.
#[derive(Default)]
struct Fake {
    passes: Mutex<Vec<(Subject, Instant)>>,
    looking_up_panics: AtomicBool,
    passes_panic: AtomicBool,
}

impl Passes for Fake {
    fn member(&self) -> &str {
        "local"
    }

    async fn look_up(&self, subjects: &[Subject]) -> Result<Vec<(Subject, Traits)>, Error> {
        assert!(!self.looking_up_panics.swap(false, Ordering::Relaxed), "a defect");
        let class = |subject: &Subject| if subject.id() >= VMS { Class::Vms } else { Class::Containers };
        Ok(subjects.iter().map(|subject| (*subject, Traits { owner: UserId(1), class: class(subject) })).collect())
    }

    async fn reconcile(&self, subject: Subject) -> Result<Outcome, PassError> {
        assert!(!self.passes_panic.swap(false, Ordering::Relaxed), "a defect");
        let took = if subject.id() >= VMS { Duration::from_secs(10) } else { Duration::from_millis(10) };
        tokio::time::sleep(took).await;
        self.passes.lock().unwrap().push((subject, Instant::now()));
        Ok(Outcome::Reconciled(Requeue::ON_CHANGE))
    }
}

fn start(fake: Fake) -> (Arc<Fake>, Arc<Queue>, JoinSet<()>) {
    let (fake, queue, mut workers) = (Arc::new(fake), Arc::new(Queue::new(8)), JoinSet::new());
    (0..8).for_each(|_| _ = workers.spawn(work(fake.clone(), queue.clone())));
    (fake, queue, workers)
}

#[tokio::test(start_paused = true)]
async fn containers_do_not_wait_for_vms_that_hang() {
    let (fake, queue, _workers) = start(Fake::default());
    (0..100).for_each(|id| queue.add(cluster(VMS + id), Cause::Poll));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let woken = Instant::now();
    (1..=20).for_each(|id| queue.add(cluster(id), Cause::Wake));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let passes = fake.passes.lock().unwrap();
    let ended: Vec<_> = passes.iter().filter(|(subject, _)| subject.id() < VMS).map(|(_, at)| *at - woken).collect();
    assert_eq!(ended.len(), 20);
    assert!(ended.iter().all(|took| *took < Duration::from_millis(100)), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_defect_outside_a_pass_ends_no_worker_and_is_tried_again() {
    let fake = Fake { looking_up_panics: true.into(), passes_panic: true.into(), ..Fake::default() };
    let (fake, queue, mut workers) = start(fake);
    queue.add(cluster(1), Cause::Wake);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(fake.passes.lock().unwrap().len(), 1);
    assert!(workers.try_join_next().is_none());
}
