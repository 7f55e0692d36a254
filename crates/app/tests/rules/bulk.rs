//! One operation on all instances: it touches those whose state asks for it and says what became of each.

use std::collections::BTreeMap;

use types::{
    Desired, InstanceStatus,
    InstanceStatus::{Failed, Running, Stopped},
    Operation,
};
use wire::cluster::{BulkOutcome, BulkResult};

use crate::world::{Resume, Start, Stop, Suspend, World, ids};

/// The states that each operation touches; it leaves all others alone.
const TOUCHED: [(Operation, &[InstanceStatus]); 4] =
    [(Start, &[Stopped, Failed]), (Stop, &[Running, Failed, InstanceStatus::Pending]), (Suspend, &[Running]), (Resume, &[InstanceStatus::Suspended])];

fn count(result: &BulkResult, operation: Operation) -> Option<usize> {
    match operation {
        Start => result.started,
        Stop => result.stopped,
        Suspend => result.suspended,
        Resume => result.resumed,
    }
}

#[tokio::test]
async fn an_operation_on_all_touches_those_whose_state_asks_for_it() {
    for (operation, touched) in TOUCHED {
        let world = World::new().await;
        let ann = world.user("ann").await;
        let cluster = world.running(&ann, "web", 5).await;
        let states: Vec<_> = [Stopped, InstanceStatus::Suspended, Failed, Running, InstanceStatus::Pending].into_iter().collect();
        for (id, status) in ids(&cluster).into_iter().zip(&states) {
            world.bring_to(&ann, id, *status).await;
        }
        let before: BTreeMap<_, _> =
            world.app.cluster_get(&ann, cluster.cluster.id).await.expect("looks").instances.into_iter().map(|i| (i.id, i.desired)).collect();

        let result = world.operate_all(&ann, cluster.cluster.id, operation).await.expect("operates");
        assert_eq!(result.results.len(), 5, "a line for each");
        for (line, status) in result.results.iter().zip(&states) {
            let (outcome, desired) = if touched.contains(status) {
                (BulkOutcome::Pending, operation.target().into())
            } else {
                (BulkOutcome::Skipped, before[&line.instance_id].clone())
            };
            assert_eq!((&line.status, &line.outcome), (&(*status).into(), &outcome.into()), "{operation} of {status}");
            assert_eq!(world.instance(line.instance_id).await.desired, desired, "{operation} of {status}");
        }
        assert_eq!((result.pending, result.skipped, result.failed), (touched.len(), 5 - touched.len(), 0), "{operation}");
        assert_eq!(count(&result, operation), Some(0), "{operation}: none has arrived");
        for other in Operation::ALL.iter().filter(|other| **other != operation) {
            assert_eq!(count(&result, *other), None, "only the operation's own count is told");
        }
        assert_eq!(result.suspend.is_some(), matches!(operation, Suspend | Resume));
    }
}

#[tokio::test]
async fn an_operation_on_all_tells_done_from_failed() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let cluster = world.running(&ann, "web", 3).await;
    let (id, instances) = (cluster.cluster.id, ids(&cluster));
    let operated = async { world.operate_all(&ann, id, Stop).await.expect("operates") };
    let reconciled = async {
        world.until_woken().await;
        world.observe(instances[1], Failed).await;
        world.observe(instances[0], Stopped).await;
        world.observe(instances[2], Stopped).await;
    };
    let (result, ()) = tokio::join!(operated, reconciled);
    assert_eq!((result.stopped, result.failed, result.pending, result.skipped), (Some(2), 1, 0, 0));
    assert_eq!(
        result.results.iter().map(|line| line.outcome.clone()).collect::<Vec<_>>(),
        [BulkOutcome::Done, BulkOutcome::Failed, BulkOutcome::Done]
    );
}

#[tokio::test]
async fn a_repeat_finds_nothing_to_do() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let cluster = world.running(&ann, "web", 2).await.cluster.id;
    world.operate_all(&ann, cluster, Suspend).await.expect("operates");
    world.settle(cluster).await;
    let (generation, trail) = (world.generation(cluster).await, world.trail().await);
    let again = world.operate_all(&ann, cluster, Suspend).await.expect("answers");
    assert_eq!((again.suspended, again.skipped), (Some(0), 2));
    assert_eq!((world.generation(cluster).await, world.trail().await), (generation, trail));
}

#[tokio::test]
async fn what_was_scaled_away_is_left_alone() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let cluster = world.running(&ann, "web", 2).await;
    world.scale(&ann, cluster.cluster.id, 1).await.expect("scales");
    world.settle(cluster.cluster.id).await;
    let result = world.operate_all(&ann, cluster.cluster.id, Stop).await.expect("operates");
    assert_eq!((result.pending, result.results.len()), (1, 1));
    assert_eq!(world.instance(ids(&cluster)[1]).await.desired, Desired::Running);
}

#[tokio::test]
async fn what_is_under_way_is_left_alone_whatever_it_was_last_seen_to_be() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let cluster = world.running(&ann, "web", 2).await;
    let first = ids(&cluster)[0];
    world.operate(&ann, first, Stop).await.expect("goes");
    assert_eq!(world.instance(first).await.status, Running);
    let result = world.operate_all(&ann, cluster.cluster.id, Suspend).await.expect("operates");
    assert_eq!((result.pending, result.skipped), (1, 1));
    assert_eq!(world.instance(first).await.desired, Desired::Stopped);
}
