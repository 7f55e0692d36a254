//! A Kubernetes that refuses some of what is asked of it.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod world;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use members::KubeVirt;
use store::ClusterIntent;
use types::{InstanceStatus, InstanceType, Operation};
use world::World;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_suspend_that_is_refused_fails_with_the_refusal_and_can_be_stopped() {
    let refusing = Arc::new(AtomicBool::new(true));
    let (rule, asked) = (refusing.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = asked.clone();
    let world = World::open_behind(move |_, path| {
        (path.ends_with("/pause") && rule.load(Ordering::Relaxed)).then(|| {
            counter.fetch_add(1, Ordering::Relaxed);
            (403, "pausing is not for you")
        })
    })
    .await;
    if !world.serves_kubevirt().await {
        return world.close().await;
    }
    let cluster = world.create("nopause", InstanceType::Vm, 2).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    world.operate(cluster, Operation::Suspend).await;
    world
        .wait(cluster, SOON, "the refusal is the reason of the failure", |intent| {
            intent.instances.iter().all(|instance| {
                let observed = &instance.observed;
                let told = observed.message.as_deref() == Some("pausing is not for you");
                observed.status == InstanceStatus::Failed && observed.reason.as_deref() == Some("PauseRefused") && told
            })
        })
        .await;
    assert!(asked.load(Ordering::Relaxed) < 40, "{asked:?} tries: later each time");
    refusing.store(false, Ordering::Relaxed);
    world.wait_all(cluster, InstanceStatus::Suspended, SOON).await;
    refusing.store(true, Ordering::Relaxed);
    for (operation, status) in [(Operation::Resume, InstanceStatus::Running), (Operation::Suspend, InstanceStatus::Failed)] {
        world.operate(cluster, operation).await;
        world.wait_all(cluster, status, SOON).await;
    }
    world.operate(cluster, Operation::Stop).await;
    world.wait_all(cluster, InstanceStatus::Stopped, SOON).await;
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_instance_that_is_refused_holds_up_no_other() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let world = World::open_behind(move |method, path| {
        (*method == http::Method::DELETE && path.ends_with("/pods/siblings-instance-2")).then(|| {
            counter.fetch_add(1, Ordering::Relaxed);
            (500, "a webhook says no")
        })
    })
    .await;
    let cluster = world.create("siblings", InstanceType::Container, 3).await;
    world.wait_all(cluster, InstanceStatus::Running, SOON).await;
    world.operate(cluster, Operation::Stop).await;
    world.until("it is refused again and again", SOON, async || asked.load(Ordering::Relaxed) >= 7).await;
    // A pass that failed as often would not look at its cluster for ten seconds and more.
    for (operation, status) in [(Operation::Start, InstanceStatus::Running), (Operation::Stop, InstanceStatus::Stopped)] {
        world.operate_but(cluster, 2, operation).await;
        let others_are_there = |intent: &ClusterIntent| {
            let mut others = intent.instances.iter().filter(|instance| instance.ordinal != 2);
            others.all(|instance| instance.observed.status == status && instance.observed.generation == instance.generation)
        };
        world.wait(cluster, Duration::from_secs(6), "the others go on", others_are_there).await;
    }
    let intent = world.intent(cluster).await;
    let refused = &intent.instances[1].observed;
    assert_eq!((refused.status, refused.message.as_deref()), (InstanceStatus::Failed, Some("a webhook says no")));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vms_wait_for_kubevirt_without_asking_and_come_when_it_does() {
    let hidden = Arc::new(AtomicBool::new(true));
    let rule = hidden.clone();
    let world = World::open_behind(move |_, path| {
        (path == "/apis/kubevirt.io/v1" && rule.load(Ordering::Relaxed)).then_some((403, "discovery is not for you"))
    })
    .await;
    let cluster = world.create("parked", InstanceType::Vm, 1).await;
    world
        .until("why it waits is said", SOON, async || {
            let row = world.db.intents.cluster(store::Whose::Everybodys, cluster).await.unwrap().unwrap();
            row.reason.as_deref() == Some("KubeVirtUnknown")
        })
        .await;
    let namespace = world.intent(cluster).await.namespace;
    assert!(world.member.namespace(&namespace).await.unwrap().is_some(), "what needs no VM is there");
    hidden.store(false, Ordering::Relaxed);
    world.until("KubeVirt is asked for again", SOON, async || world.is(|health| health.kubevirt != KubeVirt::Unknown)).await;
    if world.serves_kubevirt().await {
        world.wait_all(cluster, InstanceStatus::Running, Duration::from_secs(20)).await;
    }
    world.remove(cluster).await;
    world.wait_gone(cluster, SOON).await;
    world.close().await;
}
