//! Waiting: a request that waits answers as soon as what it waits for has come, and when its time is up.

use std::time::{Duration, Instant};

use app::{Caller, Created};
use serde_json::json;
use types::{ClusterStatus, InstanceStatus, Result};

use crate::world::{DEADLINE, Start, Stop, Suspend, World, cluster_body, ids, parsed, refused};

async fn create_and_wait(world: &World, caller: &Caller, wait: Duration) -> Result<Created> {
    let body = cluster_body("web", json!({"instance_count": 2}));
    world.app.cluster_create(caller, parsed(&body), body.as_bytes(), None, wait).await
}

/// The only cluster there is.
async fn only(world: &World) -> types::ClusterId {
    world.until_woken().await;
    world.app.cluster_list(&world.admin, None, 0, 2).await.expect("lists")[0].id
}

#[tokio::test]
async fn a_create_that_waits_answers_when_all_have_settled() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let reconciled = async {
        let id = only(&world).await;
        let instances = world.app.cluster_get(&ann, id).await.expect("looks");
        world.observe(ids(&instances)[0], InstanceStatus::Running).await;
        world.observe(ids(&instances)[1], InstanceStatus::Failed).await;
    };
    let started = Instant::now();
    let (created, ()) = tokio::join!(create_and_wait(&world, &ann, DEADLINE), reconciled);
    let statuses: Vec<_> = created.expect("creates").cluster.instances.into_iter().map(|instance| instance.status).collect();
    assert_eq!(statuses, [InstanceStatus::Running, InstanceStatus::Failed], "a failure has settled, too");
    assert!(started.elapsed() < DEADLINE / 2, "it does not wait for its time to be up");
}

#[tokio::test]
async fn a_create_that_waits_in_vain_answers_with_what_is_there() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let created = create_and_wait(&world, &ann, Duration::from_millis(60)).await.expect("creates");
    assert_eq!(created.cluster.cluster.status, ClusterStatus::Pending);
}

#[tokio::test]
async fn a_create_that_waits_ends_when_its_cluster_is_deleted() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let deleted = async {
        let id = only(&world).await;
        world.app.cluster_delete(&ann, id).await.expect("deletes");
    };
    let started = Instant::now();
    let (created, ()) = tokio::join!(create_and_wait(&world, &ann, DEADLINE), deleted);
    assert_eq!(created.expect("answers").cluster.cluster.status, ClusterStatus::Deleting);
    assert!(started.elapsed() < DEADLINE / 2);
}

#[tokio::test]
async fn an_operation_waits_for_its_end() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await;
    let reconciled = async {
        world.until_woken().await;
        world.settle(web.cluster.id).await;
    };
    let (operated, ()) = tokio::join!(world.operate(&ann, ids(&web)[0], Stop), reconciled);
    let operated = operated.expect("operates");
    assert!(operated.settled);
    assert_eq!((operated.instance.status, operated.instance.transition), (InstanceStatus::Stopped.into(), None));
}

#[tokio::test]
async fn an_operation_waits_for_the_one_before_it() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let web = world.create(&ann, "web", json!({})).await;
    let (id, instance) = (web.cluster.id, ids(&web)[0]);
    world.woken();
    let reconciled = async {
        assert!(world.woken().is_empty(), "a pending instance is not stopped");
        world.settle(id).await;
        world.until_woken().await;
        world.settle(id).await;
    };
    let (operated, ()) = tokio::join!(world.operate(&ann, instance, Stop), reconciled);
    assert_eq!(operated.expect("operates").instance.status, InstanceStatus::Stopped);
}

#[tokio::test]
async fn of_two_operations_that_wait_for_the_same_instance_the_second_sees_what_the_first_did() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let web = world.create(&ann, "web", json!({})).await;
    let (id, instance) = (web.cluster.id, ids(&web)[0]);
    world.woken();
    let reconciled = async {
        world.settle(id).await;
        world.until_woken().await;
        world.settle(id).await;
    };
    let (stop, suspend, ()) = tokio::join!(world.operate(&ann, instance, Stop), world.operate(&ann, instance, Suspend), reconciled);
    let results = [stop, suspend];
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    assert_eq!(results.into_iter().filter(Result::is_err).map(refused).collect::<Vec<_>>(), ["conflict"]);
}

#[tokio::test]
async fn an_operation_on_all_waits_for_what_is_under_way_before_it_decides() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let web = world.create(&ann, "web", json!({"instance_count": 2})).await.cluster.id;
    world.woken();
    let reconciled = async {
        world.settle(web).await;
        world.until_woken().await;
        world.settle(web).await;
    };
    let (result, ()) = tokio::join!(world.operate_all(&ann, web, Stop), reconciled);
    let result = result.expect("operates");
    assert_eq!((result.stopped, result.skipped, result.pending), (Some(2), 0, 0));
}

#[tokio::test]
async fn an_operation_whose_instance_goes_away_meanwhile_ends() {
    let world = World::patient().await;
    let ann = world.user("ann").await;
    let web = world.create(&ann, "web", json!({})).await;
    let gone = async {
        world.app.cluster_delete(&ann, web.cluster.id).await.expect("deletes");
        world.remove(web.cluster.id).await;
    };
    let started = Instant::now();
    let (operated, ()) = tokio::join!(world.operate(&ann, ids(&web)[0], Start), gone);
    assert!(["conflict", "not_found"].contains(&refused(operated)), "whether it looked while the cluster was going or when it was gone");
    assert!(started.elapsed() < DEADLINE / 2);
}
