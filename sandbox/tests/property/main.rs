//! Random operations through two clients at once; meanwhile watchers of every sort keep a view each. At every version
//! a view must be what a list shows: lists taken while it happened, and lists of former versions taken afterwards.
//!
//! `SANDBOX_SEED=N` draws the same operations, watchers and interruptions again.

mod operation;
#[path = "../support/mod.rs"]
mod support;
mod view;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join_all, join3};
use kube::Client;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::watch;

use operation::Operation;
use support::{DEADLINE, client, namespace, start};
use view::{Start, View};

const STEPS: usize = 60;

/// Name within namespace, and the object.
type Objects = BTreeMap<(String, String), Value>;

/// What a list or a watch is about.
#[derive(Debug, Clone, Copy)]
struct Scope {
    namespace: &'static str,
    labels: &'static str,
    field: &'static str,
}

const SCOPES: [Scope; 6] = [
    Scope { namespace: "", labels: "", field: "" },
    Scope { namespace: "a", labels: "", field: "" },
    Scope { namespace: "", labels: "colour=red", field: "" },
    Scope { namespace: "a-b", labels: "colour notin (red),colour", field: "" },
    Scope { namespace: "", labels: "!colour", field: "" },
    Scope { namespace: "", labels: "", field: "metadata.name=w3" },
];

impl Scope {
    fn path(&self, query: &str) -> String {
        let within = if self.namespace.is_empty() { String::new() } else { format!("/namespaces/{}", self.namespace) };
        let encoded = |text: &str| text.replace(' ', "%20").replace('=', "%3D");
        format!("/apis/example.com/v1{within}/widgets?labelSelector={}&fieldSelector={}&{query}", encoded(self.labels), encoded(self.field))
    }

    /// The same, judged here and not there.
    fn holds(&self, key: &(String, String), object: &Value) -> bool {
        let colour = object["metadata"]["labels"]["colour"].as_str();
        let labelled = match self.labels {
            "" => true,
            "colour=red" => colour == Some("red"),
            "!colour" => colour.is_none(),
            _ => colour.is_some_and(|c| c != "red"),
        };
        labelled && (self.namespace.is_empty() || self.namespace == key.0) && (self.field.is_empty() || key.1 == "w3")
    }
}

async fn get(client: &Client, path: &str) -> Value {
    client.request(http::Request::get(path).body(Vec::new()).expect("a request")).await.unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn version(of: &Value) -> u64 {
    of["metadata"]["resourceVersion"].as_str().and_then(|v| v.parse().ok()).expect("a version")
}

fn key(object: &Value) -> (String, String) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    (text("namespace"), text("name"))
}

/// Items may omit what the list says of all of them.
fn objects(list: &Value) -> Objects {
    let items = list["items"].as_array().expect("items").iter().cloned();
    items.map(|item| (key(&item), typed(item))).collect()
}

fn typed(mut object: Value) -> Value {
    object["kind"] = json!("Widget");
    object["apiVersion"] = json!("example.com/v1");
    object
}

/// A list in pages of a few.
async fn pages(client: &Client, scope: Scope, limit: usize) -> (u64, Objects) {
    let (mut all, mut token) = (Objects::new(), String::new());
    loop {
        let page = get(client, &scope.path(&format!("limit={limit}&continue={token}"))).await;
        let before = all.len();
        all.extend(objects(&page));
        assert!(all.len() <= before + limit, "a page is no longer than asked");
        match page["metadata"]["continue"].as_str() {
            Some(next) if !next.is_empty() => token = next.to_owned(),
            _ => return (version(&page), all),
        }
    }
}

async fn define(client: &Client) {
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    let request = http::Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").header("content-type", "application/json");
    client.request::<Value>(request.body(crd.to_string().into_bytes()).expect("a request")).await.expect("defined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_view_is_what_a_list_shows_at_every_version() {
    let seed = std::env::var("SANDBOX_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| rand::rng().random_range(0..1_000_000u64));
    println!("SANDBOX_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let (sandbox, one) = start().await;
    let other = client(sandbox.kubeconfig()).await;
    define(&one).await;
    for name in ["a", "a-b"] {
        namespace(&one, name).await;
    }
    for _ in 0..10 {
        Operation::draw(&mut random).run(&one).await;
    }
    let beginning = version(&get(&one, &SCOPES[0].path("")).await);

    let (end, ended) = watch::channel(None);
    let watchers = SCOPES.iter().flat_map(|scope| Start::ALL.map(|start| (*scope, start)));
    let watchers: Vec<_> = watchers
        .map(|(scope, start)| {
            let view = View::new(scope, start, beginning, random.random());
            tokio::spawn(tokio::time::timeout(DEADLINE, view.follow(one.clone(), ended.clone())))
        })
        .collect();

    let mut lists: Vec<(u64, Objects)> = Vec::new();
    for step in 0..STEPS {
        let (here, there) = (Operation::draw(&mut random), Operation::draw(&mut random));
        let (scope, limit) = (SCOPES[step % SCOPES.len()], random.random_range(1..5));
        let ((), (), (seen, shown)) = join3(here.run(&one), there.run(&other), pages(&other, scope, limit)).await;
        let exact = get(&one, &scope.path(&format!("resourceVersion={seen}&resourceVersionMatch=Exact"))).await;
        assert_eq!(objects(&exact), shown, "the pages of a list are the list at its version {seen} ({scope:?})");
        let whole = get(&one, &SCOPES[0].path("")).await;
        lists.push((version(&whole), objects(&whole)));
    }
    let last = lists.last().expect("lists").0;
    end.send(Some(last)).expect("watchers");
    let views = tokio::time::timeout(DEADLINE + Duration::from_secs(5), join_all(watchers)).await.expect("in time");
    for view in views {
        let view = view.expect("no panic").expect("a view that ends in time");
        let mut compared = 0;
        for (at, shown) in lists.iter().filter(|(at, _)| *at <= last) {
            let Some(seen) = view.at(*at) else { continue };
            let wanted: Objects = shown.iter().filter(|(key, object)| view.scope.holds(key, object)).map(|(k, v)| (k.clone(), v.clone())).collect();
            assert_eq!(*seen, wanted, "{view:?} at version {at}, against a list of that time");
            compared += 1;
        }
        let least = if view.start == Start::Any { 1 } else { STEPS / 2 };
        assert!(compared >= least, "{view:?} was compared with {compared} lists");
        for (at, seen) in view.history.iter().step_by(4) {
            let path = view.scope.path(&format!("resourceVersion={at}&resourceVersionMatch=Exact"));
            assert_eq!(*seen, objects(&get(&one, &path).await), "{view:?} at version {at}, against a list of that version");
        }
    }
}
