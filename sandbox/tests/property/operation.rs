//! What a client does, drawn at random.

use kube::Client;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// One request; which object and how is in it.
#[derive(Debug)]
pub(crate) struct Operation {
    method: &'static str,
    path: String,
    body: Value,
    /// The object is read first and sent whole, with a new spec.
    whole: bool,
}

const COLOURS: [Option<&str>; 3] = [None, Some("red"), Some("blue")];

impl Operation {
    pub(crate) fn draw(random: &mut StdRng) -> Self {
        let namespace = ["a", "a-b"][random.random_range(0..2)];
        let name = format!("w{}", random.random_range(0..8));
        let all = format!("/apis/example.com/v1/namespaces/{namespace}/widgets");
        let one = format!("{all}/{name}");
        let colour = COLOURS[random.random_range(0..COLOURS.len())];
        let size = random.random_range(0..4);
        let finalizers = if random.random_bool(0.2) { json!(["example.com/hold"]) } else { Value::Null };
        let new = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name, "labels": {"colour": colour}, "finalizers": finalizers},
            "spec": {"size": size}});
        let operation = |method, path: &str, body| Operation { method, path: path.to_owned(), body, whole: false };
        match random.random_range(0..100) {
            0..35 => operation("POST", &all, new),
            35..38 => operation("POST", &format!("{all}?dryRun=All"), new),
            38..48 => Operation { whole: true, ..operation("PUT", &one, json!({"spec": {"size": size}})) },
            // Often the label that it has already: no change, no event.
            48..65 => operation("PATCH", &one, json!({"metadata": {"labels": {"colour": colour}}})),
            65..73 => operation("PATCH", &format!("{one}/status"), json!({"status": {"size": size}})),
            73..80 => operation("PATCH", &one, json!({"metadata": {"finalizers": finalizers}})),
            80..97 => operation("DELETE", &one, Value::Null),
            _ => operation("DELETE", &format!("{all}?labelSelector=colour%3D{}", colour.unwrap_or("red")), Value::Null),
        }
    }

    /// Carries it out; that somebody was faster, or that there is nothing to change, is fine.
    pub(crate) async fn run(self, client: &Client) {
        let mut body = self.body.clone();
        if self.whole {
            let Some(mut live) = self.send(client, "GET", &Value::Null).await else { return };
            live["spec"] = body["spec"].take();
            body = live;
        }
        self.send(client, self.method, &body).await;
    }

    async fn send(&self, client: &Client, method: &str, body: &Value) -> Option<Value> {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(&self.path).header("content-type", kind);
        match client.request(request.body(bytes).expect("a request")).await {
            Ok(answer) => Some(answer),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409 | 422) => None,
            Err(e) => panic!("{self:?}: {e}"),
        }
    }
}
