//! Admission: what exists never takes more than its owner's quota, and what has not gone still counts.

use serde_json::json;
use types::{Error, InstanceStatus, error::QuotaShortage};

use crate::world::{World, ids, refused, refused_fields};

/// Per dimension: the field of a create, a size that fills 10 exactly, and the least that is more.
const DIMENSIONS: [(&str, &str, f64, f64); 3] = [
    ("cpu", "cpu_per_instance", 10.0, 10.001),
    ("memory", "memory_per_instance", 10.0, 10.0 + 1.0 / 1024.0),
    ("storage", "disk_gb", 10.0, 10.0 + 1.0 / 1024.0),
];

fn shortages<T: std::fmt::Debug>(result: types::Result<T>) -> Vec<QuotaShortage> {
    match result {
        Err(Error::QuotaExceeded(shortages)) => shortages,
        other => panic!("not refused for the quota: {other:?}"),
    }
}

#[tokio::test]
async fn what_fits_exactly_is_admitted_and_the_least_more_is_not() {
    for (resource, field, fits, exceeds) in DIMENSIONS {
        let world = World::new().await;
        let ann = world.user("ann").await;
        let short = shortages(world.try_create(&ann, "web", json!({field: exceeds})).await);
        assert_eq!(short.iter().map(|s| s.resource).collect::<Vec<_>>(), [resource]);
        assert_eq!((short[0].requested, short[0].used, short[0].limit, short[0].available), (exceeds, 0.0, 10.0, 10.0));
        assert_eq!(world.used(&ann).await, (0.0, 0.0, 0.0), "{resource}: what was refused takes nothing");
        assert!(world.app.cluster_list(&ann, None, 0, 10).await.expect("lists").is_empty(), "{resource}: and is not there");
        world.create(&ann, "web", json!({field: fits})).await;
    }
}

#[tokio::test]
async fn every_dimension_that_stands_in_the_way_is_named_at_once() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let huge = json!({"cpu_per_instance": 11, "memory_per_instance": 11, "disk_gb": 11});
    let short = shortages(world.try_create(&ann, "web", huge).await);
    assert_eq!(short.iter().map(|s| s.resource).collect::<Vec<_>>(), ["cpu", "memory", "storage"]);
}

#[tokio::test]
async fn a_cluster_takes_its_size_times_its_instances() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    world.create(&ann, "web", json!({"instance_count": 4, "cpu_per_instance": 0.5, "memory_per_instance": 2, "disk_gb": 1})).await;
    assert_eq!(world.used(&ann).await, (2.0, 8.0, 4.0));
    assert_eq!(shortages(world.try_create(&ann, "more", json!({"instance_count": 3})).await)[0].available, 2.0);
    world.create(&ann, "rest", json!({"instance_count": 2})).await;
}

#[tokio::test]
async fn scaling_up_is_admitted_like_a_create_and_for_the_difference_only() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 4).await.cluster.id;
    let short = shortages(world.scale(&ann, web, 11).await);
    assert_eq!((short[0].requested, short[0].used, short[0].available), (7.0, 4.0, 6.0));
    assert_eq!(world.used(&ann).await.0, 4.0);
    assert_eq!(world.scale(&ann, web, 10).await.expect("fits exactly").instances.len(), 10);
    assert_eq!(world.used(&ann).await, (10.0, 10.0, 0.0));
}

#[tokio::test]
async fn scaling_down_gives_back_when_the_instances_are_gone_and_not_before() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 10).await.cluster.id;
    world.scale(&ann, web, 4).await.expect("scales");
    assert_eq!(world.used(&ann).await.0, 10.0);
    assert_eq!(refused(world.try_create(&ann, "more", json!({})).await), "quota_exceeded");
    world.release_scaled_away(web).await;
    assert_eq!(world.used(&ann).await.0, 4.0);
    world.create(&ann, "more", json!({"instance_count": 6})).await;
}

#[tokio::test]
async fn a_deleted_cluster_gives_back_when_it_is_gone_and_not_before() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 10).await.cluster.id;
    world.app.cluster_delete(&ann, web).await.expect("deletes");
    assert_eq!(refused(world.try_create(&ann, "more", json!({})).await), "quota_exceeded");
    world.remove(web).await;
    assert_eq!(world.used(&ann).await, (0.0, 0.0, 0.0));
}

#[tokio::test]
async fn what_is_stopped_suspended_or_failed_keeps_its_quota() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 3).await;
    for (id, status) in ids(&web).into_iter().zip([InstanceStatus::Stopped, InstanceStatus::Suspended, InstanceStatus::Failed]) {
        world.bring_to(&ann, id, status).await;
    }
    assert_eq!(world.used(&ann).await, (3.0, 3.0, 0.0));
}

#[tokio::test]
async fn a_quota_lowered_below_use_only_stops_growth() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 4).await;
    world.change(&ann, json!({"quota_cpu": 1})).await.expect("changes");
    let ann = world.caller("ann").await.expect("comes in");
    let quota = world.app.quota_get(&ann).await.expect("is told");
    assert_eq!((quota.total_cpu.cores(), quota.used_cpu.cores(), quota.available_cpu.cores()), (1.0, 4.0, 0.0), "never less than nothing");
    assert_eq!(refused(world.scale(&ann, web.cluster.id, 5).await), "quota_exceeded");
    assert_eq!(world.instance(ids(&web)[0]).await.status, InstanceStatus::Running);
    world.scale(&ann, web.cluster.id, 3).await.expect("shrinking is allowed");
}

#[tokio::test]
async fn a_raised_quota_counts_at_once_also_for_who_came_in_before() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    assert_eq!(refused(world.try_create(&ann, "web", json!({"cpu_per_instance": 11})).await), "quota_exceeded");
    world.change(&ann, json!({"quota_cpu": 11})).await.expect("changes");
    world.create(&ann, "web", json!({"cpu_per_instance": 11})).await;
}

#[tokio::test]
async fn only_the_owners_clusters_count_whoever_scales_them() {
    let world = World::new().await;
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let web = world.running(&ann, "web", 6).await.cluster.id;
    world.create(&bob, "web", json!({"instance_count": 10})).await;
    assert_eq!(refused(world.scale(&world.admin, web, 11).await), "quota_exceeded", "the admin has quota enough, the owner has not");
    world.scale(&world.admin, web, 10).await.expect("scales");
    assert_eq!((world.used(&ann).await.0, world.used(&world.admin).await.0), (10.0, 0.0));
}

#[tokio::test]
async fn more_than_can_be_counted_is_a_wrong_request() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let request = json!({"memory_per_instance": 16_000_000, "instance_count": 10_000});
    assert_eq!(refused_fields(world.try_create(&ann, "web", request).await), ["instance_count"]);
}
