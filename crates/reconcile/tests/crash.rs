//! A crash at any step, before or after its write: whoever has the lease next converges.
//!
//! The crash is a panic within the pass, by failpoint: whatever was under way is dropped, whatever was remembered is
//! lost, and the next lease holder starts from what the store and the member say. Failpoints are global, so this is one test.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::time::Duration;

use types::{InstanceStatus, InstanceType, Operation, Step};
use world::World;

const SOON: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_loses_nothing() {
    let world = World::open().await;
    let mut met = 0;
    for step in Step::ALL {
        for side in ["before", "after"] {
            let point = format!("{}.{side}", step.as_str());
            let instance_type = match step {
                Step::VmApply | Step::VmPause | Step::VmUnpause | Step::VmDelete => InstanceType::Vm,
                _ => InstanceType::Container,
            };
            // These need circumstances of their own.
            if matches!(step, Step::NamespaceRename | Step::GuardrailPrune | Step::VolumeApply) {
                continue;
            }
            let before = world.panics();
            fail::cfg(point.as_str(), "1*panic").unwrap();
            live(&world, instance_type).await;
            fail::remove(point.as_str());
            assert!(world.panics() > before, "{point} was never met");
            met += 1;
        }
    }
    eprintln!("{met} crashes");
    world.close().await;
}

/// A whole life; at its end nothing may be left.
async fn live(world: &World, instance_type: InstanceType) {
    let cluster = world.create("crash", instance_type, 2).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    for (operation, status) in [(Operation::Suspend, InstanceStatus::Suspended), (Operation::Resume, InstanceStatus::Running)] {
        world.operate(cluster, operation).await;
        world.wait_all(cluster, status, SOON).await;
    }
    let namespace = world.intent(cluster).await.namespace;
    world.scale_down(cluster, 1).await;
    world.wait(cluster, SOON, "scaled down", |intent| intent.instances.len() == 1).await;
    assert_eq!(world.usage().await, world.size(1));
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    assert_eq!(world.usage().await, world.size(0));
    assert!(world.member.namespace(&namespace).await.unwrap().is_none(), "{namespace} is left over");
}
