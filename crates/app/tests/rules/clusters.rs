//! Clusters: what a create accepts, names, numbers of instances, deletion, pages.

use std::collections::HashSet;

use serde_json::{Value, json};
use types::{ClusterStatus, InstanceStatus, Transition};

use crate::world::{Setup, Start, Stop, World, ids, refused, refused_fields};

#[tokio::test]
async fn a_create_answers_with_pending_instances_numbered_from_one() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.create(&ann, "web", json!({"instance_count": 2})).await;
    assert_eq!((web.cluster.status, web.cluster.instance_count, web.cluster.owner_id), (ClusterStatus::Pending.into(), 2, ann.user.id));
    assert_eq!((web.cluster.namespace.as_str(), web.cluster.member.as_str()), ("web-ns", "local"));
    let names: Vec<_> = web.instances.iter().map(|i| (i.instance_name.as_str(), &i.status, i.transition.as_ref())).collect();
    let (status, transition) = (&InstanceStatus::Pending.into(), Some(&Transition::Starting.into()));
    assert_eq!(names, [("web-instance-1", status, transition), ("web-instance-2", status, transition)]);
}

#[tokio::test]
async fn each_wrong_field_is_named() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let long = |length: usize| Value::from("a".repeat(length));
    for (field, wrong) in [
        ("name", json!("kube-system")),
        ("name", json!("default")),
        ("name", json!("Web")),
        ("name", json!("")),
        ("name", long(49)),
        ("cpu_per_instance", json!(0)),
        ("cpu_per_instance", json!(0.0001)),
        ("cpu_per_instance", json!(-1)),
        ("memory_per_instance", json!(0)),
        ("memory_per_instance", json!("1m")),
        ("instance_count", json!(0)),
        ("instance_count", json!(-1)),
        ("instance_count", json!(10_001)),
        ("instance_count", json!(1_i64 << 40)),
        ("image", json!("")),
        ("image", json!("a b")),
        ("ssh_public_key", json!("no key")),
        ("cloud_init", json!("#cloud-config")),
        ("disk_gb", json!(0)),
        ("disk_gb", json!(-1)),
        ("member", json!("")),
        ("member", json!("elsewhere")),
    ] {
        assert_eq!(refused_fields(world.try_create(&ann, "web", json!({field: wrong})).await), [field], "{wrong}");
    }
    for (field, wrong) in [("cpu_per_instance", json!(0.5)), ("cloud_init", json!("")), ("cloud_init", json!("a\0b")), ("cloud_init", long(65_536))] {
        assert_eq!(refused_fields(world.try_create(&ann, "web", json!({"instance_type": "vm", field: wrong})).await), [field]);
    }
    assert!(world.app.cluster_list(&ann, None, 0, 10).await.expect("lists").is_empty());
}

#[tokio::test]
async fn all_wrong_fields_are_told_at_once() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let wrong = json!({"name": "", "cpu_per_instance": 0, "memory_per_instance": 0, "instance_count": 0, "image": "", "cloud_init": "x",
                       "member": "elsewhere"});
    let fields = refused_fields(world.try_create(&ann, "web", wrong).await);
    assert_eq!(fields, ["name", "cpu_per_instance", "memory_per_instance", "instance_count", "image", "cloud_init", "member"]);
}

#[tokio::test]
async fn what_the_limits_allow_is_accepted() {
    let world = World::new().await;
    world.change(&world.admin, json!({"quota_cpu": 100_000, "quota_memory": 100_000})).await.expect("changes");
    let key = "ssh-ed25519 AAAA ann@host";
    let vm = json!({"instance_type": "vm", "cloud_init": "a".repeat(65_535), "ssh_public_key": key, "disk_gb": "512Mi", "image": "a/b:c"});
    world.create(&world.admin, &"a".repeat(48), vm).await;
    world.create(&world.admin, "small", json!({"cpu_per_instance": 0.01, "memory_per_instance": "16Mi", "member": "local"})).await;
    let many = world.create(&world.admin, "many", json!({"instance_count": 10_000})).await;
    assert_eq!((many.cluster.instance_count, many.instances.len()), (10_000, 500), "the others are a page of their own");
}

#[tokio::test]
async fn an_image_left_out_is_the_installations() {
    let policy = app::Policy { container_image: "ours:1".into(), vm_image: "ours-vm:1".into(), ..Setup::default().policy };
    let world = World::with(Setup { policy, ..Setup::default() }).await;
    let ann = world.user("ann").await;
    assert_eq!(world.create(&ann, "pods", json!({})).await.cluster.image, "ours:1");
    assert_eq!(world.create(&ann, "vms", json!({"instance_type": "vm"})).await.cluster.image, "ours-vm:1");
    assert_eq!(world.create(&ann, "own", json!({"image": "theirs"})).await.cluster.image, "theirs");
}

#[tokio::test]
async fn a_name_is_taken_until_its_cluster_is_gone() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.create(&ann, "web", json!({})).await.cluster.id;
    assert_eq!(refused(world.try_create(&ann, "web", json!({})).await), "conflict");
    world.app.cluster_delete(&ann, web).await.expect("deletes");
    assert_eq!(refused(world.try_create(&ann, "web", json!({})).await), "conflict");
    world.remove(web).await;
    assert_ne!(world.create(&ann, "web", json!({})).await.cluster.id, web, "ids are never used again");
}

#[tokio::test]
async fn owners_share_names_but_no_namespace() {
    let world = World::new().await;
    let longest = "a".repeat(48);
    let mut namespaces = HashSet::new();
    for name in ["ann", "bob", "eve"] {
        let owner = world.user(name).await;
        let namespace = world.create(&owner, &longest, json!({})).await.cluster.namespace;
        assert!(namespace.len() <= 63 && namespace.starts_with(&longest) && namespace.ends_with("-ns"), "{namespace}");
        namespaces.insert(namespace);
    }
    assert_eq!(namespaces.len(), 3);
}

#[tokio::test]
async fn scaling_adds_at_the_end_and_removes_from_the_end() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 2).await;
    let grown = world.scale(&ann, web.cluster.id, 4).await.expect("scales");
    assert_eq!(ids(&grown)[..2], ids(&web)[..]);
    assert_eq!(grown.instances[3].instance_name, "web-instance-4");
    let shrunk = world.scale(&ann, web.cluster.id, 1).await.expect("scales");
    assert_eq!((ids(&shrunk), shrunk.cluster.instance_count), (ids(&web)[..1].to_vec(), 1));
    let gone = world.instance(ids(&web)[1]).await;
    assert_eq!(gone.transition, Some(Transition::Deleting.into()));
    assert_eq!(refused(world.operate(&ann, gone.id, Stop).await), "conflict");
}

#[tokio::test]
async fn scaling_to_what_is_there_changes_nothing() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 2).await.cluster.id;
    let (before, trail) = (world.generation(web).await, world.trail().await);
    world.scale(&ann, web, 2).await.expect("answers");
    assert_eq!((world.generation(web).await, world.trail().await), (before, trail));
    for wrong in [0, -1, 10_001, i64::MAX] {
        assert_eq!(refused_fields(world.scale(&ann, web, wrong).await), ["instance_count"], "{wrong}");
    }
}

#[tokio::test]
async fn a_number_that_is_still_leaving_is_not_given_out_again() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 3).await.cluster.id;
    world.scale(&ann, web, 1).await.expect("scales");
    assert_eq!(refused(world.scale(&ann, web, 2).await), "conflict");
    world.scale(&ann, web, 1).await.expect("it is what it is");
    world.release_scaled_away(web).await;
    assert_eq!(world.scale(&ann, web, 2).await.expect("scales").instances[1].instance_name, "web-instance-2");
}

#[tokio::test]
async fn a_delete_says_the_same_each_time_until_the_cluster_is_gone() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 1).await.cluster.id;
    let first = world.app.cluster_delete(&ann, web).await.expect("deletes");
    let (generation, trail) = (world.generation(web).await, world.trail().await);
    let again = world.app.cluster_delete(&ann, web).await.expect("says the same");
    assert_eq!((again.message, again.status), (first.message, ClusterStatus::Deleting.into()));
    assert_eq!((world.generation(web).await, world.trail().await), (generation, trail));
    assert_eq!(world.app.cluster_get(&ann, web).await.expect("is there still").cluster.status, ClusterStatus::Deleting);
    world.remove(web).await;
    assert_eq!(refused(world.app.cluster_delete(&ann, web).await), "not_found");
    assert_eq!(refused(world.app.cluster_get(&ann, web).await), "not_found");
}

#[tokio::test]
async fn what_is_being_deleted_can_only_be_looked_at() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let web = world.running(&ann, "web", 2).await;
    world.app.cluster_delete(&ann, web.cluster.id).await.expect("deletes");
    let trail = world.trail().await;
    assert_eq!(refused(world.scale(&ann, web.cluster.id, 1).await), "conflict");
    assert_eq!(refused(world.scale(&ann, web.cluster.id, 2).await), "conflict");
    for operation in [Start, Stop] {
        assert_eq!(refused(world.operate(&ann, ids(&web)[0], operation).await), "conflict");
        assert_eq!(refused(world.operate_all(&ann, web.cluster.id, operation).await), "conflict");
    }
    assert_eq!(world.trail().await, trail);
    assert_eq!(world.instance(ids(&web)[0]).await.transition, Some(Transition::Deleting.into()));
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps() {
    let world = World::new().await;
    let ann = world.user("ann").await;
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(world.create(&ann, &format!("web-{n}"), json!({})).await.cluster.id);
        world.create(&world.admin, &format!("other-{n}"), json!({})).await;
    }
    let mut seen = Vec::new();
    loop {
        let page = world.app.cluster_list(&ann, None, seen.last().map_or(0, |id: &types::ClusterId| id.0), 2).await.expect("lists");
        assert!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        seen.extend(page.into_iter().map(|cluster| cluster.id));
    }
    assert_eq!(seen, all);

    let web = world.running(&ann, "many", 5).await;
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = world.app.instance_list(&ann, web.cluster.id, after, 2).await.expect("lists");
        if page.is_empty() {
            break;
        }
        after += i32::try_from(page.len()).expect("two");
        seen.extend(page.into_iter().map(|instance| instance.id));
    }
    assert_eq!(seen, ids(&web));

    let users = world.app.user_list(&world.admin, 0, 1).await.expect("lists");
    let rest = world.app.user_list(&world.admin, users[0].id.0, 10).await.expect("lists");
    assert_eq!((users[0].username.as_str(), rest[0].username.as_str(), rest.len()), ("admin", "ann", 1));
    assert_eq!((users[0].used_cpu.cores(), rest[0].used_cpu.cores()), (5.0, 10.0), "with what each takes");
}
