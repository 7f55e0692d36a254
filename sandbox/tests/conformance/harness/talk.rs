//! One case's talk with a server: requests go out, normalized answers are collected.

use std::time::Duration;

use kube::Client;
use rand::Rng;
use serde_json::{Value, json};

use super::call::{self, Call};
use super::normal::Normal;
use super::server::Server;

/// In paths and bodies `{ns}` is the case's namespace, and `{u}` makes a name unique where there are no namespaces.
pub(crate) struct Talk {
    pub(super) client: Client,
    pub(super) stranger: Client,
    pub(super) anonymous: Client,
    pub(super) normal: Normal,
    pub(super) steps: Vec<Value>,
    clean: Vec<String>,
}

impl Talk {
    pub(super) async fn begin(server: &Server) -> Talk {
        let unique: String = rand::rng().sample_iter(rand::distr::Alphabetic).take(8).map(|b| char::from(b).to_ascii_lowercase()).collect();
        let mut talk = Talk {
            client: server.client().await,
            stranger: server.client_with_token(Some("wrong")).await,
            anonymous: server.client_with_token(None).await,
            normal: Normal::new(&unique),
            steps: vec![],
            clean: vec!["/api/v1/namespaces/{ns}".to_owned()],
        };
        talk.post("/api/v1/namespaces", json!({"metadata": {"name": "{ns}"}})).quiet().await;
        for furniture in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
            talk.until(&format!("/api/v1/namespaces/{{ns}}/{furniture}"), |object| object["kind"] != "Status").await;
        }
        talk
    }

    /// Cleans up and hands out what was said.
    pub(super) async fn end(&mut self) -> Value {
        for path in std::mem::take(&mut self.clean) {
            self.delete(&path).quiet().any().await;
        }
        Value::Array(std::mem::take(&mut self.steps))
    }

    /// Deletes this too at the end.
    pub(crate) fn clean(&mut self, path: &str) {
        self.clean.push(path.to_owned());
    }

    pub(crate) fn get(&mut self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&mut self, path: &str, body: Value) -> Call<'_> {
        self.call("POST", path).json(body)
    }

    pub(crate) fn put(&mut self, path: &str, body: Value) -> Call<'_> {
        self.call("PUT", path).json(body)
    }

    /// `how`: `json`, `merge`, `strategic` or `apply`.
    pub(crate) fn patch(&mut self, how: &str, path: &str, body: Value) -> Call<'_> {
        let content_type = match how {
            "json" => "application/json-patch+json",
            "merge" => "application/merge-patch+json",
            "strategic" => "application/strategic-merge-patch+json",
            "apply" => "application/apply-patch+yaml",
            other => panic!("no patch is called {other}"),
        };
        self.call("PATCH", path).json(body).content_type(content_type)
    }

    pub(crate) fn delete(&mut self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    pub(crate) fn call(&mut self, method: &'static str, path: &str) -> Call<'_> {
        Call::new(self, method, path)
    }

    /// Shows `text` as `shown` from now on.
    pub(crate) fn hide(&mut self, text: &str, shown: &str) {
        self.normal.hide(text, shown);
    }

    /// Puts something that was derived from answers into the transcript.
    pub(crate) fn note(&mut self, what: &str, value: Value) {
        let value = self.normal.value(value, true);
        self.steps.push(json!({"note": what, "value": value}));
    }

    /// Reads, unrecorded, until the object is as wanted. A missing one is a `Status`.
    pub(crate) async fn until(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let object = self.get(path).quiet().any().await.body;
            if wanted(&object) {
                return object;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Reads, unrecorded, until a text is as wanted.
    pub(crate) async fn until_log(&mut self, path: &str, wanted: impl Fn(&str) -> bool) {
        loop {
            let text = self.get(path).quiet().any().await.text;
            if wanted(&text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Watches and records `count` events other than bookmarks.
    pub(crate) async fn watch(&mut self, path: &str, count: usize) -> Vec<Value> {
        call::watch(self, path, count).await
    }

    /// Watches for a second, unrecorded: the events since the version in the path, and whatever follows.
    pub(crate) async fn history(&mut self, path: &str) -> Vec<Value> {
        let events = call::watch(self, &format!("{path}&timeoutSeconds=1"), usize::MAX).await;
        self.steps.pop();
        events
    }
}
