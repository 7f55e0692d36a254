//! Requests at the same time keep the same rules as one after the other.

use std::{collections::HashSet, sync::Arc};

use serde_json::json;
use tokio::task::JoinSet;
use types::Result;

use crate::world::{World, refused};

/// Runs all of them at once and answers what became of each.
async fn at_once<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(tasks: impl IntoIterator<Item = F>) -> Vec<Result<T>> {
    tasks.into_iter().collect::<JoinSet<_>>().join_all().await
}

fn split<T>(results: Vec<Result<T>>) -> (Vec<T>, Vec<&'static str>) {
    let (done, not): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    (done.into_iter().filter_map(Result::ok).collect(), not.into_iter().map(refused).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn creates_at_once_admit_exactly_what_fits() {
    let world = Arc::new(World::new().await);
    let ann = world.user("ann").await;
    let creates = (0..25).map(|n| {
        let (world, ann) = (Arc::clone(&world), ann.clone());
        async move { world.try_create(&ann, &format!("web-{n}"), json!({})).await }
    });
    let (created, refusals) = split(at_once(creates).await);
    assert_eq!(created.len(), 10);
    assert_eq!(refusals, ["quota_exceeded"; 15]);
    assert_eq!(world.used(&ann).await.0, 10.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn scales_and_creates_at_once_admit_exactly_what_fits() {
    let world = Arc::new(World::new().await);
    let ann = world.user("ann").await;
    let mut clusters = Vec::new();
    for n in 0..4 {
        clusters.push(world.running(&ann, &format!("web-{n}"), 1).await.cluster.id);
    }
    let tasks = (0..8).map(|n| {
        let (world, ann, clusters) = (Arc::clone(&world), ann.clone(), clusters.clone());
        async move {
            match clusters.get(n) {
                Some(id) => world.scale(&ann, *id, 3).await,
                None => world.try_create(&ann, &format!("more-{n}"), json!({"instance_count": 2})).await,
            }
        }
    });
    let (done, refusals) = split(at_once(tasks).await);
    assert_eq!((done.len(), refusals), (3, vec!["quota_exceeded"; 5]), "each takes two, six are left");
    assert_eq!(world.used(&ann).await.0, 10.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn repeats_at_once_make_one_cluster() {
    let world = Arc::new(World::new().await);
    let ann = world.user("ann").await;
    let creates = (0..12).map(|_| {
        let (world, ann) = (Arc::clone(&world), ann.clone());
        async move { world.create_with_key(&ann, "web", json!({}), "once").await }
    });
    let (created, refusals) = split(at_once(creates).await);
    assert_eq!(refusals, [""; 0]);
    assert_eq!(created.iter().filter(|created| !created.replayed).count(), 1);
    assert_eq!(created.iter().map(|created| created.cluster.cluster.id).collect::<HashSet<_>>().len(), 1);
    assert_eq!(world.used(&ann).await.0, 1.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_one_owners_creates_of_a_name_one_wins_and_owners_do_not_meet() {
    let world = Arc::new(World::new().await);
    let mut owners = Vec::new();
    for n in 0..5 {
        owners.push(world.user(&format!("user-{n}")).await);
    }
    let creates = owners.iter().chain(&owners).map(|owner| {
        let (world, owner) = (Arc::clone(&world), owner.clone());
        async move { world.try_create(&owner, "web", json!({})).await }
    });
    let (created, refusals) = split(at_once(creates).await);
    assert_eq!((created.len(), refusals), (5, vec!["conflict"; 5]));
    assert_eq!(created.iter().map(|c| c.cluster.owner_id).collect::<HashSet<_>>().len(), 5);
    assert_eq!(created.iter().map(|c| c.cluster.namespace.as_str()).collect::<HashSet<_>>().len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn admins_who_remove_each_other_leave_one() {
    let world = Arc::new(World::new().await);
    let second = world.somebody("second", types::Role::Admin).await;
    let removals = [(world.admin.clone(), second.clone()), (second.clone(), world.admin.clone())].map(|(by, of)| {
        let world = Arc::clone(&world);
        async move { world.app.user_delete(&by, of.user.id).await }
    });
    let (done, refusals) = split(at_once(removals).await);
    assert_eq!((done.len(), refusals), (1, vec!["conflict"]));
}
