//! A defect that one cluster brings out is that cluster's trouble. Failpoints are global, so this is a test of its own.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::time::Duration;

use types::{InstanceStatus, InstanceType};
use world::World;

const SOON: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_a_pass_does_not_end_the_tenure() {
    let world = World::open().await;
    let healthy = world.create("healthy", InstanceType::Container, 1).await;
    world.wait_all(healthy, InstanceStatus::Running, SOON).await;
    fail::cfg("pod_create.before", "2*panic(a defect)").unwrap();
    let cluster = world.create("panic", InstanceType::Container, 1).await;
    world
        .until("it runs all the same, under one lease", SOON, async || {
            assert!(world.health().lease_held, "the tenure ended");
            world.all(cluster, InstanceStatus::Running).await
        })
        .await;
    fail::remove("pod_create.before");
    for id in [healthy, cluster] {
        world.remove(id).await;
        world.wait_gone(id, SOON).await;
    }
    world.close().await;
}
