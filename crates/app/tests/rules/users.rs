//! Users: who is let in, who may make and change them, and that an admin always remains.

use serde_json::json;
use types::{Role, Secret, UserId};
use wire::user::RotateToken;

use crate::world::{Setup, World, before_bootstrap, ids, refused, refused_fields};

async fn open() -> World {
    let policy = app::Policy { open_sign_up: true, ..Setup::default().policy };
    World::with(Setup { policy, ..Setup::default() }).await
}

#[tokio::test]
async fn an_admin_creates_users_of_every_role_with_their_quota() {
    let world = World::new().await;
    for (name, role) in [("ann", Role::User), ("vera", Role::Viewer), ("root", Role::Admin)] {
        let request = json!({"username": name, "role": role, "quota_cpu": 1.5, "quota_memory": "512Mi", "quota_storage": 7});
        let created = world.create_user(Some(&world.admin), request).await.expect("creates").user;
        assert_eq!((created.username.as_str(), created.role, created.disabled), (name, role.into(), false));
        assert_eq!((created.quota_cpu.cores(), created.quota_memory.gib(), created.quota_storage.gib()), (1.5, 0.5, 7.0));
    }
    let plain = world.create_user(Some(&world.admin), json!({"username": "plain", "quota_storage": null})).await.expect("creates").user;
    assert_eq!((plain.role, plain.quota_storage.gib()), (Role::User.into(), 0.0), "what is left out is little");
}

#[tokio::test]
async fn where_sign_up_is_closed_only_an_admin_creates_users() {
    let world = World::new().await;
    assert!(!world.app.capabilities(&world.admin).expect("is told").open_sign_up);
    assert_eq!(refused(world.create_user(None, json!({"username": "eve"})).await), "unauthenticated");
    for role in [Role::User, Role::Viewer] {
        let caller = world.somebody(role.as_str(), role).await;
        assert_eq!(refused(world.create_user(Some(&caller), json!({"username": "eve"})).await), "forbidden");
    }
}

#[tokio::test]
async fn where_sign_up_is_open_anybody_becomes_a_user_and_nothing_more() {
    let world = open().await;
    assert!(world.app.capabilities(&world.admin).expect("is told").open_sign_up);
    let created = world.create_user(None, json!({"username": "eve"})).await.expect("signs up").user;
    assert_eq!(created.role, Role::User);
    let ann = world.user("ann").await;
    for role in ["admin", "viewer"] {
        for caller in [None, Some(&ann)] {
            assert_eq!(refused_fields(world.create_user(caller, json!({"username": "more", "role": role})).await), ["role"]);
        }
    }
}

#[tokio::test]
async fn each_wrong_field_of_a_user_is_named() {
    let world = World::new().await;
    let admin = Some(&world.admin);
    for (field, wrong) in [
        ("username", json!("")),
        ("username", json!("a b")),
        ("username", json!("a".repeat(65))),
        ("token", json!("short")),
        ("token", json!("with space")),
        ("token", json!("ümlaute")),
        ("token", json!("a".repeat(257))),
        ("quota_cpu", json!(-1)),
        ("quota_memory", json!(-1)),
        ("quota_storage", json!(-1)),
    ] {
        assert_eq!(refused_fields(world.create_user(admin, json!({"username": "eve", field: wrong})).await), [field], "{wrong}");
    }
    let all = json!({"username": "", "token": "", "quota_cpu": -1, "quota_memory": -1, "quota_storage": -1});
    assert_eq!(refused_fields(world.create_user(admin, all).await).len(), 5);
    let ann = world.user("ann").await;
    assert_eq!(refused_fields(world.change(&ann, json!({"quota_cpu": -1, "quota_storage": "x"})).await), ["quota_cpu", "quota_storage"]);
    for token in ["a".repeat(6), "a".repeat(256)] {
        world.app.token_rotate(&ann, ann.user.id, RotateToken { token: Some(token) }).await.expect("is long enough and not too long");
    }
}

#[tokio::test]
async fn a_username_is_given_once() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    assert_eq!(refused(world.create_user(Some(&world.admin), json!({"username": "ann"})).await), "conflict");
    world.app.user_delete(&world.admin, ann.user.id).await.expect("deletes");
    assert_ne!(world.user("ann").await.user.id, ann.user.id, "ids are never used again");
}

#[tokio::test]
async fn a_change_changes_what_it_names_and_takes_effect_at_the_next_request() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let changed = world.change(&ann, json!({"quota_memory": 3})).await.expect("changes");
    assert_eq!((changed.quota_cpu.cores(), changed.quota_memory.gib(), changed.quota_storage.gib()), (10.0, 3.0, 10.0));
    assert_eq!((changed.role, changed.disabled), (Role::User.into(), false));
    world.change(&ann, json!({"role": "viewer"})).await.expect("changes");
    let ann = world.caller("ann").await.expect("comes in");
    assert_eq!((ann.user.role, ann.user.quota.memory.gib()), (Role::Viewer, 3.0));
    world.change(&ann, json!({"disabled": true})).await.expect("changes");
    assert_eq!(refused(world.caller("ann").await), "unauthenticated");
    world.change(&ann, json!({"disabled": false})).await.expect("changes");
    world.caller("ann").await.expect("comes in again");
    assert_eq!(refused(world.app.user_delete(&world.admin, UserId(99_999)).await), "not_found");
}

#[tokio::test]
async fn what_a_disabled_user_runs_goes_on_running() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await;
    world.change(&ann, json!({"disabled": true})).await.expect("changes");
    assert!(world.woken().is_empty());
    assert_eq!(world.instance(ids(&web)[0]).await.transition, None);
}

#[tokio::test]
async fn a_user_with_clusters_is_not_deleted_not_even_while_they_go() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await.cluster.id;
    assert_eq!(refused(world.app.user_delete(&world.admin, ann.user.id).await), "conflict");
    world.app.cluster_delete(&ann, web).await.expect("deletes");
    assert_eq!(refused(world.app.user_delete(&world.admin, ann.user.id).await), "conflict");
    world.caller("ann").await.expect("comes in still");
    world.remove(web).await;
    world.app.user_delete(&world.admin, ann.user.id).await.expect("deletes");
    assert_eq!(refused(world.caller("ann").await), "unauthenticated");
    assert_eq!(refused(world.app.user_get(&world.admin, ann.user.id).await), "not_found");
}

#[tokio::test]
async fn the_last_enabled_admin_stays_an_admin() {
    let world = World::new().await;
    let taken_away = [json!({"role": "user"}), json!({"role": "viewer"}), json!({"disabled": true}), json!({"role": "admin", "disabled": true})];
    for request in &taken_away {
        assert_eq!(refused(world.change(&world.admin, request.clone()).await), "conflict", "{request}");
    }
    assert_eq!(refused(world.app.user_delete(&world.admin, world.admin.user.id).await), "conflict");
    world.change(&world.admin, json!({"quota_cpu": 1, "role": "admin", "disabled": false})).await.expect("remains one");

    let second = world.somebody("second", Role::Admin).await;
    world.change(&second, json!({"disabled": true})).await.expect("there is another");
    for request in &taken_away {
        assert_eq!(refused(world.change(&world.admin, request.clone()).await), "conflict", "a disabled admin is none: {request}");
    }
    world.change(&second, json!({"role": "user"})).await.expect("takes no enabled admin away");
    world.change(&second, json!({"role": "admin", "disabled": false})).await.expect("changes");
    world.change(&world.admin, json!({"role": "user"})).await.expect("there is another");
}

#[tokio::test]
async fn bootstrap_makes_one_admin_once() {
    let world = World::new().await;
    assert_eq!((world.admin.user.username.as_str(), world.admin.user.role), ("admin", Role::Admin));
    let again = world.app.bootstrap(Some(Secret::new("another-token"))).await.expect("is done already");
    assert!(matches!(again, app::Bootstrap::Present));
    assert_eq!(refused(world.app.authenticate(&Secret::new("another-token")).await), "unauthenticated");
    assert_eq!(world.app.user_list(&world.admin, 0, 10).await.expect("lists").len(), 1);
}

#[tokio::test]
async fn bootstrap_shows_the_token_that_it_made_and_refuses_a_bad_one() {
    let (app, _directory) = before_bootstrap().await;
    assert_eq!(refused_fields(app.bootstrap(Some(Secret::new("short"))).await), ["KUBEKCLOUD_BOOTSTRAP_TOKEN"]);
    let Ok(app::Bootstrap::Created(token)) = app.bootstrap(None).await else { panic!("made none") };
    assert_eq!(app.authenticate(&token).await.expect("comes in").user.role, Role::Admin);
}
