//! Who asks: tokens, reviews of one's own rights.

use serde_json::json;

use crate::harness::cases;

cases! {
    wrong_token: |t| {
        t.get("/api/v1/namespaces/{ns}/configmaps").by_stranger().await;
    }
    wrong_token_on_a_write: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "a"}})).by_stranger().await;
    }
    wrong_token_on_discovery: |t| {
        t.get("/apis").by_stranger().await;
    }
    health_without_a_token: |t| {
        for path in ["/livez", "/readyz", "/healthz"] {
            t.get(path).by_nobody().await;
        }
    }
    may_i: |t| {
        let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": "{ns}", "verb": "create", "resource": "pods"}}});
        t.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review).only(&["/kind", "/spec", "/status/allowed"]).await;
    }
    review_cannot_be_read: |t| {
        t.get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").await;
    }
}
