//! Admission never exceeds quota, on any database, with any number of replicas.

use serde_json::json;

use crate::harness::{Kubernetes, Server, ServerOptions, TestDatabase, eventually, unique};

#[tokio::test]
async fn a_hundred_concurrent_creates_through_two_processes_admit_exactly_ten() {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let first = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    let second = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    let one = first.admin.user(10, 100).await;
    let other = crate::harness::Client::new(&second.url, one.token.as_deref());
    let prefix = unique("race");
    let creates = (0..100).map(|n| {
        let client = if n % 2 == 0 { &one } else { &other };
        let body = json!({"name": format!("{prefix}-{n}"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
        async move { client.post("/api/v1/clusters", &body).await }
    });
    let mut admitted = Vec::new();
    for answer in futures::future::join_all(creates).await {
        if answer.status == 201 {
            admitted.push(answer.expect(201)["id"].as_i64().expect("id"));
        } else {
            let problem = answer.expect_problem(409, "quota_exceeded", None);
            assert_eq!((problem["quota"][0]["resource"].as_str(), problem["quota"][0]["limit"].as_f64()), (Some("cpu"), Some(10.0)), "{problem}");
        }
    }
    assert_eq!(admitted.len(), 10);
    assert_eq!(one.used().await, (10.0, 10.0));
    for id in &admitted {
        other.delete(&format!("/api/v1/clusters/{id}")).await.expect(202);
    }
    eventually("everything is gone and nothing is used", 120, || async {
        let left = one.get("/api/v1/clusters").await.expect(200);
        (left.as_array().is_some_and(Vec::is_empty) && one.used().await == (0.0, 0.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn quantities_are_exact() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    // Ten times a tenth is one, which floats miss.
    let (_, user) = server.admin.user_with(json!({"quota_cpu": 1.0, "quota_memory": 1})).await;
    let create = async |name: &str, cpu: serde_json::Value, count: u32| {
        let body =
            json!({"name": name, "instance_type": "container", "cpu_per_instance": cpu, "memory_per_instance": "64Mi", "instance_count": count});
        user.post("/api/v1/clusters", &body).await
    };
    let first = create(&unique("tenths"), json!(0.1), 10).await.expect(201);
    assert_eq!(user.used().await, (1.0, 0.625));
    let problem = create(&unique("over"), json!(0.01), 1).await.expect_problem(409, "quota_exceeded", None);
    assert_eq!(problem["quota"][0]["available"].as_f64(), Some(0.0));
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("requested 0.01, used 1.0 of 1.0")), "{problem}");
    user.delete_cluster(first["id"].as_i64().expect("id")).await;
    assert_eq!(user.used().await, (0.0, 0.0));
}

#[tokio::test]
async fn scaling_up_is_admitted_like_a_create() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.admin.user(3, 10).await;
    let cluster = user.cluster(&unique("grow"), "container", 2).await;
    let path = format!("/api/v1/clusters/{}", cluster["id"]);
    user.patch(&path, &json!({"instance_count": 4})).await.expect_problem(409, "quota_exceeded", None);
    assert_eq!(user.used().await, (2.0, 2.0));
    user.patch(&path, &json!({"instance_count": 3})).await.expect(200);
    assert_eq!(user.used().await, (3.0, 3.0));
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}

#[tokio::test]
async fn a_quota_lowered_below_use_only_stops_growth() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (id, user) = server.admin.user_with(json!({"quota_cpu": 4, "quota_memory": 4})).await;
    let cluster = user.cluster(&unique("low"), "container", 2).await;
    server.admin.patch(&format!("/api/v1/users/{id}"), &json!({"quota_cpu": 1})).await.expect(200);
    let quota = user.get("/api/v1/users/me/quota").await.expect(200);
    assert_eq!((quota["used_cpu"].as_f64(), quota["available_cpu"].as_f64()), (Some(2.0), Some(0.0)));
    assert_eq!(user.detail(cluster["id"].as_i64().expect("id")).await["status"], "running");
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}
