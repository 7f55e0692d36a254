//! Guardrails are written when something is wrong with them. Failpoints are global, so this is a test of its own.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use members::Kind;
use types::{InstanceStatus, InstanceType, Operation, Step};
use world::World;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_takeover_writes_no_guardrail_and_an_edit_is_undone_at_once() {
    let mut world = World::open().await;
    let applies = Arc::new(AtomicUsize::new(0));
    let (counter, point) = (applies.clone(), format!("{}.after", Step::GuardrailApply.as_str()));
    fail::cfg_callback(point.as_str(), move || _ = counter.fetch_add(1, Ordering::Relaxed)).unwrap();
    let cluster = world.create("guarded", InstanceType::Container, 1).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    let namespace = world.intent(cluster).await.namespace;
    let recorded = async || world.member.namespace(&namespace).await.unwrap().and_then(|found| found.guardrails).is_some();
    world.until("what was applied is recorded", SOON, recorded).await;
    let first = applies.load(Ordering::Relaxed);
    assert_eq!(first, 7, "each once, and the record of them");

    world.stop().await;
    world.start("second").await;
    for (operation, status) in [(Operation::Stop, InstanceStatus::Stopped), (Operation::Start, InstanceStatus::Running)] {
        world.operate(cluster, operation).await;
        world.wait_all(cluster, status, SOON).await;
    }
    assert_eq!(applies.load(Ordering::Relaxed), first, "all is as it was recorded");

    let policy = "kubekcloud-default-deny";
    let uid = async || world.member.uid(Kind::NetworkPolicy, &namespace, policy).await.unwrap();
    let before = uid().await.unwrap();
    world.delete(Kind::NetworkPolicy, Some(&namespace), policy, &before).await;
    world.until("the policy is back", SOON, async || uid().await.is_some_and(|now| now != before)).await;
    world.until("only that is applied", SOON, async || applies.load(Ordering::Relaxed) == first + 1).await;
    fail::remove(point);
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}
