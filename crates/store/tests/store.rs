//! The store's promises, on the database that `KUBEKCLOUD_TEST_DATABASE_URL` names (a fresh SQLite file otherwise).
//! On a server the tests share one database and keep apart by names of their own.

use std::time::Duration;

use store::{ClusterObservation, Inserted, InstanceObservation, InstanceObserved, NewCluster, NewUser, SchemaState, Store, Usage, UserChange};
use types::{Bytes, ClusterId, ClusterName, InstanceStatus, InstanceType, MemberId, MilliCpu, Operation, Role, Secret, UserId};

const SIZE: Usage = Usage { cpu: MilliCpu(1000), memory: Bytes(1 << 30), storage: Bytes(0) };

async fn fresh() -> (Store, Option<tempfile::TempDir>) {
    let (url, dir) = match std::env::var("KUBEKCLOUD_TEST_DATABASE_URL") {
        Ok(url) => (url, None),
        Err(_) => {
            let dir = tempfile::tempdir().expect("temporary directory");
            (format!("sqlite:///{}/test.db", dir.path().display()), Some(dir))
        }
    };
    (open(&url).await, dir)
}

async fn open(url: &str) -> Store {
    let store = Store::open(url).await.expect("opens");
    store.migrate().await.expect("migrates");
    store
}

fn unique(prefix: &str) -> String {
    format!("{prefix}-{:x}", rand::random::<u64>())
}

async fn user(store: &Store) -> UserId {
    let tx = store.begin().await.expect("begins");
    let quota = Usage { cpu: MilliCpu(10_000), memory: Bytes(10 << 30), storage: Bytes(0) };
    let user = tx.user_insert(NewUser { username: unique("user"), role: Role::User, quota }).await.expect("inserts").expect("name is free");
    tx.commit().await.expect("commits");
    user.id
}

/// Each test has a member of its own, so that leases don't meet.
fn member() -> MemberId {
    MemberId(i64::from(rand::random::<u32>()) + 1)
}

async fn cluster(store: &Store, owner: UserId, member: MemberId, name: &str, instances: i32) -> ClusterId {
    let name = ClusterName::parse(name).expect("valid name");
    let tx = store.begin().await.expect("begins");
    tx.owner_lock(owner).await.expect("locks").expect("exists");
    let new = NewCluster {
        owner,
        member,
        name: name.clone(),
        instance_type: InstanceType::Container,
        cpu: SIZE.cpu,
        memory: SIZE.memory,
        disk: None,
        image: "nginx:latest".into(),
        ssh_public_key: None,
        cloud_init: None,
    };
    let Inserted::Id(id) = tx.cluster_insert(new).await.expect("inserts") else { panic!("the name is taken") };
    tx.instances_insert(id, &name, 1..=instances).await.expect("inserts");
    tx.allocate(owner, id, SIZE).await.expect("allocates");
    tx.commit().await.expect("commits");
    id
}

#[tokio::test]
async fn migrating_twice_changes_nothing_and_the_installation_keeps_its_name() {
    let (store, _dir) = fresh().await;
    let name = store.installation_id().await.expect("named");
    assert_eq!(store.migrate().await.expect("again"), Vec::<String>::new());
    assert_eq!(store.schema_state().await.expect("state"), SchemaState::Current);
    assert_eq!(store.installation_id().await.expect("named"), name);
}

#[tokio::test]
async fn usage_is_the_sum_of_what_exists() {
    let (store, _dir) = fresh().await;
    let (owner, member) = (user(&store).await, member());
    let id = cluster(&store, owner, member, "sum", 3).await;
    assert_eq!(store.usage(owner).await.expect("sums").cpu, MilliCpu(3000));
    let lease = store.lease_acquire(member, "a", Duration::from_secs(30)).await.expect("asks").expect("free");
    store.allocation_release(&lease, id).await.expect("no-op");
    assert_eq!(store.usage(owner).await.expect("sums").cpu, MilliCpu(3000), "a living cluster keeps its quota");
    let tx = store.begin().await.expect("begins");
    tx.cluster_delete(id).await.expect("marks");
    tx.commit().await.expect("commits");
    store.allocation_release(&lease, id).await.expect("releases");
    store.allocation_release(&lease, id).await.expect("again");
    assert_eq!(store.usage(owner).await.expect("sums"), Usage::default());
    store.cluster_remove(&lease, id).await.expect("removes");
    assert!(store.cluster_intent(id).await.expect("asks").is_none());
}

#[tokio::test]
async fn two_owners_get_two_namespaces_for_one_name() {
    let (store, _dir) = fresh().await;
    let member = member();
    let (a, b) = (user(&store).await, user(&store).await);
    let first = cluster(&store, a, member, "same", 1).await;
    let second = cluster(&store, b, member, "same", 1).await;
    let first = store.cluster(Some(a), first).await.expect("asks").expect("there");
    let second_row = store.cluster(Some(b), second).await.expect("asks").expect("there");
    assert_eq!(first.namespace, "same-ns");
    assert!(second_row.namespace.starts_with("same-") && second_row.namespace.ends_with("-ns") && second_row.namespace.len() == 14);
    assert!(store.cluster(Some(a), second).await.expect("asks").is_none(), "somebody else's is not found");
}

#[tokio::test]
async fn a_lost_lease_writes_nothing() {
    let (store, _dir) = fresh().await;
    let (owner, member) = (user(&store).await, member());
    let id = cluster(&store, owner, member, "fence", 1).await;
    let old = store.lease_acquire(member, "a", Duration::from_millis(1)).await.expect("asks").expect("free");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let new = store.lease_acquire(member, "b", Duration::from_secs(30)).await.expect("asks").expect("expired");
    assert!(new.epoch > old.epoch);
    assert!(store.lease_acquire(member, "a", Duration::from_secs(30)).await.expect("asks").is_none(), "held by b");
    assert!(!store.lease_renew(&old, Duration::from_secs(30)).await.expect("asks"));
    assert!(store.namespace_record(&old, id, "stale").await.is_err());
    store.namespace_record(&new, id, "fresh").await.expect("records");
    let intent = store.cluster_intent(id).await.expect("asks").expect("there");
    assert_eq!(intent.namespace_uid.as_deref(), Some("fresh"));
}

#[tokio::test]
async fn an_operation_on_a_changed_instance_is_noticed() {
    let (store, _dir) = fresh().await;
    let (owner, member) = (user(&store).await, member());
    let id = cluster(&store, owner, member, "cas", 1).await;
    let instance = store.instances(Some(owner), id, 0, 10).await.expect("lists").remove(0);
    assert!(!instance.settled());
    let tx = store.begin().await.expect("begins");
    assert!(tx.instance_operate(instance.intent.id, instance.intent.generation, Operation::Stop).await.expect("writes"));
    assert!(!tx.instance_operate(instance.intent.id, instance.intent.generation, Operation::Start).await.expect("writes"));
    tx.commit().await.expect("commits");
}

#[tokio::test]
async fn observations_settle_an_instance_and_clean_a_cluster() {
    let (store, _dir) = fresh().await;
    let (owner, member) = (user(&store).await, member());
    let id = cluster(&store, owner, member, "observe", 2).await;
    assert_eq!(store.clusters_dirty(member).await.expect("lists"), [id]);
    let traits = async |member, ids: &[types::ClusterId]| store.cluster_traits(member, ids).await.expect("asks");
    assert_eq!(traits(member, &[id, types::ClusterId(id.0 + 1)]).await, [(id, owner, types::InstanceType::Container)]);
    assert_eq!(traits(types::MemberId(member.0 + 1), &[id]).await, [], "on another member it is nobody's");
    assert_eq!(traits(member, &[]).await, []);
    let lease = store.lease_acquire(member, "a", Duration::from_secs(30)).await.expect("asks").expect("free");
    let intent = store.cluster_intent(id).await.expect("asks").expect("there");
    let seen: Vec<_> = intent
        .instances
        .iter()
        .map(|i| InstanceObservation {
            id: i.id,
            observed: InstanceObserved {
                status: InstanceStatus::Running,
                generation: i.generation,
                reason: Some("x".repeat(1000)),
                message: Some("ü\0nï".repeat(20_000)),
                ip: Some("127.96.0.2".into()),
                node: None,
                incarnation: None,
            },
        })
        .collect();
    let observation = ClusterObservation { carried_out: Some(intent.generation), ..ClusterObservation::default() };
    store.status_write(&lease, id, &observation, &seen).await.expect("writes");
    assert!(store.clusters_dirty(member).await.expect("lists").is_empty());
    assert!(store.instances(Some(owner), id, 0, 10).await.expect("lists").iter().all(store::InstanceRow::settled));
    let row = store.cluster(Some(owner), id).await.expect("asks").expect("there");
    assert_eq!((row.status, row.instance_count), (types::ClusterStatus::Running, 2));
}

#[tokio::test]
async fn tokens_are_found_by_digest_until_replaced() {
    let (store, _dir) = fresh().await;
    let owner = user(&store).await;
    let (old, new) = (store::digest(&Secret::new(unique("old"))), store::digest(&Secret::new(unique("new"))));
    for digest in [&old, &new] {
        let tx = store.begin().await.expect("begins");
        assert!(tx.token_replace(owner, digest).await.expect("writes"));
        tx.commit().await.expect("commits");
    }
    assert!(store.user_by_digest(&old).await.expect("asks").is_none());
    assert_eq!(store.user_by_digest(&new).await.expect("asks").expect("found").id, owner);
    let tx = store.begin().await.expect("begins");
    tx.user_update(owner, UserChange { disabled: Some(true), cpu: Some(MilliCpu(5)), ..UserChange::default() }).await.expect("writes");
    tx.commit().await.expect("commits");
    let user = store.user_by_digest(&new).await.expect("asks").expect("found");
    assert!(user.disabled && user.quota.cpu == MilliCpu(5) && user.quota.memory == Bytes(10 << 30));
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    // Also where a server is named, which the tests around this one share: the end-to-end tests do it there.
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("test.db");
    let store = open(&format!("sqlite:///{}", path.display())).await;
    let raw = sea_orm::Database::connect(format!("sqlite:{}", path.display())).await.expect("opens");
    sea_orm::ConnectionTrait::execute_unprepared(&raw, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)")
        .await
        .expect("inserts");
    let error = store.migrate().await.expect_err("refuses");
    assert!(error.to_string().contains("m9999_future"), "{error}");
    assert!(store.require_current_schema().await.is_err());
}
