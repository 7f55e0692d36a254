//! Watch: the events of a change, from a version on, and what cannot be watched.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";

cases! {
    life_of_an_object: |t| {
        let list = t.get(MAPS).quiet().await.body;
        let from = list["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}})).quiet().await;
        t.patch("merge", &format!("{MAPS}/a"), json!({"data": {"k": "v"}})).quiet().await;
        t.delete(&format!("{MAPS}/a")).quiet().await;
        t.hide(&from, "<from>");
        t.watch(&format!("{MAPS}?watch=true&resourceVersion={from}"), 3).await;
    }
    leaving_and_entering_a_selector: |t| {
        let list = t.get(MAPS).quiet().await.body;
        let from = list["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}})).quiet().await;
        t.patch("merge", &format!("{MAPS}/a"), json!({"metadata": {"labels": {"x": "z"}}})).quiet().await;
        t.patch("merge", &format!("{MAPS}/a"), json!({"metadata": {"labels": {"x": "y"}}})).quiet().await;
        t.hide(&from, "<from>");
        t.watch(&format!("{MAPS}?watch=true&labelSelector=x%3Dy&resourceVersion={from}"), 3).await;
    }
}
