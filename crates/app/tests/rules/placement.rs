//! Where clusters go: to the member that they name, if there is one.

use serde_json::json;

use crate::world::{Setup, World, refused, refused_fields};

#[tokio::test]
async fn a_cluster_goes_to_local_when_it_names_none() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    assert_eq!(world.create(&ann, "a", json!({})).await.cluster.member, "local");
    assert_eq!(world.create(&ann, "b", json!({"member": "local"})).await.cluster.member, "local");
    assert_eq!(world.app.capabilities(&world.admin).expect("is told").members, ["local"]);
}

#[tokio::test]
async fn an_unknown_member_is_a_wrong_field() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    for unknown in ["elsewhere", "Local", "0"] {
        assert_eq!(refused_fields(world.try_create(&ann, "web", json!({"member": unknown})).await), ["member"]);
    }
}

#[tokio::test]
async fn without_a_member_users_work_and_clusters_are_refused_until_later() {
    let world = World::with(Setup { kubernetes: false, ..Setup::default() }).await;
    let ann = world.user("ann").await;
    assert_eq!(refused(world.try_create(&ann, "web", json!({})).await), "unavailable");
    assert_eq!(refused_fields(world.try_create(&ann, "web", json!({"member": "elsewhere"})).await), ["member"]);
    assert_eq!(refused_fields(world.try_create(&ann, "", json!({})).await), ["name"], "what is wrong anyway is told first");
    assert!(world.app.capabilities(&world.admin).expect("is told").members.is_empty());
    assert_eq!(world.used(&ann).await.0, 0.0);
    world.app.database_ready().await.expect("the database answers");
}

#[tokio::test]
async fn clusters_of_a_member_that_was_taken_away_can_still_be_seen_and_deleted() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await;
    let id = web.cluster.id;
    let without = world.without_kubernetes();
    assert_eq!(without.cluster_get(&ann, id).await.expect("looks").instances.len(), 1);
    assert_eq!(refused(without.instance_logs(&ann, web.instances[0].id, 10, false).await), "unavailable");
    assert_eq!(refused(without.instance_events(&ann, web.instances[0].id).await), "unavailable");
    without.cluster_delete(&ann, id).await.expect("deletes");
}
