//! Requests that are wrong in themselves: paths, credentials, media types, bodies, patches, options.

use serde_json::{Value, json};

use crate::harness::{Talk, cases};

const MAPS: &str = "/api/v1/namespaces/{ns}/configmaps";
const MAP: &str = "/api/v1/namespaces/{ns}/configmaps/a";
const YAML: &str = "application/yaml";
const ANSWER: &[&str] = &["/message", "/reason", "/code", "/details", "/data"];

async fn map(t: &mut Talk) -> Value {
    t.post(MAPS, json!({"metadata": {"name": "a"}, "data": {"k": "v"}})).quiet().await.body
}

async fn json_patches(t: &mut Talk, patches: &[Value]) {
    map(t).await;
    for patch in patches {
        t.patch("json", MAP, patch.clone()).only(ANSWER).await;
    }
}

cases! {
    yaml_with_repeated_keys: |t| {
        let text = "metadata:\n  name: a\ndata:\n  k: v\n  k: w\n";
        for validation in ["Strict", "Warn", "Ignore"] {
            t.call("POST", &format!("{MAPS}?dryRun=All&fieldValidation={validation}")).raw(YAML, text).accept("application/json").only(ANSWER).await;
        }
    }
    yaml_with_unknown_fields: |t| {
        let text = "metadata:\n  name: a\nnonsense: 1\n";
        for validation in ["Strict", "Warn"] {
            t.call("POST", &format!("{MAPS}?dryRun=All&fieldValidation={validation}")).raw(YAML, text).accept("application/json").only(ANSWER).await;
        }
    }
    yaml_of_several_documents: |t| {
        t.call("POST", MAPS).raw(YAML, "metadata: {name: a}\n---\nmetadata: {name: b}\n").accept("application/json").only(ANSWER).await;
    }
    yaml_that_is_no_object: |t| {
        for text in ["- 1\n", "text\n", "5\n", "", "# nothing\n"] {
            t.call("POST", MAPS).raw(YAML, text).accept("application/json").only(&["/reason", "/code"]).await;
        }
    }
    json_with_repeated_keys: |t| {
        let text = "{\"metadata\": {\"name\": \"a\", \"name\": \"b\"}, \"data\": {\"k\": \"v\", \"k\": \"w\"}}";
        for validation in ["Strict", "Warn", "Ignore"] {
            t.call("POST", &format!("{MAPS}?dryRun=All&fieldValidation={validation}")).raw("application/json", text).only(ANSWER).await;
        }
    }
    json_with_what_follows: |t| {
        for text in ["{} x", "{\"metadata\": {\"name\": \"a\"}}}", "{\"metadata\": {\"name\": 'a'}}", "{\"metadata\": {\"name\": \"a\",}}", "{\"metadata\": {\"name\": \"\u{1}\"}}", "\"text\"", "null", "{\"a\": 01}", "{\"a\": tru}"] {
            t.call("POST", &format!("{MAPS}?dryRun=All")).raw("application/json", text).only(ANSWER).await;
        }
    }
    json_patch_of_nothing_there: |t| {
        json_patches(t, &[json!([{"op": "remove", "path": "/data/x"}]), json!([{"op": "replace", "path": "/data/x", "value": "y"}]), json!([{"op": "add", "path": "/spec/x", "value": "y"}]),
            json!([{"op": "move", "from": "/data/x", "path": "/data/y"}]), json!([{"op": "copy", "from": "/data/x", "path": "/data/y"}])]).await;
    }
    json_patch_with_indexes: |t| {
        t.post(MAPS, json!({"metadata": {"name": "a", "finalizers": ["x.io/a", "x.io/b"]}})).quiet().await;
        for (op, index) in [("remove", "-1"), ("remove", "2"), ("replace", "-1"), ("replace", "9"), ("add", "-2"), ("add", "9"), ("add", "x"), ("remove", "01"), ("add", "-")] {
            let patch = json!([{"op": op, "path": format!("/metadata/finalizers/{index}"), "value": "x.io/c"}]);
            t.patch("json", &format!("{MAP}?dryRun=All"), patch).only(&["/message", "/reason", "/code", "/details", "/metadata/finalizers"]).await;
        }
        t.patch("merge", MAP, json!({"metadata": {"finalizers": null}})).quiet().await;
    }
    json_patch_that_is_none: |t| {
        json_patches(t, &[json!({}), json!([1]), json!([{}]), json!([{"op": "eat", "path": "/data/k"}]), json!([{"op": "add", "path": "data/k", "value": "x"}]), json!([{"op": "add", "path": "/data/k"}]),
            json!([{"op": "move", "path": "/data/k"}]), json!([{"op": "remove"}]), json!("text"), json!(null), json!([{"op": "add", "path": "", "value": {}}])]).await;
    }
    json_patch_with_a_test: |t| {
        json_patches(t, &[json!([{"op": "test", "path": "/data/k", "value": "w"}]), json!([{"op": "test", "path": "/data/x", "value": null}]), json!([{"op": "test", "path": "/data/k", "value": "v"}, {"op": "add", "path": "/data/l", "value": "m"}])]).await;
    }
    merge_patch_that_is_none: |t| {
        map(t).await;
        for body in ["[]", "\"x\"", "5", "null", "{\"data\":", "{} {}"] {
            t.call("PATCH", MAP).raw("application/merge-patch+json", body).only(ANSWER).await;
        }
        // The message shows the whole object.
        for body in ["{\"data\": {\"k\": 5}}", "{\"data\": []}"] {
            t.call("PATCH", MAP).raw("application/merge-patch+json", body).only(&["/reason", "/code"]).await;
        }
    }
    strategic_patch_that_is_none: |t| {
        map(t).await;
        for body in ["[]", "\"x\"", "{\"data\": {\"k\": 5}}", "{\"data\": []}", "{\"data\":", "{\"$patch\": \"eat\"}", "{\"data\": {\"$patch\": \"replace\", \"z\": \"1\"}}"] {
            t.call("PATCH", MAP).raw("application/strategic-merge-patch+json", body).only(ANSWER).await;
        }
    }
    patch_of_an_unknown_type: |t| {
        map(t).await;
        for media in ["application/json", "text/plain", "application/patch+json", "application/apply-patch+cbor"] {
            t.call("PATCH", MAP).raw(media, "{}").only(ANSWER).await;
        }
    }
    media_types: |t| {
        map(t).await;
        for media in ["text/html", "application/xml", "application/json-patch+json", "APPLICATION/JSON", "application/json; charset=utf-8", "", "json"] {
            t.call("POST", &format!("{MAPS}?dryRun=All")).raw(media, "{\"metadata\": {\"name\": \"b\"}}").only(ANSWER).await;
            t.call("PUT", &format!("{MAP}?dryRun=All")).raw(media, "{\"metadata\": {\"name\": \"a\"}}").only(ANSWER).await;
        }
    }
    answers_of_unknown_types: |t| {
        for accept in ["text/plain", "application/xml", "application/json;as=Nonsense;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v9;g=meta.k8s.io", "application/json;q=0.5,text/plain", "nonsense"] {
            t.get(MAP).accept(accept).await;
        }
    }
    protobuf_that_is_cut_short: |t| {
        for body in [&b"k8s\x00"[..], b"k8s\x00\x0a\xff\xff", b"k8s", b""] {
            t.call("POST", MAPS).raw("application/vnd.kubernetes.protobuf", body).accept("application/json").only(&["/reason", "/code"]).await;
        }
    }
    too_large: |t| {
        map(t).await;
        let text = format!("{{\"data\": {{\"k\": \"{}\"}}}}", "x".repeat(3 << 20));
        t.call("PUT", MAP).raw("application/json", text.clone()).await;
        t.call("PATCH", MAP).raw("application/merge-patch+json", text.clone()).await;
        t.call("POST", MAPS).raw(YAML, format!("data: {{k: {}}}", "x".repeat(3 << 20))).accept("application/json").await;
        t.call("DELETE", MAP).raw("application/json", text).await;
    }
    paths_that_lead_nowhere: |t| {
        for path in ["/", "/nonsense", "/api/v2", "/api/v1/nonsense", "/api/v1/namespaces/{ns}/nonsense", "/api/v1/namespaces/{ns}/nonsense/a", "/apis/nonsense", "/apis/nonsense/v1", "/apis/apps/v9", "/apis/apps/v9/deployments",
            "/apis/apps/v1/nonsense", "/apis/apps/v1/namespaces/{ns}/configmaps", "/api/v1/namespaces/{ns}/configmaps/a/b/c", "/api/v1/namespaces/{ns}/namespaces", "/api/v1/namespaces/{ns}/nodes", "/openapi/v3/apis/nonsense/v1"] {
            if path != "/" {
                t.get(path).await;
            }
        }
        t.post("/api/v1/namespaces/{ns}/nonsense", json!({})).await;
        t.delete("/apis/nonsense/v1/things/a").await;
    }
    methods: |t| {
        map(t).await;
        for (method, path) in [("POST", MAP), ("PUT", MAPS), ("PATCH", MAPS), ("POST", "/api/v1"), ("DELETE", "/apis"), ("PUT", "/version"), ("POST", "/api/v1/configmaps"), ("DELETE", "/api/v1/configmaps"), ("DELETE", "/api/v1/namespaces"), ("TRACE", MAP)] {
            t.call(method, path).json(json!({"metadata": {"name": "a"}})).only(ANSWER).await;
        }
    }
    names: |t| {
        for name in ["A", "a_b", "-a", "a-", "a..b", ".a", "a b", "ä", "a/b", "", "x".repeat(254).as_str()] {
            t.post(MAPS, json!({"metadata": {"name": name}})).only(ANSWER).await;
        }
        t.post(MAPS, json!({"metadata": {"generateName": "A-"}})).only(&["/reason", "/code", "/details/kind"]).await;
        t.post("/api/v1/namespaces/{ns}/services", json!({"metadata": {"name": "1a"}, "spec": {"ports": [{"port": 80}]}})).only(ANSWER).await;
        t.post("/api/v1/namespaces", json!({"metadata": {"name": "a.b"}})).only(ANSWER).await;
        t.post("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles", json!({"metadata": {"name": "a/b"}})).only(ANSWER).await;
        t.put("/api/v1/namespaces/{ns}/configmaps/A", json!({"metadata": {"name": "A"}})).only(ANSWER).await;
        t.get("/api/v1/namespaces/{ns}/configmaps/A%20b").only(ANSWER).await;
    }
    versions: |t| {
        let stale = map(t).await;
        t.patch("merge", MAP, json!({"data": {"k": "w"}})).quiet().await;
        t.put(MAP, stale.clone()).await;
        t.patch("merge", MAP, json!({"metadata": {"resourceVersion": stale["metadata"]["resourceVersion"]}, "data": {"k": "x"}})).await;
        t.call("DELETE", MAP).json(json!({"preconditions": {"resourceVersion": "1"}})).only(&["/reason", "/code"]).await;
        t.get(&format!("{MAP}?resourceVersion=x")).only(ANSWER).await;
        t.put(MAP, json!({"metadata": {"name": "a", "resourceVersion": "x"}})).only(ANSWER).await;
    }
    continue_tokens: |t| {
        for token in ["x", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ"] {
            t.get(&format!("{MAPS}?limit=1&continue={token}")).only(&["/reason", "/code"]).await;
        }
        t.get(&format!("{MAPS}?limit=1&continue=x&resourceVersion=1")).only(&["/reason", "/code"]).await;
    }
    watch_options: |t| {
        for query in ["resourceVersion=x", "timeoutSeconds=x", "sendInitialEvents=true", "resourceVersionMatch=Exact&resourceVersion=1", "allowWatchBookmarks=x&timeoutSeconds=1&resourceVersion=x", "fieldSelector=x", "labelSelector=a%20b"] {
            t.get(&format!("{MAPS}?watch=true&{query}")).only(ANSWER).await;
        }
    }
    options: |t| {
        map(t).await;
        for query in ["dryRun=x", "dryRun=All&dryRun=All", "fieldManager=%01", "fieldValidation=x", "force=true", "pretty=x", "nonsense=1"] {
            t.patch("merge", &format!("{MAP}?{query}"), json!({"data": {"k": "x"}})).only(ANSWER).await;
        }
        for query in ["gracePeriodSeconds=x", "gracePeriodSeconds=-1", "propagationPolicy=x", "orphanDependents=x", "dryRun=x", "dryRun=All&gracePeriodSeconds=0"] {
            t.delete(&format!("{MAP}?{query}&dryRun=All")).only(&["/message", "/reason", "/code"]).await;
        }
    }
    credentials: |t| {
        for header in ["Bearer wrong", "Basic YTpi", "Bearer", "nonsense"] {
            t.get(MAPS).by_nobody().header("authorization", header).await;
        }
        t.call("DELETE", MAP).by_stranger().await;
    }
}
