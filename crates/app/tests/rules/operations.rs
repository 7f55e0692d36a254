//! The state table: what each operation does to an instance in each state.

use serde_json::json;
use types::{
    Desired::{self, Running, Stopped, Suspended},
    Error, InstanceStatus, Operation, Suspension, Transition,
};
use wire::{instance::Mode, word::Word};

use crate::world::{Resume, Start, Stop, Suspend, World, ids, refused};

#[derive(Debug)]
enum Becomes {
    /// It is sent there.
    On(Desired),
    /// It is there, or on its way there, already: nothing is written.
    Already,
    /// It is refused, and these are allowed instead.
    Refused(&'static [&'static str]),
}
use Becomes::{Already, On, Refused};

/// From each state, each operation.
const TABLE: [(InstanceStatus, Operation, Becomes); 20] = [
    (InstanceStatus::Pending, Start, Already),
    (InstanceStatus::Pending, Stop, On(Stopped)),
    (InstanceStatus::Pending, Suspend, Refused(&["stop"])),
    (InstanceStatus::Pending, Resume, Already),
    (InstanceStatus::Running, Start, Already),
    (InstanceStatus::Running, Stop, On(Stopped)),
    (InstanceStatus::Running, Suspend, On(Suspended)),
    (InstanceStatus::Running, Resume, Already),
    (InstanceStatus::Stopped, Start, On(Running)),
    (InstanceStatus::Stopped, Stop, Already),
    (InstanceStatus::Stopped, Suspend, Refused(&["start"])),
    (InstanceStatus::Stopped, Resume, Refused(&["start"])),
    (InstanceStatus::Suspended, Start, Refused(&["resume"])),
    (InstanceStatus::Suspended, Stop, Refused(&["resume"])),
    (InstanceStatus::Suspended, Suspend, Already),
    (InstanceStatus::Suspended, Resume, On(Running)),
    (InstanceStatus::Failed, Start, On(Running)),
    (InstanceStatus::Failed, Stop, On(Stopped)),
    (InstanceStatus::Failed, Suspend, Refused(&["start", "stop"])),
    (InstanceStatus::Failed, Resume, Refused(&["start", "stop"])),
];

#[tokio::test]
async fn each_operation_in_each_state_does_what_the_table_says() {
    let world = World::new().await;
    world.change(&world.admin, json!({"quota_cpu": 100, "quota_memory": 100})).await.expect("changes");
    for (n, (status, operation, becomes)) in TABLE.into_iter().enumerate() {
        let case = format!("{operation} an instance that is {status}");
        let cluster = world.running(&world.admin, &format!("web-{n}"), 1).await;
        let id = ids(&cluster)[0];
        world.bring_to(&world.admin, id, status).await;
        let (before, generation, trail) = (world.instance(id).await, world.generation(cluster.cluster.id).await, world.trail().await.len());

        let answer = world.operate(&world.admin, id, operation).await;
        let after = world.instance(id).await;
        let written = world.generation(cluster.cluster.id).await - generation;
        assert_eq!((world.trail().await.len() - trail, world.woken().len()), (written as usize, written as usize), "{case}");
        match becomes {
            On(desired) => {
                let answer = answer.expect(&case);
                assert_eq!((answer.operation, answer.settled, answer.instance.desired), (operation.into(), false, desired.into()), "{case}");
                assert_eq!((after.desired, written), (desired.into(), 1), "{case}");
                world.settle(cluster.cluster.id).await;
                assert_eq!(world.instance(id).await.status, desired.settled(), "{case}");
            }
            Already => {
                assert_eq!(answer.expect(&case).settled, status != InstanceStatus::Pending, "{case}");
                assert_eq!((after.desired, after.status, written), (before.desired, before.status, 0), "{case}");
            }
            Refused(instead) => {
                let Err(Error::Conflict { message, allowed }) = answer else { panic!("{case}: {answer:?}") };
                assert_eq!(allowed, instead, "{case}");
                assert!(message.contains(&format!("{operation} an instance that is {status}")), "{message}");
                assert_eq!((after.desired, written), (before.desired, 0), "{case}");
            }
        }
    }
}

#[tokio::test]
async fn where_an_instance_is_going_is_told_until_it_is_there() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let cluster = world.running(&ann, "web", 1).await;
    let id = ids(&cluster)[0];
    for (from, operation, transition) in [
        (InstanceStatus::Running, Stop, Transition::Stopping),
        (InstanceStatus::Stopped, Start, Transition::Starting),
        (InstanceStatus::Running, Suspend, Transition::Suspending),
        (InstanceStatus::Suspended, Resume, Transition::Resuming),
    ] {
        assert_eq!((world.instance(id).await.status, world.instance(id).await.transition), (from.into(), None));
        assert_eq!(world.operate(&ann, id, operation).await.expect("goes").instance.transition, Some(transition.into()));
        world.settle(cluster.cluster.id).await;
    }
}

#[tokio::test]
async fn what_does_not_settle_has_a_way_back_or_out() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let id = ids(&world.running(&ann, "web", 1).await)[0];
    for (under_way, refusals, way) in [(Stop, [Suspend, Resume], Start), (Suspend, [Start, Start], Resume), (Suspend, [Start, Start], Stop)] {
        world.operate(&ann, id, under_way).await.expect("goes");
        let trail = world.trail().await;
        for refusal in refusals {
            assert_eq!(refused(world.operate(&ann, id, refusal).await), "conflict", "{refusal} during {under_way}");
        }
        world.operate(&ann, id, under_way).await.expect("is under way");
        assert_eq!(world.instance(id).await.desired, under_way.target());
        assert_eq!(world.trail().await, trail);
        world.operate(&ann, id, way).await.expect("leads back, or out");
        assert_eq!(world.instance(id).await.desired, way.target());
        world.bring_back(&ann, id).await;
    }
}

#[tokio::test]
async fn a_forced_stop_is_taken_whatever_the_instance_is() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    for (n, status) in InstanceStatus::ALL.iter().enumerate() {
        let cluster = world.running(&ann, &format!("web-{n}"), 1).await;
        let id = ids(&cluster)[0];
        world.bring_to(&ann, id, *status).await;
        let stopped = world.app.instance_operate(&ann, id, Stop, wire::instance::Mode::Usual, true).await.expect("is taken");
        assert_eq!(stopped.instance.desired, Stopped, "{status}");
    }
    let all = world.running(&ann, "all", 3).await;
    world.operate(&ann, ids(&all)[0], Suspend).await.expect("goes");
    let result = world.app.cluster_operate(&ann, all.cluster.id, Stop, wire::instance::Mode::Usual, true).await.expect("is taken");
    assert_eq!((result.pending, result.skipped), (3, 0));
    let id = ids(&all)[0];
    assert_eq!(refused(world.app.instance_operate(&ann, id, Start, wire::instance::Mode::Usual, true).await), "invalid");
}

/// What has a reason for not getting on is not waited for when the way out is asked.
#[tokio::test]
async fn an_instance_in_trouble_is_stopped_at_once() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let cluster = world.create(&ann, "web", json!({})).await;
    let id = ids(&cluster)[0];
    world.trouble(id, "ImagePullBackOff").await;
    world.woken();
    let operated = world.operate(&ann, id, Stop);
    let woken = async {
        world.until_woken().await;
        world.observe(id, InstanceStatus::Stopped).await;
    };
    let (operated, ()) = tokio::time::timeout(std::time::Duration::from_secs(5), async { tokio::join!(operated, woken) }).await.expect("at once");
    assert!(operated.expect("is taken").settled);
}

#[tokio::test]
async fn a_start_after_a_failure_tries_again() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let cluster = world.running(&ann, "web", 1).await;
    let id = ids(&cluster)[0];
    world.observe(id, InstanceStatus::Failed).await;
    assert_eq!(world.instance(id).await.transition, None, "a failure is where it has got");
    for _ in 0..2 {
        let before = world.generation(cluster.cluster.id).await;
        world.operate(&ann, id, Start).await.expect("tries again");
        assert_eq!(world.generation(cluster.cluster.id).await, before + 1);
        world.observe(id, InstanceStatus::Failed).await;
    }
}

#[tokio::test]
async fn strict_mode_refuses_to_lose_memory_and_nothing_else() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let strictly = async |id, operation| world.app.instance_operate(&ann, id, operation, Mode::Strict, false).await;

    let pods = world.running(&ann, "pods", 1).await;
    let pod = ids(&pods)[0];
    assert_eq!(refused(strictly(pod, Suspend).await), "suspend_not_supported");
    assert_eq!(refused(world.app.cluster_operate(&ann, pods.cluster.id, Suspend, Mode::Strict, false).await), "suspend_not_supported");
    assert_eq!(world.instance(pod).await.desired, Running);
    for operation in [Stop, Start] {
        strictly(pod, operation).await.expect("loses no memory that was promised");
        world.settle(pods.cluster.id).await;
    }

    let vms = world.create(&ann, "vms", json!({"instance_type": "vm"})).await;
    world.settle(vms.cluster.id).await;
    for operation in [Suspend, Resume] {
        strictly(ids(&vms)[0], operation).await.expect("keeps its memory");
        world.settle(vms.cluster.id).await;
    }
}

#[tokio::test]
async fn what_suspending_means_is_told_before_it_is_done() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let mut told = Vec::new();
    for (name, request) in [("pods", json!({})), ("pods-with-disk", json!({"disk_gb": 1})), ("vms", json!({"instance_type": "vm"}))] {
        let suspend = &world.create(&ann, name, request).await.instances[0].suspend;
        told.push((suspend.semantics.clone(), suspend.memory_preserved, suspend.disk_preserved, suspend.survives_node_loss));
    }
    let (zero, paused) = (Word::Known(Suspension::ScaleToZero), Word::Known(Suspension::PausedInRam));
    assert_eq!(told, [(zero.clone(), false, false, true), (zero.clone(), false, true, true), (paused.clone(), true, true, false)]);
    let capabilities = world.app.capabilities(&world.admin).expect("is told");
    assert_eq!((capabilities.container.semantics, capabilities.vm.semantics), (zero, paused));
}
