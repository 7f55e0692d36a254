//! Reconciling is woken after a commit, and only then.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tokio::{runtime::Handle, task::block_in_place};
use wire::{cluster::UpdateCluster, instance::Mode};

use crate::world::{Resume, Start, Stop, Suspend, World, cluster_body, ids, parsed, refused};

/// What another connection finds at the moment of the wake: how many instances there should be, their intent, and
/// whether the cluster is on its way out.
type Found = Option<(Vec<&'static str>, bool)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_woken_finds_what_was_written() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let found: Arc<Mutex<Vec<Found>>> = Arc::default();
    let (rows, log) = (world.db.observations.clone(), Arc::clone(&found));
    let app = world.with_wake(Arc::new(move |member, subject| {
        let types::Subject::Cluster(id) = subject else { panic!("{subject} was woken") };
        let read = block_in_place(|| Handle::current().block_on(rows.cluster_intent_on(member, id))).expect("asks");
        let read = read.map(|c| (c.instances.iter().filter(|i| !i.deleting).map(|i| i.desired.as_str()).collect(), c.deleting));
        log.lock().expect("no test panicked").push(read);
    }));
    let found = || mem::take(&mut *found.lock().expect("no test panicked"));

    let body = cluster_body("web", json!({"instance_count": 2}));
    let created = app.cluster_create(&ann, parsed(&body), body.as_bytes(), None, std::time::Duration::ZERO).await.expect("creates");
    let (id, instance) = (created.cluster.cluster.id, ids(&created.cluster)[0]);
    assert_eq!(found(), [Some((vec!["running"; 2], false))]);
    app.cluster_scale(&ann, id, UpdateCluster { instance_count: 3 }).await.expect("scales");
    assert_eq!(found(), [Some((vec!["running"; 3], false))]);
    app.cluster_scale(&ann, id, UpdateCluster { instance_count: 2 }).await.expect("scales");
    assert_eq!(found(), [Some((vec!["running"; 2], false))]);
    world.settle(id).await;
    app.instance_operate(&ann, instance, Stop, Mode::Usual, false).await.expect("operates");
    assert_eq!(found(), [Some((vec!["stopped", "running"], false))]);
    world.settle(id).await;
    app.cluster_operate(&ann, id, Suspend, Mode::Usual, false).await.expect("operates");
    assert_eq!(found(), [Some((vec!["stopped", "suspended"], false))]);
    app.cluster_delete(&ann, id).await.expect("deletes");
    assert_eq!(found(), [Some((vec!["stopped", "suspended"], true))]);
}

#[tokio::test]
async fn what_is_read_refused_or_there_already_wakes_nobody() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let created = world.create_with_key(&ann, "web", json!({"instance_count": 2}), "key").await.expect("creates");
    let (id, instance) = (created.cluster.cluster.id, ids(&created.cluster)[0]);
    assert_eq!(world.woken(), [id]);
    world.settle(id).await;

    world.create_with_key(&ann, "web", json!({"instance_count": 2}), "key").await.expect("is there");
    world.try_create(&ann, "web", json!({})).await.expect_err("the name is taken");
    world.try_create(&ann, "more", json!({"instance_count": 9})).await.expect_err("the quota is exceeded");
    world.scale(&ann, id, 11).await.expect_err("the quota is exceeded");
    world.scale(&ann, id, 2).await.expect("is there");
    world.operate(&ann, instance, Start).await.expect("is running");
    world.operate_all(&ann, id, Resume).await.expect("none is suspended");
    world.app.cluster_get(&ann, id).await.expect("looks");
    assert_eq!(refused(world.app.instance_operate(&ann, instance, Suspend, Mode::Strict, false).await), "suspend_not_supported");
    assert_eq!(world.woken(), []);

    world.app.cluster_delete(&ann, id).await.expect("deletes");
    assert_eq!(world.woken(), [id]);
    world.operate(&ann, instance, Stop).await.expect_err("is being deleted");
    assert_eq!(world.woken(), []);
}

#[tokio::test]
async fn a_repeated_delete_has_reconciling_look_again() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let id = world.running(&ann, "web", 1).await.cluster.id;
    for _ in 0..2 {
        world.app.cluster_delete(&ann, id).await.expect("deletes");
        assert_eq!(world.woken(), [id]);
    }
}
