//! The audit trail: an entry for each write, in the write's own transaction; none for what was refused.

use serde_json::json;
use wire::user::RotateToken;

use crate::world::{Start, Stop, World, ids, token_of};

#[tokio::test]
async fn each_write_leaves_one_entry() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let user = ann.user.id;
    let web = world.running(&ann, "web", 2).await;
    let (id, instance) = (web.cluster.id, ids(&web)[0]);
    world.scale(&ann, id, 3).await.expect("scales");
    world.settle(id).await;
    world.operate(&ann, instance, Stop).await.expect("operates");
    world.settle(id).await;
    world.operate_all(&ann, id, Start).await.expect("operates");
    world.app.cluster_delete(&ann, id).await.expect("deletes");
    world.remove(id).await;
    world.change(&ann, json!({"quota_cpu": 2, "disabled": false})).await.expect("changes");
    world.app.token_rotate(&ann, user, RotateToken { token: None }).await.expect("rotates");
    world.app.user_delete(&world.admin, user).await.expect("deletes");
    assert_eq!(
        world.trail().await,
        [
            format!("user.bootstrap user/{}", world.admin.user.id),
            format!("user.create user/{user} ann"),
            format!("cluster.create cluster/{id} web 2 x container cpu=1.0 memory=1.0"),
            format!("cluster.scale cluster/{id} 2 -> 3"),
            format!("instance.stop instance/{instance} web-instance-1"),
            format!("cluster.operate cluster/{id} start 1 instances"),
            format!("cluster.delete cluster/{id} web"),
            format!("user.update user/{user} disabled=false quota_cpu=2.0"),
            format!("user.token user/{user}"),
            format!("user.delete user/{user} ann"),
        ]
    );
}

#[tokio::test]
async fn what_was_refused_leaves_none() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await;
    let trail = world.trail().await;
    world.try_create(&ann, "web", json!({})).await.expect_err("the name is taken");
    world.try_create(&ann, "more", json!({"instance_count": 10})).await.expect_err("the quota is exceeded");
    world.scale(&ann, web.cluster.id, 11).await.expect_err("the quota is exceeded");
    world.operate(&ann, ids(&web)[0], crate::world::Resume).await.expect("is running already");
    world.create_user(Some(&world.admin), json!({"username": "ann"})).await.expect_err("the name is taken");
    world.app.user_delete(&world.admin, ann.user.id).await.expect_err("has a cluster");
    world.app.user_delete(&world.admin, world.admin.user.id).await.expect_err("is the last admin");
    assert_eq!(world.trail().await, trail);
}

#[tokio::test]
async fn the_trail_says_who_did_it_and_keeps_what_is_gone() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await.cluster.id;
    world.app.cluster_delete(&world.admin, web).await.expect("deletes");
    world.remove(web).await;
    world.app.user_delete(&world.admin, ann.user.id).await.expect("deletes");
    let entries = world.app.audit_list(&world.admin, None, 100).await.expect("is told");
    let actors: Vec<_> = entries.iter().rev().skip(2).map(|entry| (entry.action.as_str(), entry.actor_id)).collect();
    assert_eq!(
        actors,
        [("cluster.create", Some(ann.user.id)), ("cluster.delete", Some(world.admin.user.id)), ("user.delete", Some(world.admin.user.id))]
    );
}

#[tokio::test]
async fn the_trail_is_read_in_pages_newest_first() {
    let world = World::new().await;
    for name in ["ann", "bob", "eve"] {
        world.user(name).await;
    }
    let page = async |before, limit| world.app.audit_list(&world.admin, before, limit).await.expect("is told");
    let newest = page(None, 2).await;
    assert_eq!(newest.iter().map(|entry| entry.detail.as_deref()).collect::<Vec<_>>(), [Some("eve"), Some("bob")]);
    let rest = page(Some(newest[1].id), 100).await;
    assert_eq!(rest.iter().map(|entry| entry.detail.as_deref()).collect::<Vec<_>>(), [Some("ann"), None]);
    assert!(page(Some(rest[1].id), 100).await.is_empty());
}

#[tokio::test]
async fn the_trail_holds_no_token() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let made = world.app.token_rotate(&ann, ann.user.id, RotateToken { token: None }).await.expect("rotates").token;
    let trail = world.trail().await.join("\n");
    assert!(!trail.contains(token_of("ann").expose()) && !trail.contains(&made), "{trail}");
}
