//! The database goes away and comes back: nothing is to be done by hand.

use std::time::{Duration, Instant};

use sea_orm::DatabaseConnection;
use serde_json::json;

use crate::harness::{Client, Kubernetes, LeaseRow, Outage, Proxy, Server, ServerOptions, TestDatabase, eventually, unique};

/// A server whose database can be cut off; `None` without a server that has it.
async fn behind_proxy() -> Option<(Server, Proxy, DatabaseConnection, Kubernetes)> {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    if !database.on_server() {
        return None;
    }
    let proxy = Proxy::start(database.address()).await;
    let server = Server::start(&database.at(proxy.address), &kubernetes, ServerOptions::default()).await;
    let raw = database.raw().await;
    eventually("the lease is taken", 20, || async { server.leads().await.then_some(()) }).await;
    Some((server, proxy, raw, kubernetes))
}

/// Requests are answered, with a success or with when to come again, and health always.
async fn requests_are_answered(server: &Server, user: &Client, until: Instant) {
    let health = async {
        while Instant::now() < until {
            let started = Instant::now();
            assert_eq!(server.operator.get("/livez").await.status, 200);
            assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let requests = async {
        while Instant::now() < until {
            let started = Instant::now();
            let answer = user.get("/api/v1/users/me/quota").await;
            assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
            match answer.status.as_u16() {
                200 => {}
                503 => assert!(answer.headers.contains_key("retry-after"), "{answer:?}"),
                _ => panic!("{answer:?}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::join!(health, requests);
}

async fn works_again(server: &Server, user: &Client) {
    let body = json!({"name": unique("again"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
    let started = Instant::now();
    let id = eventually("a create is answered", 15, || async {
        let answer = user.post("/api/v1/clusters", &body).await;
        assert!(matches!(answer.status.as_u16(), 201 | 503), "{answer:?}");
        (answer.status == 201).then(|| answer.json()["id"].as_i64().expect("an id"))
    })
    .await;
    eventually("it runs", 30, || async {
        let answer = user.get(&format!("/api/v1/clusters/{id}")).await;
        (answer.status == 200 && answer.json()["status"] == "running").then_some(())
    })
    .await;
    eventually("it is ready", 15, || async { (server.operator.get("/readyz").await.status == 200).then_some(()) }).await;
    eprintln!("works again after {:?}", started.elapsed());
}

async fn away(outage: Outage, seconds: u64) {
    let Some((server, proxy, raw, _kubernetes)) = behind_proxy().await else { return };
    let user = server.user().await;
    let before = LeaseRow::read(&raw).await;
    let until = Instant::now() + Duration::from_secs(seconds);
    proxy.set(Some(outage));
    let over = async {
        tokio::time::sleep_until(until.into()).await;
        proxy.set(None);
    };
    tokio::join!(requests_are_answered(&server, &user, until), over);
    works_again(&server, &user).await;
    let after = LeaseRow::read(&raw).await;
    if seconds <= 4 {
        assert_eq!(after, before, "it was not lost");
        assert!(server.leads().await);
    }
}

#[tokio::test]
async fn a_database_that_refuses_for_four_seconds_costs_no_lease() {
    away(Outage::Refuses, 4).await;
}

#[tokio::test]
async fn a_network_that_stands_still_for_four_seconds_costs_no_lease() {
    away(Outage::Delays, 4).await;
}

#[tokio::test]
async fn a_database_that_refuses_for_half_a_minute_comes_back_by_itself() {
    away(Outage::Refuses, 30).await;
}

#[tokio::test]
async fn a_network_that_stands_still_for_half_a_minute_comes_back_by_itself() {
    away(Outage::Delays, 30).await;
}

#[tokio::test]
async fn a_database_whose_machine_was_lost_comes_back_by_itself() {
    away(Outage::Forgets, 30).await;
}
