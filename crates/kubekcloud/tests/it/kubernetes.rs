//! Where there is no Kubernetes, or a wrong one.

use serde_json::json;

use crate::harness::{Client, TestDatabase, binary};

#[tokio::test]
async fn without_a_kubernetes_users_work_and_clusters_are_refused() {
    let database = TestDatabase::fresh().await;
    let dir = tempfile::tempdir().expect("temporary directory");
    let out = dir.path().join("out");
    let mut child = binary()
        .args(["serve", "--port", "0", "--host", "127.0.0.1"])
        .current_dir(dir.path())
        // A kubeconfig that lies around is not used unasked.
        .env("KUBECONFIG", "/nowhere")
        .env("DATABASE_URL", &database.url)
        .stdout(std::fs::File::create(&out).expect("creates"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let text = crate::harness::eventually("it listens", 20, || {
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        async move { text.contains("Listening").then_some(text) }
    })
    .await;
    // The first start prints a one-time token of 40 characters.
    let token = text.lines().find(|line| line.len() == 40 && line.chars().all(|c| c.is_ascii_alphanumeric())).expect("a bootstrap token");
    let url = text.lines().find_map(|line| line.strip_prefix("Listening on ")).expect("an address");
    let admin = Client::new(url, Some(token));
    admin.get("/api/v1/users/me/quota").await.expect(200);
    let body = json!({"name": "a", "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
    let answer = admin.post("/api/v1/clusters", &body).await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.expect_problem(503, "unavailable", None);
    let operations = text.lines().find_map(|line| line.strip_prefix("Admin on ")).expect("an address");
    assert_eq!(Client::new(operations, None).get("/readyz").await.status, 200);
    child.kill().expect("kills");
    child.wait().expect("waits");
}

#[test]
fn settings_that_cannot_work_stop_the_start() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let cases = [
        ("DATABASE_URL", "oracle://x/y", "DATABASE_URL"),
        ("DATABASE_URL", "sqlite:///:memory:", "in memory"),
        ("K8S_CONFIG_PATH", "/nowhere/kubeconfig", "K8S_CONFIG_PATH"),
        ("K8S_NAMESPACE", "Not A Name", "K8S_NAMESPACE"),
    ];
    for (name, value, said) in cases {
        let output = binary().args(["serve", "--port", "0"]).current_dir(dir.path()).env(name, value).output().expect("runs");
        assert!(!output.status.success(), "{name}={value}");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(said), "{name}={value}: {text}");
    }
}

#[tokio::test]
async fn a_dotenv_file_is_read_and_the_environment_wins() {
    let dir = tempfile::tempdir().expect("temporary directory");
    std::fs::write(dir.path().join(".env"), "DATABASE_URL=sqlite:///./from-dotenv.db\nK8S_NAMESPACE=default\nK8S_CONFIG_PATH=\n").expect("writes");
    let run = |from_environment: Option<&str>| {
        let mut command = binary();
        command.arg("migrate").current_dir(dir.path());
        if let Some(url) = from_environment {
            command.env("DATABASE_URL", url);
        }
        assert!(command.output().expect("runs").status.success());
    };
    run(None);
    assert!(dir.path().join("from-dotenv.db").exists());
    run(Some("sqlite:///from-environment.db"));
    assert!(dir.path().join("from-environment.db").exists());
}
