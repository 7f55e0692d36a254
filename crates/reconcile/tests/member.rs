//! The reconciler against the Kubernetes that `KUBEKCLOUD_TEST_KUBECONFIG` names, else against a sandbox each.
//!
//! Each test has a database, and with it an installation id, of its own, so they share the cluster without noticing.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::time::{Duration, Instant};

use members::Kind;
use types::{InstanceStatus, InstanceType, Operation};
use world::World;

const SOON: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn containers_live_their_whole_life() {
    let world = World::open().await;
    let cluster = world.create("life", InstanceType::Container, 3).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    let intent = world.intent(cluster).await;
    assert!(intent.instances.iter().all(|i| i.observed.ip.is_some() && i.observed.node.is_some()), "{intent:?}");
    world.wait(cluster, SOON, "carried out", |intent| intent.observed_generation == intent.generation).await;

    let name = &intent.instances[1].name;
    let uid = world.member.uid(Kind::Pod, &intent.namespace, name).await.unwrap().unwrap();
    world.delete(Kind::Pod, Some(&intent.namespace), name, &uid).await;
    world
        .until("a Pod that vanished is made again", SOON, async || {
            world.member.uid(Kind::Pod, &intent.namespace, name).await.unwrap().is_some_and(|now| now != uid)
        })
        .await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;

    for (operation, status) in [
        (Operation::Suspend, InstanceStatus::Suspended),
        (Operation::Resume, InstanceStatus::Running),
        (Operation::Stop, InstanceStatus::Stopped),
        (Operation::Start, InstanceStatus::Running),
    ] {
        world.operate(cluster, operation).await;
        world.wait_all(cluster, status, SOON).await;
        let there = world.member.uid(Kind::Pod, &intent.namespace, name).await.unwrap().is_some();
        assert_eq!(there, status == InstanceStatus::Running, "{operation}");
    }

    world.scale_down(cluster, 1).await;
    world.wait(cluster, SOON, "scaled down", |intent| intent.instances.len() == 1).await;
    assert_eq!(world.usage().await, world.size(1));

    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    assert_eq!(world.member.namespace(&intent.namespace).await.unwrap().map(|n| n.name), None);
    assert_eq!(world.usage().await, world.size(0));
    world.close().await;
}

/// Prints how long it takes beside the same Pods posted straight into an equally guarded namespace.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_instances_come_up_together() {
    const MOST: Duration = Duration::from_secs(120);
    let world = World::open().await;
    let empty = world.create_stopped("straight", 1_000).await;
    world.wait_all(empty, InstanceStatus::Stopped, SOON).await;
    let straight = world.post_straight(empty, 1_000).await;
    world.remove(empty).await;
    world.wait_gone(empty, MOST).await;

    let started = Instant::now();
    let cluster = world.create("thousand", InstanceType::Container, 1_000).await;
    world.wait_all(cluster, InstanceStatus::Running, MOST).await;
    let ours = started.elapsed();
    eprintln!(
        "1000 running after {:.1} s, straight after {:.1} s: {:.2}x",
        ours.as_secs_f64(),
        straight.as_secs_f64(),
        ours.div_duration_f64(straight)
    );
    let started = Instant::now();
    world.remove(cluster).await;
    world.until("the quota is given back", MOST, async || world.usage().await == world.size(0)).await;
    eprintln!("their compute is gone after {:.1} s", started.elapsed().as_secs_f64());
    world.wait_gone(cluster, MOST).await;
    eprintln!("their namespace is gone after {:.1} s", started.elapsed().as_secs_f64());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_of_no_instance_is_deleted() {
    let world = World::open().await;
    // Stopped: the quota object has room for one.
    let cluster = world.create_stopped("stray", 1).await;
    world.wait_all(cluster, InstanceStatus::Stopped, SOON).await;
    let namespace = world.intent(cluster).await.namespace;
    world.post_stray(cluster, "stray-instance-9", 1_000_000).await;
    world.until("the stray is gone", SOON, async || world.member.uid(Kind::Pod, &namespace, "stray-instance-9").await.unwrap().is_none()).await;
    world.operate(cluster, Operation::Start).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_namespace_is_never_taken() {
    let world = World::open().await;
    let theirs = world.foreign_namespace("taken-ns").await;
    let cluster = world.create("taken", InstanceType::Container, 1).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    let intent = world.intent(cluster).await;
    assert!(intent.namespace.starts_with("taken-") && intent.namespace.ends_with("-ns") && intent.namespace != "taken-ns");
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    assert_eq!(world.member.namespace("taken-ns").await.unwrap().map(|n| n.uid), Some(theirs.clone()));
    world.delete(Kind::Namespace, None, "taken-ns", &theirs).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_vanishes_is_made_again() {
    let world = World::open().await;
    let cluster = world.create("vanish", InstanceType::Container, 2).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    let intent = world.intent(cluster).await;
    let uid = intent.namespace_uid.clone().unwrap();
    world.delete(Kind::Namespace, None, &intent.namespace, &uid).await;
    world.wait(cluster, SOON, "another UID", |now| now.namespace_uid.as_ref().is_some_and(|now| !now.is_empty() && *now != uid)).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_replica_takes_over_where_the_first_stopped() {
    let mut world = World::open().await;
    let cluster = world.create("handover", InstanceType::Container, 2).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    world.stop().await;
    world.operate(cluster, Operation::Stop).await;
    world.start("second").await;
    world.wait_all(cluster, InstanceStatus::Stopped, SOON).await;
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_replicas_lease_runs_out() {
    let mut world = World::open().await;
    world.stop().await;
    let dead = world.start_doomed("doomed").await;
    let cluster = world.create("doomed", InstanceType::Container, 2).await;
    world.start("heir").await;
    world.until("the doomed one works", SOON, async || world.all(cluster, InstanceStatus::Running).await).await;
    assert!(!world.is(|health| health.lease_held), "the heir waits");
    dead.shutdown_background();
    world.operate(cluster, Operation::Stop).await;
    world.wait_all(cluster, InstanceStatus::Stopped, SOON).await;
    assert!(world.is(|health| health.lease_held));
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_that_hangs_says_which_finalizer_blocks_it() {
    let world = World::open().await;
    let cluster = world.create("hang", InstanceType::Container, 1).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    let intent = world.intent(cluster).await;
    let namespace = intent.namespace.as_str();
    world.hold(namespace, &["example.com/hold"]).await;
    world.remove(cluster).await;
    world
        .until("the finalizer is named", SOON, async || {
            let row = world.db.intents.cluster(store::Whose::Everybodys, cluster).await.unwrap().unwrap();
            row.message.is_some_and(|message| message.contains("example.com/hold"))
        })
        .await;
    assert_eq!(world.usage().await, world.size(0), "compute is gone: its quota does not wait");
    world.hold(namespace, &[]).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vms_live_their_whole_life() {
    let world = World::open().await;
    if !world.serves_kubevirt().await {
        return world.close().await;
    }
    let cluster = world.create("vmlife", InstanceType::Vm, 2).await;
    world.wait_all(cluster, InstanceStatus::Running, Duration::from_secs(90)).await;
    for (operation, status) in [
        (Operation::Suspend, InstanceStatus::Suspended),
        (Operation::Resume, InstanceStatus::Running),
        (Operation::Stop, InstanceStatus::Stopped),
        (Operation::Start, InstanceStatus::Running),
        (Operation::Suspend, InstanceStatus::Suspended),
        (Operation::Stop, InstanceStatus::Stopped),
    ] {
        let started = Instant::now();
        world.operate(cluster, operation).await;
        world.wait_all(cluster, status, Duration::from_secs(60)).await;
        eprintln!("{operation}: {:.1} s", started.elapsed().as_secs_f64());
    }
    world.operate(cluster, Operation::Start).await;
    world.wait_all(cluster, InstanceStatus::Running, Duration::from_secs(60)).await;
    world.scale_down(cluster, 1).await;
    world.wait(cluster, Duration::from_secs(60), "scaled down", |intent| intent.instances.len() == 1).await;
    world.remove(cluster).await;
    world.wait_gone(cluster, Duration::from_secs(60)).await;
    assert_eq!(world.usage().await, world.size(0));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_vm_whose_memory_is_lost_says_so_and_resume_starts_it() {
    let world = World::open().await;
    if !world.serves_kubevirt().await {
        return world.close().await;
    }
    let cluster = world.create("vmlost", InstanceType::Vm, 1).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    world.operate(cluster, Operation::Suspend).await;
    world.wait_all(cluster, InstanceStatus::Suspended, SOON).await;
    let intent = world.intent(cluster).await;
    let name = intent.instances[0].name.as_str();
    let kept = intent.instances[0].observed.incarnation.clone().unwrap();
    world.delete(Kind::VirtualMachineInstance, Some(&intent.namespace), name, &kept).await;
    world
        .wait(cluster, SOON, "the loss is said, and the VM is off", |intent| {
            let observed = &intent.instances[0].observed;
            observed.status == InstanceStatus::Stopped && observed.reason.as_deref() == Some("MemoryLost")
        })
        .await;
    assert_eq!(world.member.uid(Kind::VirtualMachineInstance, &intent.namespace, name).await.unwrap(), None, "nothing runs in its place");
    world.operate(cluster, Operation::Resume).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    assert_eq!(world.intent(cluster).await.instances[0].observed.reason, None);
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}
