//! Two processes on one database share the work, and survive the death of either.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;

use crate::harness::{Client, Kubernetes, LeaseRow, Server, ServerOptions, TestDatabase, eventually, skip, stays, unique};

/// From a signal until another has the lease and carries things out.
const TAKEOVER: u64 = 15;

async fn pair() -> (Server, Server, TestDatabase, Kubernetes) {
    pair_of(ServerOptions::default()).await
}

/// The first of them leads, and differs.
async fn pair_of(first: ServerOptions) -> (Server, Server, TestDatabase, Kubernetes) {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let first = Server::start(&database, &kubernetes, first).await;
    eventually("the first takes the lease", 20, || async { first.leads().await.then_some(()) }).await;
    let second = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    (first, second, database, kubernetes)
}

fn body() -> serde_json::Value {
    json!({"name": unique("shared"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 2})
}

async fn create(client: &Client) -> i64 {
    client.post("/api/v1/clusters", &body()).await.expect(201)["id"].as_i64().expect("id")
}

/// Another has the lease and carries out what is asked of it, soon after `signalled`. Answers the lease.
async fn takes_over(survivor: &Server, user: &Client, raw: &DatabaseConnection, before: &LeaseRow, signalled: Instant) -> LeaseRow {
    let id = create(user).await;
    let lease =
        eventually("the lease is another's", TAKEOVER, || async { LeaseRow::read(raw).await.filter(|lease| lease.epoch > before.epoch) }).await;
    let took = signalled.elapsed();
    user.settled(id, "running").await;
    assert!(signalled.elapsed() < Duration::from_secs(TAKEOVER), "the lease was taken after {took:?}, work done after {:?}", signalled.elapsed());
    assert!(survivor.leads().await && lease.holder != before.holder);
    eprintln!("taken over after {took:?}, carried out after {:?}", signalled.elapsed());
    lease
}

/// All that reconciling writes: a row each.
async fn observed(raw: &DatabaseConnection) -> Vec<String> {
    let mut found = Vec::new();
    for (sql, columns) in [
        ("SELECT namespace_uid, COALESCE(reason, '') AS reason FROM clusters ORDER BY id", ["namespace_uid", "reason"]),
        ("SELECT status, COALESCE(node, '') AS node FROM instances ORDER BY id", ["status", "node"]),
        ("SELECT CAST(COUNT(*) AS CHAR(20)) AS events, CAST(MAX(id) AS CHAR(20)) AS last FROM outbox", ["events", "last"]),
    ] {
        let rows = raw.query_all_raw(Statement::from_string(raw.get_database_backend(), sql)).await.expect("asks");
        found.extend(rows.iter().map(|row| columns.map(|column| row.try_get::<String>("", column).expect("a text").trim().to_owned()).join(" ")));
    }
    found
}

/// The frozen one goes on, writes nothing, and stands by.
async fn joins_again(first: &Server, second: &Server, raw: &DatabaseConnection, lease: &LeaseRow) {
    let before = observed(raw).await;
    first.signal(Signal::CONT);
    stays("what was written is what the other has written, under its lease", 4, || async {
        observed(raw).await == before && LeaseRow::read(raw).await.as_ref() == Some(lease) && second.leads().await
    })
    .await;
    eventually("it is ready", 20, || async { (first.operator.get("/readyz").await.status == 200).then_some(()) }).await;
    assert!(!first.leads().await, "it stands by");
}

#[tokio::test]
async fn a_create_through_the_one_that_does_not_lead_is_carried_out() {
    let (first, second, _database, _kubernetes) = pair().await;
    assert!(first.leads().await && !second.leads().await);
    let user = first.user().await;
    let through_second = Client::new(&second.url, user.token.as_deref());
    let id = create(&through_second).await;
    let detail = through_second.settled(id, "running").await;
    let instance = detail["instances"][0]["id"].as_i64().expect("id");
    assert_eq!(through_second.operate(instance, "stop").await.expect(200)["status"], "stopped", "it is waited for across processes");
    through_second.delete_cluster(id).await;
}

#[tokio::test]
async fn the_other_takes_over_from_a_killed_leader() {
    let (first, second, database, kubernetes) = pair().await;
    let user = Client::new(&second.url, first.user().await.token.as_deref());
    let installation = second.installation(&database).await;
    let before = create(&user).await;
    first.kill();
    let after = create(&user).await;
    for id in [before, after] {
        user.settled(id, "running").await;
    }
    assert!(second.leads().await);
    assert_eq!(kubernetes.namespaces_of(&installation).await.len(), 2);
    for id in [before, after] {
        user.delete_cluster(id).await;
    }
    assert_eq!(user.used().await, (0.0, 0.0));
}

#[tokio::test]
async fn a_clean_stop_hands_over_at_once() {
    let (first, second, _database, _kubernetes) = pair().await;
    let user = Client::new(&second.url, first.user().await.token.as_deref());
    let started = std::time::Instant::now();
    assert!(first.interrupt().await, "SIGINT ends it well");
    eventually("the second leads", 10, || async { second.leads().await.then_some(()) }).await;
    assert!(started.elapsed().as_secs() < 10, "it need not wait for the lease to expire");
    let id = create(&user).await;
    user.settled(id, "running").await;
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn the_other_is_not_disturbed_when_a_follower_dies() {
    let (first, second, _database, _kubernetes) = pair().await;
    let user = first.user().await;
    second.kill();
    let id = create(&user).await;
    user.settled(id, "running").await;
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn the_other_takes_over_from_a_killed_or_frozen_leader_in_time() {
    for signal in [Signal::KILL, Signal::STOP] {
        let (first, second, database, _kubernetes) = pair().await;
        if !database.on_server() {
            // A file is for one process.
            return;
        }
        let raw = database.raw().await;
        let before = LeaseRow::read(&raw).await.expect("it is held");
        let user = Client::new(&second.url, first.user().await.token.as_deref());
        let id = create(&user).await;
        user.settled(id, "running").await;
        let signalled = Instant::now();
        first.signal(signal);
        let lease = takes_over(&second, &user, &raw, &before, signalled).await;
        if signal == Signal::STOP {
            joins_again(&first, &second, &raw, &lease).await;
            let through_first = Client::new(&first.url, user.token.as_deref());
            let id = create(&through_first).await;
            through_first.settled(id, "running").await;
        }
    }
}

/// Whether the binary can be made to freeze.
fn can_freeze() -> bool {
    if cfg!(not(feature = "failpoints")) {
        assert!(std::env::var_os("CI").is_none(), "build with the feature 'failpoints'");
        skip("built without the feature 'failpoints'");
    }
    cfg!(feature = "failpoints")
}

async fn stopped(server: &Server) {
    eventually("it has frozen", 20, || async { server.is_stopped().then_some(()) }).await;
}

#[tokio::test]
async fn the_other_takes_over_from_a_leader_that_froze_between_fence_and_commit() {
    let (first, second, database, _kubernetes) = pair_of(ServerOptions { stop_at: Some("fence.held"), ..ServerOptions::default() }).await;
    if !database.on_server() || !can_freeze() {
        return;
    }
    let raw = database.raw().await;
    let before = LeaseRow::read(&raw).await.expect("it is held");
    let user = Client::new(&second.url, first.user().await.token.as_deref());
    // Its first fenced write.
    let id = create(&user).await;
    stopped(&first).await;
    let lease = takes_over(&second, &user, &raw, &before, Instant::now()).await;
    user.settled(id, "running").await;
    joins_again(&first, &second, &raw, &lease).await;
    for id in [id, create(&Client::new(&first.url, user.token.as_deref())).await] {
        user.settled(id, "running").await;
        user.delete_cluster(id).await;
    }
}

#[tokio::test]
async fn an_owner_whose_row_a_frozen_process_holds_creates_elsewhere() {
    let (first, second, database, _kubernetes) = pair_of(ServerOptions { stop_at: Some("owner.held"), ..ServerOptions::default() }).await;
    if !database.on_server() || !can_freeze() {
        return;
    }
    let raw = database.raw().await;
    let before = LeaseRow::read(&raw).await.expect("it is held");
    let through_first = first.user().await;
    let user = Client::new(&second.url, through_first.token.as_deref());
    let name = unique("frozen");
    let mut lost = body();
    lost["name"] = json!(name);
    let hanging = tokio::spawn(async move { through_first.post("/api/v1/clusters", &lost).await });
    stopped(&first).await;
    let signalled = Instant::now();
    let lease = takes_over(&second, &user, &raw, &before, signalled).await;
    joins_again(&first, &second, &raw, &lease).await;
    let answer = hanging.await.expect("it is answered");
    // Its transaction was ended: it says so, or was run again.
    assert!(matches!(answer.status.as_u16(), 201 | 503), "{answer:?}");
    let named = user.get("/api/v1/clusters").await.expect(200).as_array().expect("a list").iter().filter(|cluster| cluster["name"] == name).count();
    assert_eq!(named, usize::from(answer.status == 201));
}
