//! Who may do what: somebody else's thing is like a missing one, a viewer only looks, an admin reaches everything.

use std::{fmt::Debug, time::Duration};

use app::Caller;
use serde_json::json;
use types::{ClusterId, InstanceId, Result, Role, UserId};
use wire::{
    instance::Mode,
    user::{RotateToken, UpdateUser},
};

use crate::world::{Resume, Start, Stop, Suspend, World, cluster_body, ids, parsed, refused};

/// What a use case said, in full where it refused.
fn said<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "done".into(),
        Err(error) => format!("{error:?}"),
    }
}

type Answers = Vec<(&'static str, String)>;

/// Every use case that reads a cluster or an instance by its id. (Logs and events ask a member once the rules allow it.)
async fn reads(world: &World, caller: &Caller, cluster: ClusterId, instance: InstanceId) -> Answers {
    let app = &world.app;
    vec![
        ("cluster_get", said(app.cluster_get(caller, cluster).await)),
        ("instance_list", said(app.instance_list(caller, cluster, 0, 10).await)),
        ("instance_get", said(app.instance_get(caller, instance).await)),
        ("instance_logs", said(app.instance_logs(caller, instance, 10, false).await)),
        ("instance_events", said(app.instance_events(caller, instance).await)),
    ]
}

/// Every use case that changes a cluster or an instance.
async fn writes(world: &World, caller: &Caller, cluster: ClusterId, instance: InstanceId) -> Answers {
    let mut said_to = vec![("scale up", said(world.scale(caller, cluster, 3).await)), ("scale down", said(world.scale(caller, cluster, 1).await))];
    for operation in [Start, Stop, Suspend, Resume] {
        said_to.push((operation.as_str(), said(world.operate(caller, instance, operation).await)));
        said_to.push(("of all", said(world.operate_all(caller, cluster, operation).await)));
        said_to.push(("strictly", said(world.app.instance_operate(caller, instance, operation, Mode::Strict, false).await)));
    }
    said_to.push(("delete", said(world.app.cluster_delete(caller, cluster).await)));
    said_to
}

#[track_caller]
fn all_are(answers: &Answers, kind: &str) {
    for (what, answer) in answers {
        assert!(answer.starts_with(kind), "{what}: {answer}");
    }
}

#[tokio::test]
async fn somebody_elses_thing_is_like_a_missing_one_for_every_use_case() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let web = world.running(&ann, "web", 2).await;
    let (cluster, instance) = (web.cluster.id, ids(&web)[0]);
    let (before, trail) = (world.generation(cluster).await, world.trail().await);

    let (no_cluster, no_instance) = (ClusterId(99_999), InstanceId(99_999));
    let mut foreign = reads(&world, &bob, cluster, instance).await;
    foreign.extend(writes(&world, &bob, cluster, instance).await);
    let mut missing = reads(&world, &bob, no_cluster, no_instance).await;
    missing.extend(writes(&world, &bob, no_cluster, no_instance).await);
    all_are(&foreign, "NotFound");
    assert_eq!(foreign, missing);

    assert_eq!((world.generation(cluster).await, world.trail().await), (before, trail), "nothing was changed by trying");
    assert!(world.woken().is_empty());
}

#[tokio::test]
async fn a_viewer_looks_at_their_own_and_changes_nothing() {
    let world = World::new().await;
    let vera = world.user("vera").await;
    let web = world.running(&vera, "web", 2).await;
    let (cluster, instance) = (web.cluster.id, ids(&web)[0]);
    world.change(&vera, json!({"role": "viewer"})).await.expect("changes");
    let vera = world.caller("vera").await.expect("comes in");
    let trail = world.trail().await;

    all_are(&writes(&world, &vera, cluster, instance).await, "Forbidden");
    assert_eq!(refused(world.try_create(&vera, "more", json!({})).await), "forbidden");
    all_are(&writes(&world, &vera, ClusterId(99_999), InstanceId(99_999)).await, "Forbidden");
    assert_eq!(world.trail().await, trail);

    world.app.cluster_get(&vera, cluster).await.expect("looks");
    world.app.instance_get(&vera, instance).await.expect("looks");
    assert_eq!(world.app.cluster_list(&vera, None, 0, 10).await.expect("looks").len(), 1);
    assert_eq!(world.used(&vera).await.0, 2.0);
    world.app.token_rotate(&vera, vera.user.id, RotateToken { token: None }).await.expect("their token is their own");
}

#[tokio::test]
async fn an_admin_reaches_everybodys() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await;
    let (cluster, instance) = (web.cluster.id, ids(&web)[0]);
    assert_eq!(world.app.cluster_get(&world.admin, cluster).await.expect("looks").cluster.owner_id, ann.user.id);
    world.operate(&world.admin, instance, Stop).await.expect("operates");
    world.scale(&world.admin, cluster, 2).await.expect("scales");
    world.app.cluster_delete(&world.admin, cluster).await.expect("deletes");
}

#[tokio::test]
async fn lists_show_ones_own_and_an_admin_everybodys_or_somebodys() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    world.create(&ann, "anns", json!({})).await;
    world.create(&bob, "bobs", json!({})).await;
    let names = async |caller: &Caller, owner: Option<UserId>| {
        let clusters = world.app.cluster_list(caller, owner, 0, 10).await.expect("lists");
        clusters.into_iter().map(|cluster| cluster.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&ann, None).await, ["anns"]);
    assert_eq!(names(&ann, Some(bob.user.id)).await, ["anns"], "whom a tenant asks for does not matter");
    assert_eq!(names(&world.admin, None).await, ["anns", "bobs"]);
    assert_eq!(names(&world.admin, Some(bob.user.id)).await, ["bobs"]);
}

#[tokio::test]
async fn administration_is_the_admins() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    for caller in [world.user("bob").await, world.somebody("vera", Role::Viewer).await] {
        let app = &world.app;
        let update = || parsed::<UpdateUser>(&json!({"role": "admin"}).to_string());
        for (what, answer) in [
            ("list", said(app.user_list(&caller, 0, 10).await)),
            ("update", said(app.user_update(&caller, ann.user.id, update()).await)),
            ("promote oneself", said(app.user_update(&caller, caller.user.id, update()).await)),
            ("delete", said(app.user_delete(&caller, ann.user.id).await)),
            ("delete oneself", said(app.user_delete(&caller, caller.user.id).await)),
            ("delete nobody", said(app.user_delete(&caller, UserId(99_999)).await)),
            ("audit", said(app.audit_list(&caller, None, 10).await)),
            ("create", said(world.create_user(Some(&caller), json!({"username": "eve"})).await)),
        ] {
            assert!(answer.starts_with("Forbidden"), "{what}: {answer}");
        }
        let same = |a: &dyn Debug, b: &dyn Debug| assert_eq!(format!("{a:?}"), format!("{b:?}"));
        same(&app.user_get(&caller, ann.user.id).await.expect_err("hidden"), &app.user_get(&caller, UserId(99_999)).await.expect_err("missing"));
        let rotate = async |id| app.token_rotate(&caller, id, RotateToken { token: None }).await.expect_err("hidden");
        same(&rotate(ann.user.id).await, &rotate(UserId(99_999)).await);
        assert_eq!(app.user_get(&caller, caller.user.id).await.expect("oneself").id, caller.user.id);
    }
    assert_eq!(world.app.user_get(&world.admin, ann.user.id).await.expect("anybody").username, "ann");
    assert_eq!(world.app.user_list(&world.admin, 0, 10).await.expect("lists").len(), 4);
}

#[tokio::test]
async fn who_was_shut_out_or_removed_since_they_came_in_creates_nothing() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    world.change(&ann, json!({"disabled": true})).await.expect("changes");
    world.app.user_delete(&world.admin, bob.user.id).await.expect("deletes");
    for caller in [ann, bob] {
        let body = cluster_body("web", json!({}));
        let created = world.app.cluster_create(&caller, parsed(&body), body.as_bytes(), None, Duration::ZERO).await;
        assert_eq!(refused(created), "unauthenticated");
    }
}
