//! Nobody in who doesn't belong.

use serde_json::json;

use crate::harness::{Kubernetes, Server, ServerOptions, TestDatabase, instance_ids, unique};

#[tokio::test]
async fn somebody_elses_thing_answers_byte_for_byte_like_a_missing_one() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (ann, eve) = (server.user().await, server.user().await);
    let cluster = ann.cluster(&unique("mine"), "container", 1).await;
    let (id, instance) = (cluster["id"].as_i64().expect("id"), instance_ids(&cluster)[0]);
    let requests: [(&str, String, String, Option<serde_json::Value>); 11] = [
        ("GET", format!("/api/v1/clusters/{id}"), "/api/v1/clusters/999999".into(), None),
        ("GET", format!("/api/v1/clusters/{id}/instances"), "/api/v1/clusters/999999/instances".into(), None),
        ("DELETE", format!("/api/v1/clusters/{id}"), "/api/v1/clusters/999999".into(), None),
        ("PATCH", format!("/api/v1/clusters/{id}"), "/api/v1/clusters/999999".into(), Some(json!({"instance_count": 2}))),
        ("POST", format!("/api/v1/clusters/{id}/suspend"), "/api/v1/clusters/999999/suspend".into(), None),
        ("POST", format!("/api/v1/clusters/{id}/resume"), "/api/v1/clusters/999999/resume".into(), None),
        ("POST", format!("/api/v1/clusters/{id}/stop"), "/api/v1/clusters/999999/stop".into(), None),
        ("POST", format!("/api/v1/instances/{instance}/operate"), "/api/v1/instances/999999/operate".into(), Some(json!({"operation": "stop"}))),
        ("GET", format!("/api/v1/instances/{instance}"), "/api/v1/instances/999999".into(), None),
        ("GET", format!("/api/v1/instances/{instance}/logs"), "/api/v1/instances/999999/logs".into(), None),
        ("GET", format!("/api/v1/instances/{instance}/events"), "/api/v1/instances/999999/events".into(), None),
    ];
    for (method, foreign, missing, body) in requests {
        let method: reqwest::Method = method.parse().expect("a method");
        let send = async |path: &str| {
            let headers = [("content-type", "application/json"), ("x-request-id", "the-same")];
            eve.send(method.clone(), path, &headers, body.as_ref().map(|b| b.to_string().into_bytes())).await
        };
        let (foreign, missing) = (send(&foreign).await, send(&missing).await);
        assert_eq!((foreign.status.as_u16(), &foreign.text), (404, &missing.text));
        let names = |answer: &reqwest::header::HeaderMap| answer.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&foreign.headers), names(&missing.headers));
    }
    assert_eq!(eve.get("/api/v1/clusters").await.expect(200), json!([]));
    assert_eq!(ann.detail(id).await["status"], "running", "and nothing has happened to it");
    ann.delete_cluster(id).await;
}

#[tokio::test]
async fn every_route_needs_a_credential_unless_it_says_so() {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let server = Server::start(&database, &kubernetes, ServerOptions { behind_proxy: true, ..ServerOptions::default() }).await;
    let document = server.anonymous().get("/openapi.json").await.expect(200);
    let (mut checked, mut open_to_all) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let open =
                operation["security"].as_array().is_some_and(|all| all.iter().any(|one| one.as_object().is_some_and(serde_json::Map::is_empty)));
            if open {
                open_to_all.push(format!("{method} {path}"));
                continue;
            }
            let path = path.replace("{user_id}", "1").replace("{cluster_id}", "1").replace("{instance_id}", "1");
            let method: reqwest::Method = method.to_uppercase().parse().expect("a method");
            for authorization in
                [None, Some("Bearer wrong-token"), Some("Basic YTpi"), Some("Bearer"), Some("test-admin-token-0123456789"), Some("Bearer ")]
            {
                // Each from an address of its own: who fails again and again is slowed down.
                let from = format!("192.0.2.{checked}");
                let mut headers = vec![("content-type", "application/json"), ("x-forwarded-for", &*from)];
                headers.extend(authorization.map(|value| ("authorization", value)));
                let answer = server.anonymous().send(method.clone(), &path, &headers, Some(b"{}".to_vec())).await;
                assert!(answer.headers.contains_key("www-authenticate"), "{method} {path}: {}", answer.text);
                answer.expect_problem(401, "unauthenticated", None);
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "only {checked} requests were checked");
    open_to_all.sort();
    // The last is for sign-up, where that is switched on.
    assert_eq!(open_to_all, ["get /health", "get /livez", "get /metrics", "get /readyz", "post /api/v1/users"]);
}

#[tokio::test]
async fn creating_users_is_the_admins() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let request = json!({"username": unique("x"), "token": unique("token-of-somebody"), "quota_cpu": 1, "quota_memory": 1});
    server.anonymous().post("/api/v1/users/", &request).await.expect_problem(401, "unauthenticated", None);
    user.post("/api/v1/users/", &request).await.expect_problem(403, "forbidden", None);
    for (method, path) in [("GET", "/api/v1/users"), ("GET", "/api/v1/audit"), ("PATCH", "/api/v1/users/1"), ("DELETE", "/api/v1/users/1")] {
        let answer = user.send(method.parse().expect("a method"), path, &[("content-type", "application/json")], Some(b"{}".to_vec())).await;
        answer.expect_problem(403, "forbidden", None);
    }
    let created = server.admin.post("/api/v1/users/", &request).await;
    assert!(!created.text.contains(request["token"].as_str().expect("a token")), "a token that was given is not shown");
    server.admin.post("/api/v1/users/", &request).await.expect_problem(409, "conflict", None);
    let same_token = json!({"username": unique("y"), "token": request["token"], "quota_cpu": 1, "quota_memory": 1});
    server.admin.post("/api/v1/users/", &same_token).await.expect_problem(422, "invalid", Some("token"));
    let made = json!({"username": unique("z"), "quota_cpu": 1, "quota_memory": 1});
    let made = server.admin.post("/api/v1/users/", &made).await.expect(201);
    let token = made["token"].as_str().expect("a token that was made is shown once");
    assert_eq!(server.admin.with_token(token).get("/api/v1/users/me").await.expect(200)["id"], made["id"]);
}

#[tokio::test]
async fn disabling_rotating_and_deleting_take_effect_at_the_next_request() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (id, user) = server.admin.user_with(json!({"quota_cpu": 4, "quota_memory": 4})).await;
    let path = format!("/api/v1/users/{id}");
    let cluster = user.cluster(&unique("stays"), "container", 1).await;

    server.admin.patch(&path, &json!({"disabled": true})).await.expect(200);
    user.get("/api/v1/users/me").await.expect_problem(401, "unauthenticated", None);
    server.admin.patch(&path, &json!({"disabled": false})).await.expect(200);
    user.get("/api/v1/users/me").await.expect(200);

    let fresh = user.post_empty(&format!("{path}/token")).await.expect(200);
    let fresh = user.with_token(fresh["token"].as_str().expect("a token"));
    user.get("/api/v1/users/me").await.expect_problem(401, "unauthenticated", None);
    assert_eq!(fresh.get("/api/v1/users/me").await.expect(200)["id"], id);

    server.admin.delete(&path).await.expect_problem(409, "conflict", None);
    fresh.delete_cluster(cluster["id"].as_i64().expect("id")).await;
    assert_eq!(server.admin.delete(&path).await.status, 204);
    fresh.get("/api/v1/users/me").await.expect_problem(401, "unauthenticated", None);
    server.admin.delete(&path).await.expect_problem(404, "not_found", None);
}

#[tokio::test]
async fn a_viewer_only_looks() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (_, viewer) = server.admin.user_with(json!({"quota_cpu": 4, "quota_memory": 4, "role": "viewer"})).await;
    let body = json!({"name": "x", "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
    viewer.post("/api/v1/clusters", &body).await.expect_problem(403, "forbidden", None);
    viewer.operate(1, "stop").await.expect_problem(403, "forbidden", None);
    viewer.delete("/api/v1/clusters/1").await.expect_problem(403, "forbidden", None);
    viewer.get("/api/v1/clusters").await.expect(200);
}

#[tokio::test]
async fn the_last_admin_stays() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    for change in [json!({"disabled": true}), json!({"role": "user"})] {
        server.admin.patch("/api/v1/users/1", &change).await.expect_problem(409, "conflict", None);
    }
    server.admin.delete("/api/v1/users/1").await.expect_problem(409, "conflict", None);
    let (_, second) = server.admin.user_with(json!({"quota_cpu": 1, "quota_memory": 1, "role": "admin"})).await;
    second.patch("/api/v1/users/1", &json!({"role": "user"})).await.expect(200);
    server.admin.get("/api/v1/users").await.expect_problem(403, "forbidden", None);
}

#[tokio::test]
async fn an_admin_sees_everybodys_and_the_trail_of_what_was_done() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (owner, user) = server.admin.user_with(json!({"quota_cpu": 4, "quota_memory": 4})).await;
    let cluster = user.cluster(&unique("seen"), "container", 1).await;
    let id = cluster["id"].as_i64().expect("id");
    assert_eq!(server.admin.detail(id).await["owner_id"], owner);
    let filtered = server.admin.get(&format!("/api/v1/clusters?owner={owner}")).await.expect(200);
    assert_eq!(filtered.as_array().map(Vec::len), Some(1));
    assert_eq!(server.admin.get("/api/v1/clusters?owner=1").await.expect(200), json!([]));
    server.admin.operate(instance_ids(&cluster)[0], "stop").await.expect(200);
    let trail = server.admin.get("/api/v1/audit?limit=3").await.expect(200);
    let actions: Vec<_> = trail.as_array().expect("an array").iter().map(|entry| entry["action"].as_str().expect("an action")).collect();
    assert_eq!(actions, ["instance.stop", "cluster.create", "user.create"]);
    assert_eq!((trail[0]["actor_id"].as_i64(), trail[1]["actor_id"].as_i64()), (Some(1), Some(owner)));
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn tokens_are_nowhere_in_the_clear() {
    use sea_orm::{ConnectionTrait, Statement};
    let (server, database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let canary = user.token.clone().expect("a token");
    user.get("/api/v1/users/me").await.expect(200);
    let metrics = server.operator.get("/metrics").await.text;
    let raw = database.raw().await;
    let mut dump = String::new();
    for table in ["users", "credentials", "clusters", "instances", "audit", "idempotency"] {
        for row in raw.query_all_raw(Statement::from_string(raw.get_database_backend(), format!("SELECT * FROM {table}"))).await.expect("reads") {
            for column in row.column_names() {
                dump.push_str(&row.try_get::<Option<String>>("", &column).ok().flatten().unwrap_or_default());
                dump.push('\n');
            }
        }
    }
    let me = user.get("/api/v1/users/me").await.expect(200);
    assert!(dump.contains(me["username"].as_str().expect("a name")), "what is stored is in the dump");
    for (place, text) in [("log", server.log()), ("metrics", metrics), ("database", dump)] {
        assert!(!text.is_empty() && !text.contains(&canary), "the token stands in the {place}");
    }
}
