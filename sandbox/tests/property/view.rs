//! A watcher: how it starts, when it is interrupted, and what it has seen.

use std::fmt;

use futures::{AsyncBufReadExt, TryStreamExt};
use kube::Client;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tokio::sync::watch;

use super::{Objects, Scope, get, key, objects, typed, version};

/// How a watcher comes to its first view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Start {
    /// A watch of version 0: what is there comes first.
    Any,
    /// A list of the present, and a watch from its version.
    List,
    /// A list of a version in the past, and a watch from it.
    Past,
    /// A streaming list.
    Stream,
}

impl Start {
    pub(crate) const ALL: [Start; 4] = [Start::Any, Start::List, Start::Past, Start::Stream];
}

/// What a watcher has seen.
pub(crate) struct View {
    pub(crate) scope: Scope,
    /// The view after each event, by its version.
    pub(crate) history: Vec<(u64, Objects)>,
    pub(crate) start: Start,
    beginning: u64,
    random: StdRng,
    now: Objects,
    /// Everything up to this version has been seen.
    upto: u64,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a watcher of {:?}, started by {:?}", self.scope, self.start)
    }
}

impl View {
    pub(crate) fn new(scope: Scope, start: Start, beginning: u64, seed: u64) -> Self {
        View { scope, start, beginning, history: Vec::new(), random: StdRng::seed_from_u64(seed), now: Objects::new(), upto: 0 }
    }

    /// The view at a version; `None` when the watcher came later.
    pub(crate) fn at(&self, version: u64) -> Option<&Objects> {
        let after = self.history.partition_point(|(at, _)| *at <= version);
        self.history.get(after.checked_sub(1)?).map(|(_, seen)| seen)
    }

    /// Watches until everything up to the version that ends it has been seen, and interrupts itself now and then.
    pub(crate) async fn follow(mut self, client: Client, mut end: watch::Receiver<Option<u64>>) -> Self {
        self.begin(&client).await;
        loop {
            let query = match self.upto {
                0 if self.start == Start::Stream => "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan".to_owned(),
                0 => "watch=1&resourceVersion=0".to_owned(),
                version => format!("watch=1&resourceVersion={version}"),
            };
            // Without a change the bookmark at its end tells a watch how far it came.
            let query = format!("{query}&allowWatchBookmarks=true&timeoutSeconds=1");
            self.watch(&client, &query).await;
            if end.borrow_and_update().is_some_and(|end| self.upto >= end) {
                return self;
            }
        }
    }

    async fn begin(&mut self, client: &Client) {
        let query = match self.start {
            Start::Any | Start::Stream => return,
            Start::List => String::new(),
            Start::Past => format!("resourceVersion={}&resourceVersionMatch=Exact", self.beginning),
        };
        let list = get(client, &self.scope.path(&query)).await;
        self.now = objects(&list);
        self.upto = version(&list);
        self.history.push((self.upto, self.now.clone()));
    }

    /// One watch, up to its end or an interruption.
    async fn watch(&mut self, client: &Client, query: &str) {
        let request = http::Request::get(self.scope.path(query)).body(Vec::new()).expect("a request");
        let mut lines = client.request_stream(request).await.expect("a watch").lines();
        let mut first_part = self.upto == 0;
        let mut objects_left = self.random.random_range(1..30);
        while let Some(line) = lines.try_next().await.expect("a line") {
            let event: Value = serde_json::from_str(&line).expect("JSON");
            let (kind, object) = (event["type"].as_str().expect("a type"), typed(event["object"].clone()));
            let at = version(&object);
            if kind == "BOOKMARK" {
                assert!(at >= self.upto, "{self:?}: a bookmark goes forward");
                self.seen(at);
                first_part = false;
                continue;
            }
            // Where the first part of a plain watch ends, nothing says before the first change of something.
            if first_part && kind != "ADDED" {
                assert_eq!(self.start, Start::Any, "{self:?}: {kind} before the bookmark");
                first_part = false;
            }
            self.apply(kind, object);
            if !first_part {
                assert!(at > self.upto, "{self:?}: version {at} after {}", self.upto);
                self.seen(at);
            }
            objects_left -= 1;
            if objects_left == 0 && !first_part {
                return;
            }
        }
    }

    fn apply(&mut self, kind: &str, object: Value) {
        let key = key(&object);
        assert!(self.scope.holds(&key, &object), "{self:?}: {kind} of an object that is not selected: {object}");
        match (kind, self.now.contains_key(&key)) {
            ("ADDED", false) | ("MODIFIED", true) => drop(self.now.insert(key, object)),
            ("DELETED", true) => drop(self.now.remove(&key)),
            (kind, there) => panic!("{self:?}: {kind} of {key:?}, which is {}there", if there { "" } else { "not " }),
        }
    }

    fn seen(&mut self, version: u64) {
        self.upto = version;
        self.history.push((version, self.now.clone()));
    }
}
