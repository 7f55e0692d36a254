//! Bearer tokens: one a user, known by digest, worth nothing once replaced.

use serde_json::json;
use types::Secret;
use wire::user::RotateToken;

use crate::world::{World, refused, refused_fields, token_of};

fn given(token: &str) -> RotateToken {
    RotateToken { token: Some(token.into()) }
}

#[tokio::test]
async fn a_token_that_was_given_is_not_shown_and_one_that_was_made_is_shown_once() {
    let world = World::new().await;
    let chosen = world.create_user(Some(&world.admin), json!({"username": "ann", "token": "chosen-token"})).await.expect("creates");
    assert_eq!(chosen.token, None);
    world.app.authenticate(&Secret::new("chosen-token")).await.expect("comes in");
    let mut made = Vec::new();
    for name in ["bob", "eve"] {
        let token = world.create_user(Some(&world.admin), json!({"username": name})).await.expect("creates").token.expect("is shown");
        assert!(token.len() >= 40 && token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        assert_eq!(world.app.authenticate(&Secret::new(token.clone())).await.expect("comes in").user.username, name);
        made.push(token);
    }
    assert_ne!(made[0], made[1]);
}

#[tokio::test]
async fn a_rotated_token_replaces_the_former_at_once() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let made = world.app.token_rotate(&ann, ann.user.id, RotateToken { token: None }).await.expect("rotates").token;
    assert_eq!(refused(world.caller("ann").await), "unauthenticated");
    world.app.authenticate(&Secret::new(made.clone())).await.expect("comes in");
    let by_admin = world.app.token_rotate(&world.admin, ann.user.id, given("by-the-admin")).await.expect("rotates");
    assert_eq!(by_admin.token, "by-the-admin");
    assert_eq!(refused(world.app.authenticate(&Secret::new(made)).await), "unauthenticated");
    assert_eq!(world.app.authenticate(&Secret::new("by-the-admin")).await.expect("comes in").user.id, ann.user.id);
}

#[tokio::test]
async fn somebody_elses_token_cannot_be_taken_and_trying_costs_nothing() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let bobs = token_of("bob");
    assert_eq!(refused_fields(world.app.token_rotate(&ann, ann.user.id, given(bobs.expose())).await), ["token"]);
    let request = json!({"username": "eve", "token": bobs.expose()});
    assert_eq!(refused_fields(world.create_user(Some(&world.admin), request).await), ["token"]);
    assert_eq!(world.caller("ann").await.expect("with the former token").user.id, ann.user.id);
    assert_eq!(world.caller("bob").await.expect("is still bob").user.id, bob.user.id);
    assert_eq!(world.app.user_list(&world.admin, 0, 10).await.expect("lists").len(), 3, "no eve was left over");
    world.app.token_rotate(&bob, bob.user.id, given(bobs.expose())).await.expect("one's own may be kept");
}

#[tokio::test]
async fn unknown_disabled_and_overlong_tokens_are_refused_alike() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    world.change(&ann, json!({"disabled": true})).await.expect("changes");
    let mut refusals = Vec::new();
    for token in [token_of("nobody"), token_of("ann"), Secret::new(""), Secret::new("a".repeat(100_000))] {
        refusals.push(format!("{:?}", world.app.authenticate(&token).await.expect_err("is refused")));
    }
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]), "{refusals:?}");
}

#[tokio::test]
async fn the_first_admins_token_can_be_reset_without_a_credential() {
    let world = World::new().await;
    let token = world.app.admin_token_reset().await.expect("resets");
    assert_eq!(world.app.authenticate(&token).await.expect("comes in").user.id, world.admin.user.id);
}
