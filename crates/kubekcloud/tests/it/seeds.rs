//! Every line of the seeds' documents, as printed.

use serde_json::json;

use crate::harness::{Client, Server};

/// The walk-through of the first document, on `dev`, where sign-up is open and ids start at 1.
#[tokio::test]
async fn every_curl_line_works_as_printed_with_and_without_the_slash() {
    for slash in ["/", ""] {
        let dev = crate::dev::Dev::start_fresh().await;
        let anybody = Client::new(&dev.info.api_url, None);
        let user = json!({"username": "john_doe", "token": "secret-token-123", "quota_cpu": 16.0, "quota_memory": 64.0});
        let user = anybody.post(&format!("/api/v1/users{slash}"), &user).await.expect(201);
        assert_eq!((user["quota_cpu"].as_f64(), user["used_cpu"].as_f64()), (Some(16.0), Some(0.0)));
        let john = anybody.with_token("secret-token-123");

        let cluster = json!({
            "name": "my-cluster", "instance_type": "container", "cpu_per_instance": 2.0, "memory_per_instance": 4.0, "instance_count": 3
        });
        let cluster = john.post(&format!("/api/v1/clusters{slash}"), &cluster).await.expect(201);
        assert_eq!((cluster["id"].as_i64(), cluster["namespace"].as_str()), (Some(1), Some("my-cluster-ns")));
        john.settled(1, "running").await;

        let list = john.get(&format!("/api/v1/clusters{slash}")).await.expect(200);
        assert_eq!(list.as_array().map(Vec::len), Some(1), "a bare array: {list}");
        let detail = john.get(&format!("/api/v1/clusters/1{slash}")).await.expect(200);
        let names: Vec<_> = detail["instances"].as_array().expect("instances").iter().map(|i| i["instance_name"].as_str().expect("name")).collect();
        assert_eq!(names, ["my-cluster-instance-1", "my-cluster-instance-2", "my-cluster-instance-3"]);

        let stopped = john.post(&format!("/api/v1/instances/1/operate{slash}"), &json!({"operation": "stop"})).await.expect(200);
        assert_eq!(stopped["status"], "stopped");
        let quota = john.get(&format!("/api/v1/users/me/quota{slash}")).await;
        // Exactly as the second document prints it, decimals included; more may follow.
        let printed =
            "{\"total_cpu\":16.0,\"total_memory\":64.0,\"used_cpu\":6.0,\"used_memory\":12.0,\"available_cpu\":10.0,\"available_memory\":52.0";
        assert!(quota.text.starts_with(printed), "{}", quota.text);

        let suspended = john.post_empty(&format!("/api/v1/clusters/1/suspend{slash}")).await.expect(200);
        assert_eq!((suspended["suspended"].as_i64(), suspended["failed"].as_i64(), suspended["skipped"].as_i64()), (Some(2), Some(0), Some(1)));
        let resumed = john.post_empty(&format!("/api/v1/clusters/1/resume{slash}")).await.expect(200);
        assert_eq!((resumed["resumed"].as_i64(), resumed["skipped"].as_i64()), (Some(2), Some(1)), "the stopped one is not woken");

        john.get(&format!("/api/v1/users/me{slash}")).await.expect(200);
        john.get(&format!("/api/v1/instances/1{slash}")).await.expect(200);
        let deleted = john.delete(&format!("/api/v1/clusters/1{slash}")).await.expect(202);
        assert!(deleted["message"].is_string());
        crate::harness::eventually("the quota is free again", 60, || async { (john.used().await == (0.0, 0.0)).then_some(()) }).await;
    }
}

#[tokio::test]
async fn the_test_workflow_of_the_first_document_works() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    // As printed on `dev` only: here a token that short is refused.
    let mut user = json!({"username": "test", "token": "test123", "quota_cpu": 10, "quota_memory": 20});
    server.admin.post("/api/v1/users/", &user).await.expect_problem(422, "invalid", Some("token"));
    user["token"] = json!("test123-and-thirteen-more");
    server.admin.post("/api/v1/users/", &user).await.expect(201);
    let test = server.admin.with_token("test123-and-thirteen-more");
    let name = crate::harness::unique("test-cluster");
    let cluster = json!({"name": name, "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 2, "instance_count": 2});
    let cluster = test.post("/api/v1/clusters/", &cluster).await.expect(201);
    assert_eq!(cluster["instances"].as_array().map(Vec::len), Some(2));
    assert_eq!(test.get("/api/v1/clusters/").await.expect(200)[0]["name"], name);
    assert_eq!(test.used().await, (2.0, 4.0));
    test.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}
