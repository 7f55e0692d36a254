//! Watches: where they resume, how they end, what they outlive. `kube_rs.rs` has those of kube-rs in all its modes.

use std::time::Duration;

use crate::support::{DEADLINE, config_map, names, namespace, refused, start, start_in};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, PostParams, VersionMatch, WatchEvent, WatchParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

fn labelled(name: &str, label: &str) -> ConfigMap {
    let mut map = config_map(name, json!({}));
    map.labels_mut().insert("colour".to_owned(), label.to_owned());
    map
}

async fn colours(client: &Client) -> Api<ConfigMap> {
    namespace(client, "a").await;
    Api::namespaced(client.clone(), "a")
}

#[tokio::test]
async fn a_watch_resumes_where_it_was_and_ends_in_time() {
    let (_sandbox, client) = start().await;
    let api = colours(&client).await;
    let from = api.create(&PostParams::default(), &labelled("c1", "red")).await.expect("created").resource_version().expect("a version");
    api.create(&PostParams::default(), &labelled("c2", "red")).await.expect("created");
    api.delete("c1", &DeleteParams::default()).await.expect("deleted");
    let params = WatchParams::default().labels("colour=red").timeout(1);
    let events: Vec<_> = api.watch(&params, &from).await.expect("a watch").try_collect().await.expect("events");
    let told: Vec<String> = events
        .iter()
        .map(|e| match e {
            WatchEvent::Added(m) => format!("added {}", m.name_any()),
            WatchEvent::Deleted(m) => format!("deleted {}", m.name_any()),
            WatchEvent::Bookmark(_) => "bookmark".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["added c2", "deleted c1", "bookmark"]);
    let WatchEvent::Deleted(gone) = &events[1] else { panic!("a deletion") };
    let number = |version: &str| version.parse::<u64>().expect("a number");
    assert!(number(&gone.resource_version().expect("a version")) > number(&from));
}

#[tokio::test]
async fn a_version_that_is_too_old_is_an_error_in_the_stream_and_the_watcher_lists_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sandbox, client) = start_in(dir.path()).await;
    let api = colours(&client).await;
    for n in 1..4 {
        api.create(&PostParams::default(), &labelled(&format!("c{n}"), "red")).await.expect("created");
    }
    let page = api.list(&ListParams::default().labels("colour").limit(1)).await.expect("a page").metadata;
    // The next change makes the page's version one of the past, which no process remembers of another.
    api.create(&PostParams::default(), &labelled("c4", "red")).await.expect("created");
    sandbox.shutdown().await;
    let (_sandbox, client) = start_in(dir.path()).await;
    let api: Api<ConfigMap> = Api::namespaced(client, "a");
    let former = ListParams::default().at(&page.resource_version.expect("a version")).matching(VersionMatch::Exact);
    let next = ListParams::default().labels("colour").continue_token(&page.continue_.expect("a token"));
    let Err(kube::Error::Api(expired)) = api.list(&next).await else { panic!("a refusal") };
    assert_eq!((expired.code, expired.reason.as_str()), (410, "Expired"));
    let goes_on = expired.metadata.and_then(|m| m.continue_).expect("a token that goes on");
    let rest = api.list(&ListParams::default().labels("colour").continue_token(&goes_on)).await.expect("the rest");
    assert_eq!(names(rest.items), ["c2", "c3", "c4"]);
    let (code, reason, message) = refused(api.list(&former).await);
    assert_eq!((code, reason.as_str(), message.as_str()), (410, "Expired", "The resourceVersion for the provided list is too old."));
    let mut stream = api.watch(&WatchParams::default(), "3").await.expect("HTTP 200").boxed();
    match tokio::time::timeout(DEADLINE, stream.try_next()).await.expect("in time").expect("an event") {
        Some(WatchEvent::Error(status)) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("not an error: {other:?}"),
    }
    assert!(stream.try_next().await.expect("the end").is_none());
}

#[tokio::test]
async fn a_watcher_outlives_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sandbox, client) = start_in(dir.path()).await;
    let api = colours(&client).await;
    api.create(&PostParams::default(), &labelled("c1", "red")).await.expect("created");
    let mut events = watcher(api.clone(), watcher::Config::default().labels("colour")).default_backoff().boxed();
    let mut after_restart = false;
    let mut running = Some(sandbox);
    let mut again = None;
    let run = async {
        while let Some(event) = events.next().await {
            match event {
                Ok(watcher::Event::InitDone) if !after_restart => {
                    if let Some(sandbox) = running.take() {
                        sandbox.shutdown().await;
                        let (sandbox, client) = start_in(dir.path()).await;
                        let api: Api<ConfigMap> = Api::namespaced(client, "a");
                        api.create(&PostParams::default(), &labelled("c2", "red")).await.expect("created");
                        again = Some(sandbox);
                        after_restart = true;
                    }
                }
                Ok(watcher::Event::Apply(map) | watcher::Event::InitApply(map)) if map.name_any() == "c2" => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE + Duration::from_secs(10), run).await.expect("the new object is seen");
}
