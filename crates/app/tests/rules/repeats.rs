//! `Idempotency-Key`: a create that is sent again answers as it did, and creates nothing.

use serde_json::json;
use types::ClusterStatus;

use crate::world::{World, refused, refused_fields};

#[tokio::test]
async fn the_same_request_with_the_same_key_answers_with_the_same_cluster() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let first = world.create_with_key(&ann, "web", json!({}), "key").await.expect("creates");
    let again = world.create_with_key(&ann, "web", json!({}), "key").await.expect("answers");
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(again.cluster.cluster.id, first.cluster.cluster.id);
    assert_eq!(world.used(&ann).await.0, 1.0);
    assert_eq!(world.app.cluster_list(&ann, None, 0, 10).await.expect("lists").len(), 1);
}

#[tokio::test]
async fn a_repeat_needs_no_quota() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    for _ in 0..2 {
        world.create_with_key(&ann, "web", json!({"instance_count": 10}), "key").await.expect("answers");
    }
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    world.create_with_key(&ann, "web", json!({}), "key").await.expect("creates");
    for (name, other) in [("web", json!({"instance_count": 2})), ("other", json!({}))] {
        assert_eq!(refused_fields(world.create_with_key(&ann, name, other, "key").await), ["Idempotency-Key"]);
    }
    assert_eq!(world.used(&ann).await.0, 1.0);
}

#[tokio::test]
async fn the_key_of_a_cluster_that_is_gone_makes_no_second_one() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let id = world.create_with_key(&ann, "web", json!({}), "key").await.expect("creates").cluster.cluster.id;
    world.app.cluster_delete(&ann, id).await.expect("deletes");
    let again = world.create_with_key(&ann, "web", json!({}), "key").await.expect("is there still");
    assert_eq!((again.cluster.cluster.id, again.cluster.cluster.status), (id, ClusterStatus::Deleting.into()));
    world.remove(id).await;
    assert_eq!(refused(world.create_with_key(&ann, "web", json!({}), "key").await), "conflict");
    assert_eq!(world.used(&ann).await.0, 0.0);
    world.create_with_key(&ann, "web", json!({}), "another key").await.expect("creates");
}

#[tokio::test]
async fn a_key_is_its_users_own() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let anns = world.create_with_key(&ann, "web", json!({}), "key").await.expect("creates");
    let bobs = world.create_with_key(&bob, "web", json!({"instance_count": 2}), "key").await.expect("creates");
    assert!(!bobs.replayed && bobs.cluster.cluster.id != anns.cluster.cluster.id);
}

#[tokio::test]
async fn a_refused_create_does_not_use_its_key_up() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let request = json!({"cpu_per_instance": 11});
    assert_eq!(refused(world.create_with_key(&ann, "web", request.clone(), "key").await), "quota_exceeded");
    world.change(&ann, json!({"quota_cpu": 11})).await.expect("changes");
    assert!(!world.create_with_key(&ann, "web", request, "key").await.expect("creates").replayed);
}

#[tokio::test]
async fn without_a_key_a_repeat_meets_its_own_name() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    world.create(&ann, "web", json!({})).await;
    assert_eq!(refused(world.try_create(&ann, "web", json!({})).await), "conflict");
}
