//! Documentation, health and measurements: without any network, and true.

use std::path::Path;

use crate::harness::{Server, binary};

#[tokio::test]
async fn the_documentation_pages_load_nothing_from_elsewhere() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let anybody = server.anonymous();
    for page in ["/docs", "/docs/", "/redoc", "/redoc/"] {
        let answer = anybody.get(page).await;
        assert_eq!(answer.status, 200, "{page}");
        assert!(answer.text.contains("<html"), "{page}");
        for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
            let head = &answer.text[..answer.text.len().min(3000)];
            assert!(!head.contains(attribute), "{page} loads something from elsewhere");
        }
    }
    // Inline scripts would be needed if there were any: what is loaded is the page's own.
    let docs = anybody.get("/docs/").await;
    let policy = docs.headers["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.contains("script-src 'self';") && !docs.text.contains("<script>"), "{policy}");
    for asset in ["/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css", "/docs/swagger-initializer.js"] {
        assert_eq!(anybody.get(asset).await.status, 200, "{asset}");
    }
    assert!(anybody.get("/docs/swagger-initializer.js").await.text.contains("/openapi.json"));
    assert!(anybody.get("/redoc").await.text.contains("Redoc.init(\"/openapi.json\""));
}

#[tokio::test]
async fn the_openapi_document_is_the_checked_in_one() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let served = server.anonymous().get("/openapi.json").await.expect(200);
    assert!(served["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let printed: serde_json::Value = serde_json::from_slice(&binary().arg("openapi").output().expect("runs").stdout).expect("JSON");
    assert_eq!(served, printed);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/kubekcloud.json");
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("openapi/kubekcloud.json")).expect("JSON");
    assert!(served == kept, "openapi/kubekcloud.json is not what is served: run 'cargo xtask openapi'");
}

#[tokio::test]
async fn health_is_told_to_people_probes_and_prometheus() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let anybody = server.anonymous();
    crate::harness::eventually("healthy", 20, || async { (anybody.get("/health").await.expect(200)["status"] == "healthy").then_some(()) }).await;
    let operator = &server.operator;
    assert_eq!(operator.get("/livez").await.text, "ok\n");
    let ready = operator.get("/readyz?verbose").await;
    assert_eq!(ready.status, 200);
    for check in ["[+]database ok", "[+]local/reachable ok", "[+]local/reconciling ok"] {
        assert!(ready.text.contains(check), "{}", ready.text);
    }
    server.admin.get("/api/v1/clusters/12345").await;
    let metrics = operator.get("/metrics").await.text;
    let line = "kubekcloud_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/clusters/{cluster_id}\",status=\"404\"}";
    assert!(metrics.contains(line), "{metrics}");
    assert!(!metrics.contains("12345"), "paths are no labels");
    for inside in ["/livez", "/readyz", "/metrics", "//metrics", "/metrics/", "/readyz?verbose"] {
        assert_eq!(anybody.get(inside).await.status, 404, "{inside} is not for everybody");
    }
}
