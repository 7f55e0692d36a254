//! Update: versions, identity, what cannot be changed.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";

cases! {
    replaces: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "1"}})).quiet().await;
        t.put(MAP, json!({"metadata": {"name": "a"}, "data": {"l": "2"}})).with_managed_fields().await;
    }
    stale_version: |t| {
        let old = t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await.body;
        t.patch("merge", MAP, json!({"data": {"k": "1"}})).quiet().await;
        t.put(MAP, old).await;
    }
    missing: |t| {
        t.put(MAP, json!({"metadata": {"name": "a"}})).await;
    }
}
