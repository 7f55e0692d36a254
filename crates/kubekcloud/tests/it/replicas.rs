//! Two processes on one database share the work, and survive the death of either.

use serde_json::json;

use crate::harness::{Client, Kubernetes, Server, ServerOptions, TestDatabase, eventually, unique};

/// Whether this process holds the member's lease.
async fn leads(server: &Server) -> bool {
    server.operator.get("/metrics").await.text.lines().any(|line| line.starts_with("kubekcloud_lease_held") && line.ends_with(" 1"))
}

async fn pair() -> (Server, Server, TestDatabase, Kubernetes) {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let first = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    eventually("the first takes the lease", 20, || async { leads(&first).await.then_some(()) }).await;
    let second = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    (first, second, database, kubernetes)
}

async fn create(client: &Client) -> i64 {
    let body = json!({"name": unique("shared"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 2});
    client.post("/api/v1/clusters", &body).await.expect(201)["id"].as_i64().expect("id")
}

#[tokio::test]
async fn a_create_through_the_one_that_does_not_lead_is_carried_out() {
    let (first, second, _database, _kubernetes) = pair().await;
    assert!(leads(&first).await && !leads(&second).await);
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
    assert!(leads(&second).await);
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
    eventually("the second leads", 10, || async { leads(&second).await.then_some(()) }).await;
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
