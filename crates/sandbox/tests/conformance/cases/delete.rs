//! Delete: what is answered, preconditions, finalizers, propagation.

use serde_json::json;

use crate::harness::cases;

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";

cases! {
    config_map: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).await;
        t.delete(MAP).await;
    }
    uid_precondition: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a"}})).quiet().await;
        t.delete(MAP).json(json!({"preconditions": {"uid": "0b2e7c0a-9f0e-4c3b-8c3e-1f2a3b4c5d6e"}})).await;
    }
    finalizer_holds: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}})).quiet().await;
        t.delete(MAP).await;
        t.patch("json", MAP, json!([{"op": "remove", "path": "/metadata/finalizers"}])).await;
        t.get(MAP).await;
    }
}
