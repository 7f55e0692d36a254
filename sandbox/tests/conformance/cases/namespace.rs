//! Namespaces: what they carry, and their end.

use serde_json::json;

use crate::harness::cases;

const NAMESPACES: &str = "/api/v1/namespaces";
const OTHER: &str = "/api/v1/namespaces/other-{u}";

cases! {
    created: |t| {
        t.clean(OTHER);
        t.post(NAMESPACES, json!({"metadata": {"name": "other-{u}", "labels": {"x": "y"}}})).with_managed_fields().await;
    }
    generated: |t| {
        let made = t.post(&format!("{NAMESPACES}?dryRun=All"), json!({"metadata": {"generateName": "other-"}})).await.body;
        assert!(made["metadata"]["name"].is_string());
    }
    name_invalid: |t| {
        t.post(NAMESPACES, json!({"metadata": {"name": "a.b"}})).await;
        t.post(NAMESPACES, json!({"metadata": {"name": "a".repeat(64)}})).await;
    }
    already_exists: |t| {
        t.post(NAMESPACES, json!({"metadata": {"name": "default"}})).await;
    }
    missing: |t| {
        t.get(&format!("{NAMESPACES}/missing-{{u}}")).await;
        t.delete(&format!("{NAMESPACES}/missing-{{u}}")).await;
    }
    deleted: |t| {
        t.post(NAMESPACES, json!({"metadata": {"name": "other-{u}"}})).quiet().await;
        t.delete(OTHER).await;
        t.until(OTHER, |o| o["code"] == 404).await;
    }
    deleted_with_content: |t| {
        t.post(NAMESPACES, json!({"metadata": {"name": "other-{u}"}})).quiet().await;
        t.post(&format!("{OTHER}/configmaps"), json!({"metadata": {"name": "a", "finalizers": ["example.com/hold"]}})).quiet().await;
        t.delete(OTHER).quiet().await;
        let held = |o: &serde_json::Value| o["status"]["conditions"].as_array().is_some_and(|c| c.iter().any(|c| c["type"] == "NamespaceFinalizersRemaining" && c["status"] == "True"));
        t.until(OTHER, held).await;
        t.get(OTHER).await;
        t.post(&format!("{OTHER}/configmaps"), json!({"metadata": {"name": "b"}})).await;
        t.delete(OTHER).only(&["/kind", "/status/phase", "/code", "/reason", "/message"]).await;
        t.patch("merge", &format!("{OTHER}/configmaps/a"), json!({"metadata": {"finalizers": null}})).quiet().await;
        t.until(OTHER, |o| o["code"] == 404).await;
    }
    finalize: |t| {
        t.post(NAMESPACES, json!({"metadata": {"name": "other-{u}"}})).quiet().await;
        t.put(&format!("{OTHER}/finalize"), json!({"metadata": {"name": "other-{u}"}, "spec": {"finalizers": ["kubernetes", "example.com/own"]}})).only(&["/kind", "/spec"]).await;
        t.delete(OTHER).quiet().await;
        t.put(&format!("{OTHER}/finalize"), json!({"metadata": {"name": "other-{u}"}, "spec": {"finalizers": []}})).only(&["/kind", "/status/phase"]).await;
        t.until(OTHER, |o| o["code"] == 404).await;
    }
    label_of_its_name: |t| {
        t.patch("merge", "/api/v1/namespaces/{ns}", json!({"metadata": {"labels": null}})).only(&["/metadata/labels"]).await;
    }
    furniture: |t| {
        t.get("/api/v1/namespaces/{ns}/serviceaccounts/default").await;
        t.get("/api/v1/namespaces/{ns}/configmaps/kube-root-ca.crt").only(&["/kind", "/metadata/name", "/metadata/annotations"]).await;
    }
    table: |t| {
        t.get("/api/v1/namespaces/{ns}").accept("application/json;as=Table;v=v1;g=meta.k8s.io").only(&["/rows/0/cells"]).await;
    }
}
