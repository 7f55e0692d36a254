//! `kubekcloud dev`: the first minute of a newcomer.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde::Deserialize;
use serde_json::json;

use crate::harness::{Client, binary, eventually, skip};

#[derive(Debug, Deserialize)]
pub(crate) struct Info {
    pub(crate) api_url: String,
    pub(crate) docs_url: String,
    pub(crate) admin_token: String,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) pid: u32,
}

/// A running `dev`, killed when dropped.
pub(crate) struct Dev {
    pub(crate) info: Info,
    child: Child,
    _dir: Option<tempfile::TempDir>,
}

impl Dev {
    pub(crate) async fn start_fresh() -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut dev = Self::start(&dir.path().join("data")).await;
        dev._dir = Some(dir);
        dev
    }

    async fn start(data: &Path) -> Self {
        let mut child =
            binary().args(["dev", "--port", "0", "--data-dir"]).arg(data).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        let info = eventually("dev.json of this process", 30, || {
            assert!(child.try_wait().expect("asks").is_none(), "dev ended");
            let info = std::fs::read(data.join("dev.json")).ok().and_then(|text| serde_json::from_slice::<Info>(&text).ok());
            let pid = child.id();
            async move { info.filter(|info| info.pid == pid) }
        })
        .await;
        Self { info, child, _dir: None }
    }

    fn signal(&mut self, signal: rustix::process::Signal) -> std::process::ExitStatus {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("signals");
        self.child.wait().expect("waits")
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn everything_is_found_again_after_a_clean_stop_and_after_a_kill() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let data = dir.path().join("data");
    let mut first = Dev::start(&data).await;
    let admin = Client::new(&first.info.api_url, Some(&first.info.admin_token));
    let cluster = admin.cluster("kept", "container", 2).await;
    assert_eq!(cluster["status"], "running");
    let mode = |name: &str| std::fs::metadata(data.join(name)).expect("is there").permissions().mode() & 0o777;
    assert_eq!((mode("dev.json"), mode("sandbox/kubeconfig")), (0o600, 0o600));
    assert!(first.info.docs_url.ends_with("/docs"));
    assert!(first.signal(rustix::process::Signal::INT).success(), "Ctrl-C ends it well");

    for how in [rustix::process::Signal::KILL, rustix::process::Signal::TERM] {
        let mut next = Dev::start(&data).await;
        assert_eq!(next.info.admin_token, first.info.admin_token);
        assert_eq!(next.info.kubeconfig, first.info.kubeconfig);
        let admin = Client::new(&next.info.api_url, Some(&next.info.admin_token));
        assert_eq!(admin.settled(1, "running").await["instances"].as_array().map(Vec::len), Some(2));
        next.signal(how);
    }
}

#[tokio::test]
async fn a_second_dev_on_the_same_directory_is_refused() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let data = dir.path().join("data");
    let _first = Dev::start(&data).await;
    let second = binary().args(["dev", "--port", "0", "--data-dir"]).arg(&data).output().expect("runs");
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr);
    assert!(text.contains("another 'kubekcloud dev'"), "{text}");
}

#[tokio::test]
async fn a_lost_dev_json_costs_only_the_token() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let data = dir.path().join("data");
    let first = Dev::start(&data).await;
    let old = first.info.admin_token.clone();
    drop(first);
    std::fs::remove_file(data.join("dev.json")).expect("removes");
    let second = Dev::start(&data).await;
    assert_ne!(second.info.admin_token, old);
    let admin = Client::new(&second.info.api_url, Some(&second.info.admin_token));
    assert_eq!(admin.get("/api/v1/users/me").await.expect(200)["role"], "admin");
    assert_eq!(admin.with_token(&old).get("/api/v1/users/me").await.status, 401);
}

#[tokio::test]
async fn anybody_may_sign_up_but_not_as_an_admin() {
    let dev = Dev::start_fresh().await;
    let anybody = Client::new(&dev.info.api_url, None);
    let request = json!({"username": "eve", "token": "eve-token", "quota_cpu": 1, "quota_memory": 1, "role": "admin"});
    anybody.post("/api/v1/users", &request).await.expect_problem(422, "invalid", Some("role"));
    let with_bad_token = anybody.with_token("nobody's");
    with_bad_token.post("/api/v1/users", &request).await.expect_problem(401, "unauthenticated", None);
}

#[tokio::test]
async fn kubectl_shows_what_was_created() {
    let Some(kubectl) = std::env::var_os("KUBECTL_PATH") else {
        skip("KUBECTL_PATH is not set");
        return;
    };
    let dev = Dev::start_fresh().await;
    let admin = Client::new(&dev.info.api_url, Some(&dev.info.admin_token));
    admin.cluster("seen", "container", 2).await;
    let home = tempfile::tempdir().expect("temporary directory");
    let run = |args: &[&str]| {
        let output = Command::new(&kubectl).arg("--kubeconfig").arg(&dev.info.kubeconfig).args(args).env("HOME", home.path()).output().expect("runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let pods = run(&["get", "pods", "-A"]);
    let row = pods.lines().find(|line| line.contains("seen-instance-2")).expect(&pods);
    assert!(row.starts_with("seen-ns") && row.contains("1/1") && row.contains("Running"), "{row}");
    assert!(run(&["describe", "pod", "-n", "seen-ns", "seen-instance-1"]).contains("kubekcloud.io/cluster-id=1"));
    run(&["wait", "-n", "seen-ns", "--for=condition=Ready", "pod/seen-instance-1", "--timeout=20s"]);
    run(&["create", "configmap", "-n", "seen-ns", "note", "--from-literal=a=b"]);
    run(&["delete", "configmap", "-n", "seen-ns", "note"]);
}

#[tokio::test]
async fn a_page_from_elsewhere_gets_nothing() {
    let dev = Dev::start_fresh().await;
    let client = Client::new(&dev.info.api_url, Some(&dev.info.admin_token));
    let body = json!({"username": "mallory", "quota_cpu": 1, "quota_memory": 1}).to_string().into_bytes();
    let send = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        client.send(reqwest::Method::POST, "/api/v1/users", &headers, Some(body.clone())).await
    };
    assert_eq!(send(&[("host", "rebound.evil.example:8000")]).await.status, 421, "a name that leads here by somebody's DNS");
    assert_eq!(send(&[("origin", "http://evil.example")]).await.status, 403, "a page that posts");
    let own = dev.info.api_url.clone();
    send(&[("origin", &own)]).await.expect(201);
}
