use std::time::Duration;

use tokio::time::{Instant, timeout};
use types::{ClusterId, UserId};

use super::{
    entry::{NOT_READY_MOST, PAUSE_MIN},
    *,
};
use crate::requeue::Requeue;

const A: Subject = cluster(1);
const B: Subject = cluster(2);
/// Clusters of VMs have ids from here on.
const VMS: i64 = 1_000_000;

const fn cluster(id: i64) -> Subject {
    Subject::Cluster(ClusterId(id))
}

/// Ten thousand clusters each.
fn traits(subject: Subject) -> Traits {
    let class = if subject.id() >= VMS { Class::Vms } else { Class::Containers };
    Traits { owner: UserId(subject.id() % VMS / 10_000), class }
}

fn queue() -> Queue {
    Queue::new(8)
}

/// The next subject, those that are new being looked up before.
async fn next(queue: &Queue) -> Subject {
    loop {
        match queue.next().await {
            Job::Reconcile(subject) => return subject,
            Job::LookUp(subjects) => {
                let found: Vec<_> = subjects.iter().map(|subject| (*subject, traits(*subject))).collect();
                queue.looked_up(&subjects, &found);
            }
        }
    }
}

/// All that there is to do at this moment.
async fn all_due(queue: &Queue) -> Vec<Subject> {
    let mut due = Vec::new();
    while let Ok(subject) = timeout(Duration::from_nanos(1), next(queue)).await {
        due.push(subject);
    }
    due
}

async fn none_within(queue: &Queue, wait: Duration) {
    assert!(timeout(wait, next(queue)).await.is_err(), "nothing should be due yet");
}

const SETTLED: Outcome = Outcome::Reconciled(Requeue::ON_CHANGE);

#[tokio::test(start_paused = true)]
async fn a_thousand_events_make_one_pass_and_those_during_it_one_more() {
    let queue = queue();
    (0..1_000).for_each(|_| queue.add(A, Cause::Watch));
    assert_eq!(next(&queue).await, A);
    (0..1_000).for_each(|_| queue.add(A, Cause::Watch));
    none_within(&queue, Duration::from_secs(5)).await;
    queue.done(A, SETTLED);
    let ended = Instant::now();
    assert_eq!(next(&queue).await, A);
    assert!(ended.elapsed() >= PAUSE_MIN, "passes of one cluster keep a distance");
    queue.done(A, SETTLED);
    none_within(&queue, Duration::from_secs(3_600)).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_cluster_does_not_hold_up_another() {
    let queue = queue();
    queue.add(A, Cause::Wake);
    assert_eq!(next(&queue).await, A);
    queue.add(A, Cause::Wake);
    queue.add(B, Cause::Wake);
    assert_eq!(timeout(Duration::from_millis(1), next(&queue)).await, Ok(B));
}

#[tokio::test(start_paused = true)]
async fn failures_wait_longer_each_time_and_watches_do_not_cut_it_short() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    let mut waits = Vec::new();
    for _ in 0..4 {
        assert_eq!(next(&queue).await, A);
        queue.done(A, Outcome::Failed { at_least: None });
        queue.add(A, Cause::Watch);
        queue.add(A, Cause::Poll);
        let failed = Instant::now();
        assert_eq!(next(&queue).await, A);
        waits.push(failed.elapsed());
        queue.done(A, Outcome::Failed { at_least: None });
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0] * 2), "{waits:?}");
    let failed = Instant::now();
    queue.add(A, Cause::Wake);
    assert_eq!(next(&queue).await, A);
    assert!(failed.elapsed() <= Duration::from_millis(1), "a wake-up does");
    queue.done(A, SETTLED);
    queue.add(A, Cause::Watch);
    let settled = Instant::now();
    assert_eq!(next(&queue).await, A);
    assert!(settled.elapsed() <= PAUSE_MIN, "a success forgets the failures");
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_during_a_pass_does_not_wait_for_the_pause_after_it() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    next(&queue).await;
    queue.add(A, Cause::Watch);
    queue.add(A, Cause::Wake);
    tokio::time::sleep(Duration::from_secs(1)).await;
    queue.done(A, Outcome::Failed { at_least: None });
    assert_eq!(timeout(Duration::from_millis(1), next(&queue)).await, Ok(A));
}

#[tokio::test(start_paused = true)]
async fn what_the_other_side_asks_for_is_the_least_wait() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    next(&queue).await;
    queue.done(A, Outcome::Failed { at_least: Some(Duration::from_secs(7)) });
    none_within(&queue, Duration::from_millis(6_900)).await;
    assert_eq!(timeout(Duration::from_millis(200), next(&queue)).await, Ok(A));
}

#[tokio::test(start_paused = true)]
async fn what_came_too_early_never_waits_long() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    for _ in 0..20 {
        next(&queue).await;
        let wait = queue.done(A, Outcome::NotReady).expect("a wait");
        assert!(wait <= NOT_READY_MOST, "{wait:?}");
    }
    none_within(&queue, NOT_READY_MOST / 2).await;
}

#[tokio::test(start_paused = true)]
async fn polls_wait_for_a_planned_pass_and_watches_bring_it_forward() {
    let queue = queue();
    queue.add(A, Cause::Poll);
    next(&queue).await;
    queue.done(A, Outcome::Reconciled(Requeue::after(Duration::from_secs(5))));
    queue.add(A, Cause::Poll);
    none_within(&queue, Duration::from_secs(4)).await;
    queue.add(A, Cause::Watch);
    assert_eq!(timeout(Duration::from_millis(1), next(&queue)).await, Ok(A));
    queue.done(A, SETTLED);
    none_within(&queue, Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_a_cluster_that_is_gone() {
    let queue = queue();
    queue.add(A, Cause::Wake);
    next(&queue).await;
    queue.done(A, Outcome::Gone);
    assert!(queue.lock().entries.is_empty());
    queue.add(A, Cause::Watch);
    next(&queue).await;
    queue.add(A, Cause::Watch);
    queue.done(A, Outcome::Gone);
    assert_eq!(next(&queue).await, A, "what was named during the pass is reconciled once more");
}

#[tokio::test(start_paused = true)]
async fn many_workers_take_each_cluster_once() {
    let queue = std::sync::Arc::new(queue());
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Ok(id) = timeout(Duration::from_secs(1), next(&queue)).await {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    taken.push(id.id());
                    queue.done(id, SETTLED);
                }
                taken
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    (1..=100).for_each(|id| queue.add(cluster(id), Cause::Watch));
    let mut all: Vec<i64> = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, (1..=100).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_huge_wait_is_bounded_and_breaks_nothing() {
    let queue = queue();
    for outcome in [Outcome::Failed { at_least: Some(Duration::MAX) }, Outcome::Reconciled(Requeue::after(Duration::MAX))] {
        queue.add(A, Cause::Wake);
        assert_eq!(next(&queue).await, A);
        let wait = queue.done(A, outcome).expect("a wait");
        assert!(wait <= Duration::from_secs(3_600), "{wait:?}");
        queue.add(B, Cause::Wake);
        assert_eq!(timeout(Duration::from_millis(1), next(&queue)).await, Ok(B));
        queue.done(B, SETTLED);
        assert_eq!(timeout(wait, next(&queue)).await, Ok(A), "it comes back");
        queue.done(A, SETTLED);
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_goes_before_a_backlog_and_finds_a_worker() {
    let queue = queue();
    (1..=1_000).for_each(|id| queue.add(cluster(id), Cause::Poll));
    let busy = all_due(&queue).await;
    assert_eq!(busy.len(), 7, "one worker is kept");
    queue.add(cluster(20_000), Cause::Wake);
    assert_eq!(all_due(&queue).await, [cluster(20_000)]);
    assert_eq!(queue.depth(), 993);
}

#[tokio::test(start_paused = true)]
async fn people_leave_a_worker_to_what_changes() {
    let queue = queue();
    (1..=1_000).for_each(|id| queue.add(cluster(id), Cause::Wake));
    queue.add(cluster(20_000), Cause::Poll);
    let due = all_due(&queue).await;
    assert_eq!(due.len(), 8);
    assert_eq!(due[7], cluster(20_000));
}

#[tokio::test(start_paused = true)]
async fn what_comes_of_a_change_is_as_urgent_for_a_while() {
    let queue = queue();
    queue.add(A, Cause::Wake);
    assert_eq!(next(&queue).await, A);
    queue.done(A, SETTLED);
    tokio::time::sleep(Duration::from_secs(1)).await;
    (10..=1_000).for_each(|id| queue.add(cluster(id), Cause::Poll));
    queue.add(A, Cause::Watch);
    assert_eq!(next(&queue).await, A);
    queue.done(A, SETTLED);
    tokio::time::sleep(Duration::from_secs(60)).await;
    queue.add(A, Cause::Watch);
    assert!(!all_due(&queue).await.contains(&A));
}

#[tokio::test(start_paused = true)]
async fn owners_take_turns() {
    let queue = queue();
    (1..=1_000).for_each(|id| queue.add(cluster(id), Cause::Wake));
    queue.add(cluster(20_000), Cause::Wake);
    queue.add(cluster(30_000), Cause::Wake);
    let due = all_due(&queue).await;
    assert!(due[..3].contains(&cluster(20_000)) && due[..3].contains(&cluster(30_000)), "{due:?}");
}

#[tokio::test(start_paused = true)]
async fn a_class_that_hangs_leaves_workers_to_others() {
    let queue = queue();
    (1..=100).for_each(|id| queue.add(cluster(VMS + id), Cause::Wake));
    (1..=100).for_each(|id| queue.add(cluster(VMS + 1_000 + id), Cause::Poll));
    let vms = all_due(&queue).await;
    assert_eq!(vms.len(), 4, "they hang");
    for id in 1..=100 {
        queue.add(cluster(id), Cause::Wake);
        assert_eq!(timeout(Duration::from_millis(1), next(&queue)).await, Ok(cluster(id)));
        queue.done(cluster(id), SETTLED);
    }
    queue.done(vms[0], Outcome::Failed { at_least: None });
    assert_eq!(all_due(&queue).await.len(), 1, "the next VMs have their turn");
}

#[tokio::test(start_paused = true)]
async fn the_first_list_is_gone_through_by_few_and_what_is_news_overtakes_it() {
    let queue = queue();
    (1..=1_000).for_each(|id| (0..3).for_each(|_| queue.add(cluster(id), Cause::Watch)));
    assert_eq!(all_due(&queue).await.len(), 2);
    queue.add(cluster(1_000), Cause::Poll);
    assert_eq!(all_due(&queue).await, [cluster(1_000)]);
    queue.done(cluster(1_000), SETTLED);
    queue.add(cluster(1_000), Cause::Watch);
    assert_eq!(timeout(PAUSE_MIN * 2, next(&queue)).await, Ok(cluster(1_000)), "it is known by now");
}

#[tokio::test(start_paused = true)]
async fn what_is_nobodys_is_forgotten_unless_it_was_named_again() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    queue.add(B, Cause::Watch);
    let Job::LookUp(asked) = queue.next().await else { panic!("they are new") };
    queue.add(B, Cause::Wake);
    queue.looked_up(&asked, &[]);
    assert_eq!(queue.lock().entries.len(), 1);
    let Job::LookUp(asked) = queue.next().await else { panic!("it was not found") };
    assert_eq!(asked, [B]);
    queue.not_looked_up(&asked);
    none_within(&queue, LOOK_UP_RETRY / 2).await;
    assert_eq!(next(&queue).await, B);
}

/// A worker that waits is woken whenever there is something for it, whatever the caps held back before.
#[tokio::test(start_paused = true)]
async fn no_wake_up_is_lost_between_lanes_and_caps() {
    let queue = std::sync::Arc::new(queue());
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                while let Ok(subject) = timeout(Duration::from_secs(5), next(&queue)).await {
                    let took = if traits(subject).class == Class::Vms { 50 } else { 1 };
                    tokio::time::sleep(Duration::from_millis(took)).await;
                    queue.done(subject, SETTLED);
                    taken += 1;
                }
                taken
            })
        })
        .collect();
    let causes = [Cause::Wake, Cause::Watch, Cause::Poll, Cause::Walk];
    for id in 1..=400 {
        let subject = if id % 3 == 0 { cluster(VMS + id) } else { cluster(id * 1_000) };
        queue.add(subject, causes[usize::try_from(id).unwrap() % 4]);
        tokio::time::sleep(Duration::from_millis(u64::try_from(id).unwrap() % 5)).await;
    }
    let mut all = 0;
    for worker in workers {
        all += worker.await.unwrap();
    }
    assert_eq!((all, queue.depth()), (400, 0));
}
