//! List: selectors, pages, versions.

use serde_json::json;

use crate::harness::{Talk, cases};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";

/// Three of them, with labels.
async fn three(t: &mut Talk) {
    for (name, tier) in [("a", "web"), ("b", "db"), ("c", "web")] {
        t.post(MAPS, json!({"metadata": {"name": name, "labels": {"tier": tier, "own": "yes"}}})).quiet().await;
    }
}

cases! {
    by_label: |t| {
        three(t).await;
        for selector in ["tier=web", "tier!=web,own", "tier in (db,x)", "tier notin (db),own=yes", "!tier,own", "own,tier==db"] {
            let selector = selector.replace(' ', "%20");
            t.get(&format!("{MAPS}?labelSelector={selector}")).only(&["/kind", "/items/0/metadata/name", "/items/1/metadata/name", "/items/2"]).await;
        }
    }
    label_selector_invalid: |t| {
        for selector in ["a%20b", "=x", "a=b%20c", "a%20in", "a%20in%20x", "a=-x-", "-a=x", "a%3Eb", "a,,b"] {
            t.get(&format!("{MAPS}?labelSelector={selector}")).await;
        }
    }
    by_field: |t| {
        three(t).await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.name=b")).only(&["/items/0/metadata/name", "/items/1"]).await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.name!=b&labelSelector=own")).only(&["/items/0/metadata/name", "/items/2"]).await;
        t.get(&format!("{MAPS}?fieldSelector=metadata.namespace={{ns}},metadata.name=c")).only(&["/items/0/metadata/name", "/items/1"]).await;
    }
    field_selector_invalid: |t| {
        for selector in ["spec.nonsense=1", "metadata.name", "metadata.name~x", "metadata.labels.a=x"] {
            t.get(&format!("{MAPS}?fieldSelector={selector}")).await;
        }
        t.get("/api/v1/namespaces/{ns}/pods?fieldSelector=spec.nonsense=1").await;
        t.get("/apis/apps/v1/namespaces/{ns}/deployments?fieldSelector=spec.replicas=1").await;
    }
    secrets_by_type: |t| {
        t.post("/api/v1/namespaces/{ns}/secrets", json!({"metadata": {"name": "a"}, "type": "example.com/own"})).quiet().await;
        t.get("/api/v1/namespaces/{ns}/secrets?fieldSelector=type=example.com/own").await;
    }
    empty: |t| {
        t.get("/apis/apps/v1/namespaces/{ns}/deployments").await;
    }
    of_a_namespace_that_is_missing: |t| {
        t.get("/api/v1/namespaces/missing-{u}/configmaps").await;
    }
    pages: |t| {
        three(t).await;
        let first = t.get(&format!("{MAPS}?limit=2")).only(&["/metadata", "/items/0/metadata/name", "/items/1/metadata/name", "/items/2"]).await.body;
        let token = first["metadata"]["continue"].as_str().expect("a token").to_owned();
        t.hide(&token, "<continue>");
        t.get(&format!("{MAPS}?limit=2&continue={token}")).only(&["/metadata", "/items/0/metadata/name", "/items/1/metadata/name", "/items/2"]).await;
    }
    pages_of_a_selection: |t| {
        three(t).await;
        t.get(&format!("{MAPS}?limit=1&labelSelector=tier%3Dweb")).only(&["/metadata", "/items/0/metadata/name", "/items/1"]).await;
    }
    continue_token_invalid: |t| {
        t.get(&format!("{MAPS}?limit=2&continue=nonsense")).await;
    }
    limit_invalid: |t| {
        t.get(&format!("{MAPS}?limit=x")).await;
        t.get(&format!("{MAPS}?limit=-1&labelSelector=own")).await;
    }
    version_invalid: |t| {
        t.get(&format!("{MAPS}?resourceVersion=x")).await;
    }
    version_match_without_a_version: |t| {
        t.get(&format!("{MAPS}?resourceVersionMatch=Exact")).await;
        t.get(&format!("{MAPS}?resourceVersionMatch=NotOlderThan")).await;
    }
    version_match_invalid: |t| {
        t.get(&format!("{MAPS}?resourceVersion=1&resourceVersionMatch=Some")).await;
        t.get(&format!("{MAPS}?resourceVersion=0&resourceVersionMatch=Exact")).await;
    }
    version_match_on_one: |t| {
        t.get("/api/v1/namespaces/{ns}").only(&["/kind"]).await;
        t.get("/api/v1/namespaces/{ns}?resourceVersion=0").only(&["/kind"]).await;
    }
    any_version: |t| {
        three(t).await;
        t.until(&format!("{MAPS}?resourceVersion=0&labelSelector=own"), |list| list["items"].as_array().is_some_and(|i| i.len() == 3)).await;
        t.get(&format!("{MAPS}?resourceVersion=0&labelSelector=own")).only(&["/items/2/metadata/name"]).await;
        t.get(&format!("{MAPS}?resourceVersion=1&resourceVersionMatch=NotOlderThan&labelSelector=own")).only(&["/items/2/metadata/name"]).await;
    }
    send_initial_events_without_a_watch: |t| {
        t.get(&format!("{MAPS}?sendInitialEvents=true")).await;
    }
    all_namespaces: |t| {
        three(t).await;
        t.get("/api/v1/configmaps?fieldSelector=metadata.namespace={ns},metadata.name=a").await;
    }
}
