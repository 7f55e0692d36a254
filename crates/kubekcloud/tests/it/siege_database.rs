//! Nobody keeps the database from others: neither who repeats what locks, nor who holds a lock from outside, nor reconciling itself.
//!
//! Bounds are generous, because the machine may be busy: what they tell apart is an answer and none.

use std::time::{Duration, Instant};

use futures::future::join_all;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, FromQueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};
use serde_json::{Value, json};

use crate::harness::{Answer, Client, LeaseRow, Server, TestDatabase, eventually, unique};

/// How long the siege goes on.
const SIEGE: Duration = Duration::from_secs(6);
const SAMPLES: usize = 100;

fn body(name: &str) -> Value {
    json!({"name": name, "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1})
}

async fn create_with_key(client: &Client, body: &Value, key: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    client.send(reqwest::Method::POST, "/api/v1/clusters", &headers, Some(body.to_string().into_bytes())).await
}

/// The lease, once it is held.
async fn lease(raw: &DatabaseConnection) -> LeaseRow {
    eventually("the lease is taken", 20, || LeaseRow::read(raw)).await
}

/// The slowest but one in a hundred of somebody's requests.
async fn p99(client: &Client) -> Duration {
    let mut took = Vec::new();
    for _ in 0..SAMPLES {
        let started = Instant::now();
        client.get("/api/v1/users/me/quota").await.expect(200);
        took.push(started.elapsed());
        tokio::time::sleep(SIEGE / 2 / u32::try_from(SAMPLES).expect("few")).await;
    }
    took.sort();
    took[SAMPLES - 2]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_repeats_a_create_in_parallel_stops_nobody() {
    let (server, database, _kubernetes) = Server::fresh().await;
    let raw = database.raw().await;
    let (hostile, other) = (server.user().await, server.user().await);
    let (body, key) = (body(&unique("repeated")), unique("key"));
    let first = create_with_key(&hostile, &body, &key).await.expect(201);
    hostile.settled(first["id"].as_i64().expect("an id"), "running").await;
    let before = lease(&raw).await;
    let quiet = p99(&other).await;

    // What the machine does besides may hold up one round; what the siege does holds up each.
    let mut besieged = besiege(&hostile, &other, &body, &key, &first).await;
    for _ in 0..2 {
        if besieged < (quiet * 3).max(MOST) {
            break;
        }
        besieged = besieged.min(besiege(&hostile, &other, &body, &key, &first).await);
    }
    assert!(besieged < (quiet * 3).max(MOST), "{besieged:?}, and {quiet:?} before");
    assert_eq!(lease(&raw).await, before, "it was not lost meanwhile");
}

/// What others may wait, however slow the machine is.
const MOST: Duration = Duration::from_millis(250);

/// Repeats a create in parallel, each time answered as the first; answers the p99 of somebody else meanwhile.
async fn besiege(hostile: &Client, other: &Client, body: &Value, key: &str, first: &Value) -> Duration {
    let began = Instant::now();
    let repeat = || async {
        let mut times = 0;
        while began.elapsed() < SIEGE || times == 0 {
            let answer = create_with_key(hostile, body, key).await;
            assert!(answer.headers.contains_key("idempotency-replayed"), "{answer:?}");
            assert_eq!(answer.expect(201)["id"], first["id"]);
            times += 1;
        }
        times
    };
    let (times, besieged) = tokio::join!(join_all((0..64).map(|_| repeat())), p99(other));
    assert!(times.iter().sum::<usize>() > 64);
    besieged
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_creates_at_once_are_created_or_conflict() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let names: Vec<String> = (0..20).map(|_| unique("at-once")).collect();
    let creates = (0..100).map(|n| {
        let (user, body) = (&user, body(&names[n % names.len()]));
        async move { user.post("/api/v1/clusters", &body).await }
    });
    let answers = join_all(creates).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!((count(201), count(409)), (20, 80), "{answers:?}");
}

/// Takes an owner's row (SQLite: everything) as another program would, until it is dropped or rolled back.
async fn hold(database: &TestDatabase, raw: &DatabaseConnection, owner: i64) -> DatabaseTransaction {
    let options = TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..TransactionOptions::default() };
    let held = raw.begin_with_options(options).await.expect("begins");
    let lock = if database.on_server() { " FOR UPDATE" } else { "" };
    let sql = format!("SELECT id FROM users WHERE id = {owner}{lock}");
    held.query_one_raw(Statement::from_string(raw.get_database_backend(), sql)).await.expect("locks").expect("a user");
    held
}

fn ample() -> Value {
    json!({"quota_cpu": 100, "quota_memory": 100})
}

#[tokio::test]
async fn a_lock_that_is_held_for_a_second_is_waited_for() {
    let (server, database, _kubernetes) = Server::fresh().await;
    let raw = database.raw().await;
    let (id, user) = server.admin.user_with(ample()).await;
    let held = hold(&database, &raw, id).await;
    let release = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        held.rollback().await.expect("rolls back");
    };
    let (answer, ()) = tokio::join!(async { user.post("/api/v1/clusters", &body(&unique("waited"))).await }, release);
    answer.expect(201);
}

#[tokio::test]
async fn a_lock_that_is_held_for_long_costs_its_owner_an_answer_and_nobody_else_anything() {
    let (server, database, _kubernetes) = Server::fresh().await;
    if !database.on_server() {
        // One writer: there is no lock of one owner.
        return;
    }
    let raw = database.raw().await;
    let before = lease(&raw).await;
    let ((id, user), other) = (server.admin.user_with(ample()).await, server.user().await);
    let held = hold(&database, &raw, id).await;
    let names = [unique("held"), unique("held")];
    let besieged = async {
        // As many as would take all connections, were they waited for in the database.
        let more = (0..40).map(|_| async { user.post("/api/v1/clusters", &body(&names[1])).await });
        let more = async { tokio::time::timeout(Duration::from_secs(20), join_all(more)).await };
        let (first, _) = tokio::join!(async { user.post("/api/v1/clusters", &body(&names[0])).await }, more);
        first
    };
    let others = async {
        for _ in 0..20 {
            let started = Instant::now();
            other.post("/api/v1/clusters", &body(&unique("other"))).await.expect(201);
            assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
            assert_eq!(server.operator.get("/readyz").await.status, 200);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    let (answer, ()) = tokio::join!(besieged, others);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    answer.expect_problem(503, "unavailable", None);
    held.rollback().await.expect("rolls back");
    // Those whose callers have gone are not in its way for ever.
    eventually("the owner creates again", 30, || async {
        let answer = user.post("/api/v1/clusters", &body(&names[0])).await;
        matches!(answer.status.as_u16(), 201 | 409).then_some(())
    })
    .await;
    assert_eq!(lease(&raw).await, before);
}

/// Two that lock each other's rows, one of them a create: whoever the database takes for the victim, the create is answered.
#[tokio::test]
async fn a_create_that_loses_to_a_deadlock_is_tried_again() {
    let (server, database, _kubernetes) = Server::fresh().await;
    if !database.on_server() {
        return;
    }
    let raw = database.raw().await;
    let (id, user) = server.admin.user_with(ample()).await;
    let name = unique("deadlock");
    for _ in 0..5 {
        // A create takes the owner's row, then writes `work`; we take the table of the latter, then the owner's row.
        let ours = raw.begin().await.expect("begins");
        let take = match raw.get_database_backend() {
            DbBackend::Postgres => "LOCK TABLE work IN SHARE ROW EXCLUSIVE MODE",
            _ => "SELECT id FROM work FOR UPDATE",
        };
        ours.execute_unprepared(take).await.expect("locks");
        let then = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            // May be the victim, and may wait for longer than is let: then it gives way.
            let _ = ours.execute_unprepared(&format!("SELECT id FROM users WHERE id = {id} FOR UPDATE")).await;
            let _ = ours.rollback().await;
        };
        let (answer, ()) = tokio::join!(async { user.post("/api/v1/clusters", &body(&unique(&name))).await }, then);
        answer.expect(201);
    }
}

#[derive(FromQueryResult)]
struct Left {
    micros: i64,
}

/// Fenced writes share the lock of the lease's row. What is renewed is another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_fenced_transactions_does_not_starve_heartbeats() {
    let (server, database, _kubernetes) = Server::fresh().await;
    let raw = database.raw().await;
    let before = lease(&raw).await;
    let (share, clock) = match raw.get_database_backend() {
        DbBackend::Postgres => (" FOR SHARE", "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"),
        DbBackend::MySql => (" LOCK IN SHARE MODE", "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"),
        // One writer, which nobody shares.
        _ => return,
    };
    let end = Instant::now() + Duration::from_secs(10);
    let fence = format!("SELECT epoch FROM leases WHERE name = 'member/0'{share}");
    let work = || async {
        while Instant::now() < end {
            let tx = raw.begin().await.expect("begins");
            tx.query_one_raw(Statement::from_string(raw.get_database_backend(), fence.as_str())).await.expect("locks").expect("a lease");
            tokio::time::sleep(Duration::from_millis(50)).await;
            tx.commit().await.expect("commits");
        }
    };
    let left = format!("SELECT expires_at - {clock} AS micros FROM replicas WHERE id = '{}'", before.holder);
    let watch = async {
        // On a connection of its own: the others wait for one in turns.
        let raw = database.raw().await;
        let mut least = i64::MAX;
        while Instant::now() < end {
            let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), left.as_str())).await.expect("asks");
            least = least.min(Left::from_query_result(&row.expect("a replica"), "").expect("a number").micros);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        least
    };
    let (_, least) = tokio::join!(join_all((0..8).map(|_| work())), watch);
    // It lives for 8 s, and is renewed each 2 s: each renewal took less than a second.
    assert!(least > 5_000_000, "{least} us were left");
    assert_eq!(lease(&raw).await, before);
    let user = server.user().await;
    user.cluster(&unique("after"), "container", 1).await;
}
