//! A Kubernetes that does not answer.

use serde_json::json;

use crate::harness::{Kubernetes, Server, ServerOptions, TestDatabase, eventually, unique};

/// A kubeconfig whose server refuses connections.
fn dead_kubeconfig(dir: &std::path::Path) -> std::path::PathBuf {
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("has an address").port();
    let path = dir.join("dead-kubeconfig");
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "dead",
        "clusters": [{"name": "dead", "cluster": {"server": format!("https://127.0.0.1:{port}")}}],
        "users": [{"name": "dead", "user": {"token": "none"}}],
        "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "dead"}}],
    });
    std::fs::write(&path, text.to_string()).expect("writes");
    path
}

#[tokio::test]
async fn what_was_accepted_while_the_member_was_down_is_done_when_it_is_back() {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let dir = tempfile::tempdir().expect("temporary directory");
    let options = ServerOptions { kubeconfig: Some(dead_kubeconfig(dir.path())), ..ServerOptions::default() };
    let server = Server::start(&database, &kubernetes, options).await;
    let user = server.user().await;
    let body = json!({"name": unique("later"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 2});
    let cluster = user.post("/api/v1/clusters", &body).await.expect(201);
    let id = cluster["id"].as_i64().expect("id");
    assert_eq!(cluster["status"], "pending");
    assert_eq!(user.used().await.0, 2.0);
    let anybody = server.anonymous();
    eventually("the member is said to be unreachable", 30, || async {
        let text = server.operator.get("/readyz?verbose").await.text;
        text.contains("[-]local/reachable").then_some(())
    })
    .await;
    assert_eq!(server.operator.get("/readyz").await.status, 200, "the API itself is ready");
    assert_eq!(anybody.get("/health").await.expect(200)["status"], "degraded");
    let instance = cluster["instances"][0]["id"].as_i64().expect("id");
    user.get(&format!("/api/v1/instances/{instance}/events")).await.expect_problem(502, "member_failed", None);
    server.kill();

    let server = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    let user = crate::harness::Client::new(&server.url, user.token.as_deref());
    user.settled(id, "running").await;
    user.delete_cluster(id).await;
}
