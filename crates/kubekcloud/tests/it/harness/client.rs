//! A caller of the API.

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::eventually;

/// Somebody with (or without) a token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    http: reqwest::Client,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text))
    }

    /// Asserts the status and answers the JSON.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Asserts a problem document with this status; with this code; about this field, if one is named.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str, field: Option<&str>) -> Value {
        let content_type = self.headers.get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let problem = self.expect(status);
        assert_eq!(content_type, "application/problem+json", "{problem}");
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        for key in ["type", "title", "detail", "request_id"] {
            assert!(problem[key].as_str().is_some_and(|s| !s.is_empty()), "{key} is missing: {problem}");
        }
        if let Some(field) = field {
            let named = problem["errors"].as_array().is_some_and(|errors| errors.iter().any(|e| e["field"] == field));
            assert!(named, "{field} is not named: {problem}");
        }
        problem
    }
}

impl Client {
    pub(crate) fn new(url: &str, token: Option<&str>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { url: url.to_owned(), token: token.map(str::to_owned), http: reqwest::Client::new() }
    }

    /// The same server, another token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        self.try_send(method, path, headers, body).await.unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(crate) async fn try_send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    async fn with_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("content-type", "application/json")], Some(body.to_string().into_bytes())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.with_json(Method::POST, path, body).await
    }

    /// POST without a body.
    pub(crate) async fn post_empty(&self, path: &str) -> Answer {
        self.send(Method::POST, path, &[], None).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.with_json(Method::PATCH, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Creates a user and answers a client of theirs.
    pub(crate) async fn user(&self, cpu: u32, memory: u32) -> Self {
        self.user_with(json!({"quota_cpu": cpu, "quota_memory": memory, "quota_storage": 100})).await.1
    }

    /// Creates a user with more said; answers the id too.
    pub(crate) async fn user_with(&self, mut more: Value) -> (i64, Self) {
        let token = super::unique("token-of-somebody");
        more["username"] = json!(super::unique("user"));
        more["token"] = json!(token);
        let user = self.post("/api/v1/users/", &more).await.expect(201);
        (user["id"].as_i64().expect("an id"), self.with_token(&token))
    }

    /// Creates a cluster of 1 CPU, 1 GiB instances and waits for it to run. A control plane that was started a moment ago
    /// takes its time to count VMs.
    pub(crate) async fn cluster(&self, name: &str, kind: &str, count: u32) -> Value {
        let body = json!({"name": name, "instance_type": kind, "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": count});
        let created = self.post("/api/v1/clusters?wait=60", &body).await.expect(201);
        self.settled(created["id"].as_i64().expect("an id"), "running").await
    }

    /// A cluster's detail.
    pub(crate) async fn detail(&self, id: i64) -> Value {
        self.get(&format!("/api/v1/clusters/{id}")).await.expect(200)
    }

    /// Does something to an instance.
    pub(crate) async fn operate(&self, id: i64, operation: &str) -> Answer {
        self.post(&format!("/api/v1/instances/{id}/operate"), &json!({"operation": operation})).await
    }

    /// The same, asked again until it has settled: on a busy node that takes longer than one answer waits.
    pub(crate) async fn operate_to_end(&self, id: i64, operation: &str) -> Answer {
        eventually(&format!("{operation} of instance {id} settles"), 120, || async {
            let answer = self.operate(id, operation).await;
            (answer.status != 202).then_some(answer)
        })
        .await
    }

    /// Waits for a cluster to be in this status.
    pub(crate) async fn settled(&self, id: i64, status: &str) -> Value {
        eventually(&format!("cluster {id} is {status}"), 60, || async {
            let detail = self.detail(id).await;
            (detail["status"] == status).then_some(detail)
        })
        .await
    }

    /// Deletes a cluster and waits until it is gone.
    pub(crate) async fn delete_cluster(&self, id: i64) {
        let path = format!("/api/v1/clusters/{id}");
        self.delete(&path).await.expect(202);
        eventually(&format!("cluster {id} is gone"), 90, || async { (self.get(&path).await.status == 404).then_some(()) }).await;
    }

    /// `(used_cpu, used_memory)`.
    pub(crate) async fn used(&self) -> (f64, f64) {
        let quota = self.get("/api/v1/users/me/quota").await.expect(200);
        (quota["used_cpu"].as_f64().expect("a number"), quota["used_memory"].as_f64().expect("a number"))
    }
}

/// Ids of a cluster's instances, in order.
pub(crate) fn instance_ids(detail: &Value) -> Vec<i64> {
    detail["instances"].as_array().expect("instances").iter().map(|i| i["id"].as_i64().expect("an id")).collect()
}
