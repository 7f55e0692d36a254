use std::time::Duration;

use tokio::time::{Instant, timeout};
use types::ClusterId;

use super::*;
use crate::requeue::Requeue;

const A: ClusterId = ClusterId(1);
const B: ClusterId = ClusterId(2);

fn queue() -> Queue {
    let queue = Queue::default();
    queue.open();
    queue
}

async fn none_within(queue: &Queue, wait: Duration) {
    assert!(timeout(wait, queue.next()).await.is_err(), "nothing should be due yet");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_events_make_one_pass_and_those_during_it_one_more() {
    let queue = queue();
    (0..1_000).for_each(|_| queue.add(A, Cause::Watch));
    assert_eq!(queue.next().await, A);
    (0..1_000).for_each(|_| queue.add(A, Cause::Watch));
    none_within(&queue, Duration::from_secs(5)).await;
    queue.done(A, Outcome::Reconciled(Requeue::ON_CHANGE));
    let ended = Instant::now();
    assert_eq!(queue.next().await, A);
    assert!(ended.elapsed() >= PAUSE_MIN, "passes of one cluster keep a distance");
    queue.done(A, Outcome::Reconciled(Requeue::ON_CHANGE));
    none_within(&queue, Duration::from_secs(3_600)).await;
}

#[tokio::test(start_paused = true)]
async fn a_busy_cluster_does_not_hold_up_another() {
    let queue = queue();
    queue.add(A, Cause::Wake);
    assert_eq!(queue.next().await, A);
    queue.add(A, Cause::Wake);
    queue.add(B, Cause::Wake);
    assert_eq!(timeout(Duration::from_millis(1), queue.next()).await, Ok(B));
}

#[tokio::test(start_paused = true)]
async fn failures_wait_longer_each_time_and_watches_do_not_cut_it_short() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    let mut waits = Vec::new();
    for _ in 0..4 {
        assert_eq!(queue.next().await, A);
        queue.done(A, Outcome::Failed { at_least: None });
        queue.add(A, Cause::Watch);
        queue.add(A, Cause::Poll);
        let failed = Instant::now();
        assert_eq!(queue.next().await, A);
        waits.push(failed.elapsed());
        queue.done(A, Outcome::Failed { at_least: None });
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0] * 2), "{waits:?}");
    let failed = Instant::now();
    queue.add(A, Cause::Wake);
    assert_eq!(queue.next().await, A);
    assert!(failed.elapsed() <= Duration::from_millis(1), "a wake-up does");
    queue.done(A, Outcome::Reconciled(Requeue::ON_CHANGE));
    queue.add(A, Cause::Watch);
    let settled = Instant::now();
    assert_eq!(queue.next().await, A);
    assert!(settled.elapsed() <= PAUSE_MIN, "a success forgets the failures");
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_during_a_pass_does_not_wait_for_the_pause_after_it() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    queue.next().await;
    queue.add(A, Cause::Watch);
    queue.add(A, Cause::Wake);
    tokio::time::sleep(Duration::from_secs(1)).await;
    queue.done(A, Outcome::Failed { at_least: None });
    assert_eq!(timeout(Duration::from_millis(1), queue.next()).await, Ok(A));
}

#[tokio::test(start_paused = true)]
async fn what_the_other_side_asks_for_is_the_least_wait() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    queue.next().await;
    queue.done(A, Outcome::Failed { at_least: Some(Duration::from_secs(7)) });
    none_within(&queue, Duration::from_millis(6_900)).await;
    assert_eq!(timeout(Duration::from_millis(200), queue.next()).await, Ok(A));
}

#[tokio::test(start_paused = true)]
async fn what_came_too_early_never_waits_long() {
    let queue = queue();
    queue.add(A, Cause::Watch);
    for _ in 0..20 {
        queue.next().await;
        let wait = queue.done(A, Outcome::NotReady).expect("a wait");
        assert!(wait <= NOT_READY_MOST, "{wait:?}");
    }
    none_within(&queue, NOT_READY_MOST / 2).await;
}

#[tokio::test(start_paused = true)]
async fn polls_wait_for_a_planned_pass_and_watches_bring_it_forward() {
    let queue = queue();
    queue.add(A, Cause::Poll);
    queue.next().await;
    queue.done(A, Outcome::Reconciled(Requeue::after(Duration::from_secs(5))));
    queue.add(A, Cause::Poll);
    none_within(&queue, Duration::from_secs(4)).await;
    queue.add(A, Cause::Watch);
    assert_eq!(timeout(Duration::from_millis(1), queue.next()).await, Ok(A));
    queue.done(A, Outcome::Reconciled(Requeue::ON_CHANGE));
    none_within(&queue, Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_closed_queue_forgets() {
    let queue = queue();
    queue.add(A, Cause::Wake);
    queue.close();
    queue.add(B, Cause::Wake);
    none_within(&queue, Duration::from_secs(1)).await;
    queue.open();
    none_within(&queue, Duration::from_secs(1)).await;
    assert_eq!(queue.depth(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_of_a_cluster_that_is_gone() {
    let queue = queue();
    queue.add(A, Cause::Wake);
    queue.next().await;
    queue.done(A, Outcome::Gone);
    assert!(queue.lock().entries.is_empty());
    queue.add(A, Cause::Watch);
    queue.next().await;
    queue.add(A, Cause::Watch);
    queue.done(A, Outcome::Gone);
    assert_eq!(queue.next().await, A, "what was named during the pass is reconciled once more");
}

#[tokio::test(start_paused = true)]
async fn many_workers_take_each_cluster_once() {
    let queue = std::sync::Arc::new(queue());
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while let Ok(id) = timeout(Duration::from_secs(1), queue.next()).await {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    taken.push(id.0);
                    queue.done(id, Outcome::Reconciled(Requeue::ON_CHANGE));
                }
                taken
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1)).await;
    (1..=100).for_each(|id| queue.add(ClusterId(id), Cause::Watch));
    let mut all: Vec<i64> = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    all.sort_unstable();
    assert_eq!(all, (1..=100).collect::<Vec<_>>());
}
