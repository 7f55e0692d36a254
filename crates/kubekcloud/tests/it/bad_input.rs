//! Bad input: a clear problem that names the field, and nothing created.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Server};

fn good() -> Value {
    json!({"name": "fine", "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1})
}

async fn nothing_was_created(user: &Client) {
    assert_eq!(user.get("/api/v1/clusters").await.expect(200), json!([]));
    assert_eq!(user.used().await, (0.0, 0.0));
}

#[tokio::test]
async fn each_wrong_field_of_a_create_is_named() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let long = "a".repeat(63);
    let table: Vec<(&str, Value)> = vec![
        ("name", json!(long)),
        ("name", json!("")),
        ("name", json!("My-Cluster")),
        ("name", json!("kube-system")),
        ("name", json!("a_b")),
        ("name", json!("-a")),
        ("name", json!("a\u{0}b")),
        ("name", json!(7)),
        ("name", json!(null)),
        ("instance_type", json!("pod")),
        ("instance_type", json!(1)),
        ("cpu_per_instance", json!(-1)),
        ("cpu_per_instance", json!(0)),
        ("cpu_per_instance", json!(0.0001)),
        ("cpu_per_instance", json!(1e12)),
        ("cpu_per_instance", json!("NaN")),
        ("cpu_per_instance", json!("Infinity")),
        ("cpu_per_instance", json!(null)),
        ("cpu_per_instance", json!([1])),
        ("memory_per_instance", json!(-0.5)),
        ("memory_per_instance", json!(0)),
        ("memory_per_instance", json!(0.3)),
        ("memory_per_instance", json!(1e300)),
        ("instance_count", json!(0)),
        ("instance_count", json!(-1)),
        ("instance_count", json!(10_001)),
        ("instance_count", json!(1.5)),
        ("instance_count", json!(9_223_372_036_854_775_807_i64)),
        ("instance_count", json!("3")),
        ("image", json!("")),
        ("image", json!("a image; rm -rf")),
        ("ssh_public_key", json!("not a key")),
        ("cloud_init", json!("#cloud-config")),
        ("disk_gb", json!(0)),
        ("disk_gb", json!(-1)),
        ("member", json!("elsewhere")),
        ("unknown", json!(1)),
    ];
    for (field, value) in table {
        let mut body = good();
        body[field] = value.clone();
        let answer = user.post("/api/v1/clusters/", &body).await;
        assert_eq!(answer.status, 422, "{field} = {value}: {}", answer.text);
        answer.expect_problem(422, "invalid", Some(field));
    }
    for field in ["name", "instance_type", "cpu_per_instance", "memory_per_instance", "instance_count"] {
        let mut body = good();
        body.as_object_mut().expect("an object").remove(field);
        user.post("/api/v1/clusters/", &body).await.expect_problem(422, "invalid", Some(field));
    }
    nothing_was_created(&user).await;
}

#[tokio::test]
async fn all_wrong_fields_are_told_at_once() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let body = json!({"name": "NO", "instance_type": "vm", "cpu_per_instance": 0.5, "memory_per_instance": 0, "instance_count": 0});
    let problem = server.user().await.post("/api/v1/clusters", &body).await.expect_problem(422, "invalid", Some("cpu_per_instance"));
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(4), "{problem}");
}

#[tokio::test]
async fn bodies_that_are_no_json_are_told_from_those_that_do_not_fit() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let json_type = [("content-type", "application/json")];
    let send = async |headers: &[(&str, &str)], body: &[u8]| user.send(Method::POST, "/api/v1/clusters", headers, Some(body.to_vec())).await;
    let deep = "[".repeat(100_000);
    for broken in ["", "{", "{\"name\": }", "nope", "{} {}", "\u{feff}{}", deep.as_str(), "{\"cpu_per_instance\": NaN}"] {
        send(&json_type, broken.as_bytes()).await.expect_problem(400, "malformed", None);
    }
    send(&json_type, b"{\"name\": \"\xff\"}").await.expect_problem(400, "malformed", None);
    for misfit in ["[]", "null", "\"text\"", "7"] {
        send(&json_type, misfit.as_bytes()).await.expect_problem(422, "invalid", Some("body"));
    }
    let body = good().to_string();
    for wrong in [&[][..], &[("content-type", "text/plain")], &[("content-type", "application/x-www-form-urlencoded")]] {
        send(wrong, body.as_bytes()).await.expect_problem(415, "unsupported_media_type", None);
    }
    // A list is not taken for the fields in their order.
    let listed = r#"["a", "container", 1, 1, 1, null, null, null, null, null]"#;
    send(&json_type, listed.as_bytes()).await.expect_problem(422, "invalid", Some("body"));
    nothing_was_created(&user).await;
}

#[tokio::test]
async fn a_body_of_ten_megabytes_is_refused_before_it_is_understood() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let mut body = good();
    body["cloud_init"] = json!("x".repeat(10 * 1024 * 1024));
    let answer = user.post("/api/v1/clusters", &body).await;
    answer.expect_problem(413, "payload_too_large", None);
    nothing_was_created(&user).await;
}

#[tokio::test]
async fn wrong_ids_paths_and_methods_are_told() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    for id in ["abc", "1.5", "99999999999999999999", "%00", "1%20"] {
        user.get(&format!("/api/v1/clusters/{id}")).await.expect_problem(422, "invalid", Some("cluster_id"));
        user.get(&format!("/api/v1/instances/{id}")).await.expect_problem(422, "invalid", Some("instance_id"));
    }
    for id in ["0", "-1", "9223372036854775807"] {
        user.get(&format!("/api/v1/clusters/{id}")).await.expect_problem(404, "not_found", None);
    }
    user.get("/api/v1/nothing").await.expect_problem(404, "not_found", None);
    let answer = user.send(Method::PUT, "/api/v1/clusters", &[], None).await;
    assert!(answer.headers.contains_key("allow"), "405 says what is possible");
    answer.expect_problem(405, "method_not_allowed", None);
    for query in ["limit=0", "limit=501", "limit=x", "cursor=x", "cursor=-1", "owner=x"] {
        let field = query.split('=').next();
        user.get(&format!("/api/v1/clusters?{query}")).await.expect_problem(422, "invalid", field);
    }
    user.post("/api/v1/clusters?wait=61", &good()).await.expect_problem(422, "invalid", Some("wait"));
    nothing_was_created(&user).await;
}

#[tokio::test]
async fn operations_that_do_not_exist_are_refused() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    for operation in [json!("restart"), json!(""), json!(null), json!(1)] {
        let answer = user.post("/api/v1/instances/1/operate", &json!({"operation": operation})).await;
        answer.expect_problem(422, "invalid", Some("operation"));
    }
    user.post("/api/v1/instances/1/operate", &json!({"operation": "stop"})).await.expect_problem(404, "not_found", None);
}

#[tokio::test]
async fn each_wrong_field_of_a_user_is_named() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let table: Vec<(&str, Value)> = vec![
        ("username", json!("")),
        ("username", json!("a b")),
        ("username", json!("../x")),
        ("username", json!("a".repeat(65))),
        ("token", json!("short")),
        ("token", json!("with space")),
        ("token", json!("x".repeat(300))),
        ("quota_cpu", json!(-1)),
        ("quota_cpu", json!("lots")),
        ("quota_memory", json!(1e20)),
        ("quota_storage", json!(-1)),
        ("role", json!("root")),
        ("used_cpu", json!(0)),
    ];
    for (field, value) in table {
        let mut body = json!({"username": "ann", "token": "the-token-of-ann-0001", "quota_cpu": 1, "quota_memory": 1});
        body[field] = value.clone();
        let answer = server.admin.post("/api/v1/users", &body).await;
        assert_eq!(answer.status, 422, "{field} = {value}: {}", answer.text);
        answer.expect_problem(422, "invalid", Some(field));
    }
    assert_eq!(server.admin.get("/api/v1/users").await.expect(200).as_array().map(Vec::len), Some(1));
}
