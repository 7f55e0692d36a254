//! A defect that one cluster brings out is that cluster's trouble. Failpoints are global, so this is a test of its own.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::time::Duration;

use store::LeaseName;
use types::{InstanceStatus, InstanceType, MemberId, Step};
use world::{DEFECT, World};

const SOON: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_pass_does_not_end_the_lease() {
    let mut world = World::open().await;
    let healthy = world.create("healthy", InstanceType::Container, 1).await;
    world.wait_all(healthy, InstanceStatus::Running, SOON).await;
    let before = world.panics();
    let point = format!("{}.before", Step::PodCreate.as_str());
    fail::cfg(point.as_str(), &format!("2*panic({DEFECT})")).unwrap();
    let cluster = world.create("panic", InstanceType::Container, 1).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    fail::remove(point);
    assert_eq!(world.panics() - before, 2, "the passes panicked");
    for id in [healthy, cluster] {
        world.remove(id).await;
        world.wait_gone(id, SOON).await;
    }
    world.stop().await;
    let replica = world.db.leases.join("next", SOON).await.unwrap();
    let next = world.db.leases.claim(&replica, LeaseName::Member(MemberId::LOCAL)).await.unwrap().unwrap();
    assert_eq!(next.epoch, 2, "the first lease lasted until the end");
    world.close().await;
}
