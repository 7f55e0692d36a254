//! The store's promises, on the database that `KUBEKCLOUD_TEST_DATABASE_URL` names (a fresh SQLite file otherwise).
//! On a server the tests share one database and keep apart by names of their own.

use std::time::Duration;

use store::{
    ClusterObservation, Inserted, InstanceObservation, InstanceObserved, Lease, LeaseName, NewCluster, NewUser, Opened, Reach, SchemaState, Usage,
    UserChange, Whose,
};
use types::{Bytes, ClusterId, ClusterName, Error, InstanceStatus, InstanceType, MemberId, MilliCpu, Operation, Role, Secret, Subject, UserId};

const SIZE: Usage = Usage { cpu: MilliCpu(1000), memory: Bytes(1 << 30), storage: Bytes(0), clusters: 1, instances: 1 };
const LONG: Duration = Duration::from_secs(60);

async fn fresh() -> (Opened, Option<tempfile::TempDir>) {
    let (url, dir) = match std::env::var("KUBEKCLOUD_TEST_DATABASE_URL") {
        Ok(url) => (url, None),
        Err(_) => {
            let dir = tempfile::tempdir().expect("temporary directory");
            (format!("sqlite:///{}/test.db", dir.path().display()), Some(dir))
        }
    };
    (open(&url).await, dir)
}

async fn open(url: &str) -> Opened {
    let db = store::open(url).await.expect("opens");
    db.schema.migrate().await.expect("migrates");
    db
}

fn unique(prefix: &str) -> String {
    format!("{prefix}-{:x}", rand::random::<u64>())
}

async fn user(db: &Opened) -> UserId {
    let quota = Usage { cpu: MilliCpu(10_000), memory: Bytes(10 << 30), storage: Bytes(0), clusters: 100, instances: 1000 };
    let username = unique("user");
    let new = &NewUser { username, role: Role::User, quota, quota_virtual_clusters: 10 };
    db.intents.transact(|tx| async move { tx.user_insert(new).await }).await.expect("inserts").value.expect("name is free").id
}

/// Each test has a member of its own, so that leases don't meet.
async fn member(db: &Opened, owner: UserId) -> MemberId {
    let name = &unique("m");
    db.intents.transact(|tx| async move { tx.member_insert(owner, name).await }).await.expect("inserts").value.expect("name is free")
}

async fn lease(db: &Opened, member: MemberId) -> Lease {
    let replica = db.leases.join("test", LONG).await.expect("joins");
    db.leases.claim(&replica, LeaseName::Member(member)).await.expect("asks").expect("free")
}

async fn cluster(db: &Opened, owner: UserId, member: MemberId, name: &str, instances: i32) -> ClusterId {
    let name = &ClusterName::parse(name).expect("valid name");
    let new = &NewCluster {
        owner,
        member,
        name: name.clone(),
        instance_type: InstanceType::Container,
        cpu: SIZE.cpu,
        memory: SIZE.memory,
        disk: None,
        image: "nginx:latest".into(),
        ssh_public_key: None,
        cloud_init: Some("#cloud-config".into()),
        hides_names: false,
    };
    let created = db
        .intents
        .transact(|tx| async move {
            tx.owner_lock(owner).await?.expect("exists");
            let Inserted::Id(id) = tx.cluster_insert(new).await? else { panic!("the name is taken") };
            tx.instances_insert(id, name, 1..=instances).await?;
            tx.allocate(owner, id, SIZE).await?;
            Ok(id)
        })
        .await
        .expect("commits");
    assert_eq!(created.woken, [(member, Subject::Cluster(created.value))], "what is new is due");
    created.value
}

async fn due(db: &Opened, member: MemberId) -> Vec<Subject> {
    let due = db.observations.work_due().await.expect("lists");
    due.into_iter().filter(|(on, _)| *on == member).map(|(_, subject)| subject).collect()
}

#[tokio::test]
async fn migrating_twice_changes_nothing_and_the_installation_keeps_its_name() {
    let (db, _dir) = fresh().await;
    let name = db.schema.installation_id().await.expect("named");
    assert_eq!(db.schema.migrate().await.expect("again"), Vec::<String>::new());
    assert_eq!(db.schema.schema_state().await.expect("state"), SchemaState::Current);
    assert_eq!(db.schema.installation_id().await.expect("named"), name);
    let members = db.observations.members().await.expect("lists");
    assert!(members.iter().any(|member| member.id == MemberId::LOCAL && member.name == "local"), "{members:?}");
}

#[tokio::test]
async fn usage_is_the_sum_of_what_exists() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "sum", 3).await;
    let three = Usage { cpu: MilliCpu(3000), memory: Bytes(3 << 30), storage: Bytes(0), clusters: 1, instances: 3 };
    assert_eq!(db.intents.usage(owner).await.expect("sums"), three);
    let lease = lease(&db, member).await;
    db.observations.allocation_release(&lease, id).await.expect("no-op");
    assert_eq!(db.intents.usage(owner).await.expect("sums"), three, "a living cluster keeps its quota");
    delete(&db, owner, id).await;
    db.observations.allocation_release(&lease, id).await.expect("releases");
    db.observations.allocation_release(&lease, id).await.expect("again");
    assert_eq!(db.intents.usage(owner).await.expect("sums"), Usage::default());
    assert_eq!(due(&db, member).await, [Subject::Cluster(id)]);
    db.observations.cluster_remove(&lease, id).await.expect("removes");
    assert!(db.observations.cluster_intent(&lease, id).await.expect("asks").is_none());
    assert_eq!(due(&db, member).await, [], "what is gone is not due");
}

async fn delete(db: &Opened, owner: UserId, id: ClusterId) {
    let marked = db.intents.transact(|tx| async move {
        let row = tx.cluster_lock(Whose::Of(owner), id).await?.expect("there");
        tx.cluster_delete(id, &row).await
    });
    marked.await.expect("marks").value
}

#[tokio::test]
async fn two_owners_get_two_namespaces_for_one_name() {
    let (db, _dir) = fresh().await;
    let (a, b) = (user(&db).await, user(&db).await);
    let member = member(&db, a).await;
    let first = cluster(&db, a, member, "same", 1).await;
    let second = cluster(&db, b, member, "same", 1).await;
    let first = db.intents.cluster(Whose::Of(a), first).await.expect("asks").expect("there");
    let second_row = db.intents.cluster(Whose::Of(b), second).await.expect("asks").expect("there");
    assert_eq!(first.namespace, "same-ns");
    assert!(second_row.namespace.starts_with("same-") && second_row.namespace.ends_with("-ns") && second_row.namespace.len() == 14);
    assert!(db.intents.cluster(Whose::Of(a), second).await.expect("asks").is_none(), "somebody else's is not found");
}

/// A label on one member can name any row: it must find, and change, only that member's.
#[tokio::test]
async fn a_lease_reaches_its_own_members_clusters_only() {
    let (db, _dir) = fresh().await;
    let (bob, mallory) = (user(&db).await, user(&db).await);
    let (bobs, mallorys) = (member(&db, bob).await, member(&db, mallory).await);
    let id = cluster(&db, bob, bobs, "secret", 1).await;
    let (right, forged) = (lease(&db, bobs).await, lease(&db, mallorys).await);
    db.observations.namespace_record(&right, id, "bobs-uid").await.expect("records");
    assert!(db.observations.cluster_intent(&forged, id).await.expect("asks").is_none(), "with its keys and user data");
    db.observations.namespace_record(&forged, id, "").await.expect("changes nothing");
    let _ = db.observations.namespace_rename(&forged, id).await.expect_err("there is no such cluster there");
    let seen = ClusterObservation { carried_out: Some(9), reason: Some("forged".into()), message: None };
    db.observations.status_write(&forged, bob, id, Some(&seen), &[]).await.expect("changes nothing");
    delete(&db, bob, id).await;
    db.observations.allocation_release(&forged, id).await.expect("changes nothing");
    db.observations.cluster_remove(&forged, id).await.expect("changes nothing");
    let intent = db.observations.cluster_intent(&right, id).await.expect("asks").expect("there");
    assert_eq!((intent.namespace_uid.as_deref(), intent.observed_generation, intent.namespace.as_str()), (Some("bobs-uid"), 0, "secret-ns"));
    assert_eq!(intent.cloud_init.as_deref(), Some("#cloud-config"));
    assert_eq!(db.intents.usage(bob).await.expect("sums").instances, 1);
    assert_eq!(due(&db, bobs).await, [Subject::Cluster(id)]);
}

#[tokio::test]
async fn a_lost_lease_writes_nothing() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "fence", 1).await;
    let name = LeaseName::Member(member);
    let (a, b) = (db.leases.join("a", LONG).await.expect("joins"), db.leases.join("b", LONG).await.expect("joins"));
    let unheard = db.leases.claim(&a, name).await.expect("asks").expect("free");
    assert!(db.leases.claim(&b, name).await.expect("asks").is_none(), "held by a");
    let old = db.leases.claim(&a, name).await.expect("asks").expect("its own");
    assert_eq!(old.epoch, unheard.epoch + 1, "what was written under the first is fenced");
    assert!(db.leases.heartbeat(&a, Duration::ZERO).await.expect("asks"));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(db.leases.claim(&b, name).await.expect("asks").is_none(), "not declared dead yet");
    db.leases.bury(LONG).await.expect("buries");
    assert!(!db.leases.heartbeat(&a, LONG).await.expect("asks"), "the dead do not come back");
    let new = db.leases.claim(&b, name).await.expect("asks").expect("free");
    assert_eq!(new.epoch, old.epoch + 1);
    assert!(db.observations.namespace_record(&old, id, "stale").await.is_err());
    db.observations.namespace_record(&new, id, "fresh").await.expect("records");
    let intent = db.observations.cluster_intent(&new, id).await.expect("asks").expect("there");
    assert_eq!(intent.namespace_uid.as_deref(), Some("fresh"));
    let holders = db.leases.holders().await.expect("lists");
    assert!(holders.of(&b).any(|held| held == name) && !holders.is_free(name));
    db.leases.release(&new).await.expect("gives back");
    assert!(db.leases.holders().await.expect("lists").is_free(name));
    let again = db.leases.claim(&b, name).await.expect("asks").expect("free");
    assert_eq!(again.epoch, new.epoch + 1);
    db.leases.leave(&b).await.expect("leaves");
    assert!(db.leases.holders().await.expect("lists").is_free(name));
}

#[tokio::test]
async fn an_operation_on_a_changed_instance_is_noticed() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "cas", 1).await;
    let instance = &db.intents.instances(Whose::Of(owner), id, 0, 10).await.expect("lists").remove(0);
    assert!(!instance.settled());
    let operated = db.intents.transact(|tx| async move {
        let stopped = tx.instance_operate(instance.intent.id, instance.intent.generation, Operation::Stop).await?;
        Ok((stopped, tx.instance_operate(instance.intent.id, instance.intent.generation, Operation::Start).await?))
    });
    assert_eq!(operated.await.expect("writes").value, (true, false));
}

fn seen(intent: &store::ClusterIntent, observed: impl Fn(i64) -> InstanceObserved) -> Vec<InstanceObservation> {
    let observation = |i: &store::InstanceIntent| InstanceObservation {
        id: i.id,
        name: i.name.clone(),
        before: i.observed.status,
        observed: observed(i.generation),
    };
    intent.instances.iter().map(observation).collect()
}

#[tokio::test]
async fn observations_settle_an_instance_and_clean_a_cluster() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "observe", 600).await;
    assert_eq!(due(&db, member).await, [Subject::Cluster(id)]);
    let traits = async |member, ids: &[ClusterId]| db.observations.cluster_traits(member, ids).await.expect("asks");
    assert_eq!(traits(member, &[id, ClusterId(id.0 + 1_000_000)]).await, [(id, owner, InstanceType::Container)]);
    assert_eq!(traits(MemberId::LOCAL, &[id]).await, [], "on another member it is nobody's");
    assert_eq!(traits(member, &[]).await, []);
    let lease = lease(&db, member).await;
    let intent = db.observations.cluster_intent(&lease, id).await.expect("asks").expect("there");
    let running = |generation| InstanceObserved {
        status: InstanceStatus::Running,
        generation,
        reason: Some("x".repeat(1000)),
        message: Some("ü\0nï \"'\\ {}".repeat(2_000)),
        ip: Some("127.96.0.2".into()),
        node: None,
        incarnation: None,
    };
    let observation = ClusterObservation { carried_out: Some(intent.generation), ..ClusterObservation::default() };
    db.observations.status_write(&lease, owner, id, Some(&observation), &seen(&intent, running)).await.expect("writes");
    assert_eq!(due(&db, member).await, []);
    let rows = db.intents.instances(Whose::Of(owner), id, 0, 1000).await.expect("lists");
    assert!(rows.iter().all(store::InstanceRow::settled));
    let first = &rows[0].intent.observed;
    assert_eq!((first.ip.as_deref(), first.node.as_deref(), first.reason.as_ref().map(String::len)), (Some("127.96.0.2"), None, Some(250)));
    assert!(first.message.as_ref().is_some_and(|m| m.starts_with("ünï \"'\\ {}") && m.chars().count() == 4000));
    let row = db.intents.cluster(Whose::Of(owner), id).await.expect("asks").expect("there");
    assert_eq!((row.status, row.instance_count), (types::ClusterStatus::Running, 600));

    // The same status again keeps its since; another one begins anew.
    let since = rows[0].since;
    let intent = db.observations.cluster_intent(&lease, id).await.expect("asks").expect("there");
    db.observations.status_write(&lease, owner, id, None, &seen(&intent, running)).await.expect("writes");
    let same = db.intents.instances(Whose::Of(owner), id, 0, 1).await.expect("lists").remove(0);
    assert_eq!(same.since, since);
    let failed = |generation| InstanceObserved { status: InstanceStatus::Failed, reason: None, message: None, ip: None, ..running(generation) };
    db.observations.status_write(&lease, owner, id, None, &seen(&intent, failed)).await.expect("writes");
    let other = db.intents.instances(Whose::Of(owner), id, 0, 1).await.expect("lists").remove(0);
    assert!(other.since > since && other.intent.observed.message.is_none());
}

#[tokio::test]
async fn what_changed_meanwhile_stays_due() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "late", 1).await;
    let lease = lease(&db, member).await;
    let touched = db.intents.transact(|tx| async move {
        let row = tx.cluster_lock(Whose::Of(owner), id).await?.expect("there");
        tx.cluster_touch(id, &row).await
    });
    assert_eq!(touched.await.expect("touches").woken, [(member, Subject::Cluster(id))]);
    let observation = |generation| ClusterObservation { carried_out: Some(generation), ..ClusterObservation::default() };
    db.observations.status_write(&lease, owner, id, Some(&observation(1)), &[]).await.expect("writes");
    assert_eq!(due(&db, member).await, [Subject::Cluster(id)], "an older generation was carried out");
    db.observations.status_write(&lease, owner, id, Some(&observation(2)), &[]).await.expect("writes");
    assert_eq!(due(&db, member).await, []);
}

#[tokio::test]
async fn a_silent_member_makes_what_is_on_it_stale() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "stale", 1).await;
    let lease = lease(&db, member).await;
    let stale = async || db.intents.cluster(Whose::Of(owner), id).await.expect("asks").expect("there").stale_since;
    assert_eq!(stale().await, None);
    let silent = Reach::Unreachable { reason: "Timeout".into(), message: "it says nothing".into() };
    db.observations.member_reach(&lease, &silent).await.expect("writes");
    let since = stale().await.expect("stale");
    tokio::time::sleep(Duration::from_millis(2)).await;
    db.observations.member_reach(&lease, &silent).await.expect("writes");
    assert_eq!(stale().await, Some(since), "since it fell silent, not since it was last asked");
    assert_eq!(db.intents.instances(Whose::Of(owner), id, 0, 1).await.expect("lists")[0].stale_since, Some(since));
    db.observations.member_reach(&lease, &Reach::Reachable).await.expect("writes");
    assert_eq!(stale().await, None);
}

#[tokio::test]
async fn what_is_given_up_leaves_a_record_and_frees_what_it_took() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let member = member(&db, owner).await;
    let id = cluster(&db, owner, member, "lost", 2).await;
    let _ = db.intents.transact(|tx| async move { tx.cluster_abandon(id, owner).await }).await.expect("gives up");
    assert_eq!(db.intents.usage(owner).await.expect("sums"), Usage::default());
    assert!(db.intents.cluster(Whose::Of(owner), id).await.expect("asks").is_none());
    assert_eq!(due(&db, member).await, []);
    let orphans = db.intents.orphans().await.expect("lists");
    assert!(orphans.iter().any(|orphan| orphan.member == member && orphan.name == "lost" && orphan.namespace == "lost-ns"), "{orphans:?}");
}

#[tokio::test]
async fn events_are_numbered_in_the_order_in_which_they_are_given_out() {
    let (db, _dir) = fresh().await;
    let replica = db.leases.join("test", LONG).await.expect("joins");
    // On a shared server another test may have it: then there is nothing to see here.
    let Some(outbox) = db.leases.claim(&replica, LeaseName::Outbox).await.expect("asks") else { return };
    let told = db.intents.transact(|tx| async move {
        tx.record(&store::By::default(), store::Fact::SignInFailed { times: 1 }).await?;
        tx.record(&store::By::default(), store::Fact::SignInFailed { times: 2 }).await
    });
    let () = told.await.expect("records").value;
    assert!(db.observations.events_sequence(&outbox).await.expect("numbers") >= 2);
    while db.observations.events_sequence(&outbox).await.expect("numbers") > 0 {}
    db.leases.release(&outbox).await.expect("gives back");
}

/// Two transactions that lock two rows in opposite orders: one of them is run again, and both end well.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deadlock_is_settled_by_running_again() {
    let (db, _dir) = fresh().await;
    let (a, b) = (user(&db).await, user(&db).await);
    let both = async |first: UserId, second: UserId| {
        db.intents
            .transact(|tx| async move {
                tx.owner_lock(first).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
                tx.owner_lock(second).await?;
                Ok(())
            })
            .await
    };
    let (one, other) = tokio::join!(both(a, b), both(b, a));
    let ((), ()) = (one.expect("settles").value, other.expect("settles").value);
}

#[tokio::test]
async fn a_transaction_that_others_stand_in_the_way_of_is_run_a_few_times_and_then_given_up() {
    let (db, _dir) = fresh().await;
    let runs = std::sync::atomic::AtomicU32::new(0);
    let result = db.intents.transact(|_| {
        runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        async { Err::<(), _>(Error::Contended) }
    });
    assert!(matches!(result.await, Err(Error::Contended)));
    assert_eq!(runs.into_inner(), 4);
}

#[tokio::test]
async fn tokens_are_found_by_digest_until_replaced() {
    let (db, _dir) = fresh().await;
    let owner = user(&db).await;
    let key = db.schema.token_key().await.expect("made");
    let (old, new) = (key.digest(&Secret::new(unique("old"))), key.digest(&Secret::new(unique("new"))));
    for digest in [&old, &new] {
        assert!(db.intents.transact(|tx| async move { tx.token_replace(owner, digest).await }).await.expect("writes").value);
    }
    assert!(db.intents.user_by_digest(&old).await.expect("asks").is_none());
    assert_eq!(db.intents.user_by_digest(&new).await.expect("asks").expect("found").id, owner);
    let change = &UserChange { disabled: Some(true), cpu: Some(MilliCpu(5)), clusters: Some(7), ..UserChange::default() };
    let _ = db.intents.transact(|tx| async move { tx.user_update(owner, change).await }).await.expect("writes");
    let user = db.intents.user_by_digest(&new).await.expect("asks").expect("found");
    assert!(user.disabled && user.quota.cpu == MilliCpu(5) && user.quota.memory == Bytes(10 << 30));
    assert_eq!((user.quota.clusters, user.quota.instances, user.quota_virtual_clusters), (7, 1000, 10));
}

#[tokio::test]
async fn a_digest_needs_its_key() {
    let token = Secret::new("a token".to_owned());
    let (one, other) = (store::TokenKey::new(Secret::new("one".to_owned())), store::TokenKey::new(Secret::new("other".to_owned())));
    assert_eq!(one.digest(&token), one.digest(&token));
    assert_ne!(one.digest(&token), other.digest(&token));
}

#[tokio::test]
async fn a_newer_schema_and_another_draft_are_refused() {
    // Also where a server is named, which the tests around this one share: the end-to-end tests do it there.
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("test.db");
    let db = open(&format!("sqlite:///{}", path.display())).await;
    let raw = sea_orm::Database::connect(format!("sqlite:{}", path.display())).await.expect("opens");
    let execute = async |sql: &str| sea_orm::ConnectionTrait::execute_unprepared(&raw, sql).await.expect("executes");
    execute("UPDATE installation SET schema_digest = 'another'").await;
    for error in [db.schema.migrate().await.expect_err("refuses"), db.schema.require_current_schema().await.expect_err("refuses")] {
        let error = error.to_string();
        assert!(error.contains(path.to_str().expect("a path")) && error.contains("delete it"), "{error}");
    }
    execute("DROP TABLE installation").await;
    execute("CREATE TABLE installation (id INTEGER PRIMARY KEY, uid TEXT)").await;
    let error = db.schema.migrate().await.expect_err("refuses").to_string();
    assert!(error.contains("delete it"), "{error}");
    execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_future', 0)").await;
    let error = db.schema.migrate().await.expect_err("refuses");
    assert!(error.to_string().contains("m9999_future"), "{error}");
    assert!(db.schema.require_current_schema().await.is_err());
}
