//! What is kept over a restart, an orderly one or a SIGKILL.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{client, config_map, eventually, namespace, phase, pod, start_in};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt};
use sandbox::{Error, Options, Sandbox};
use serde_json::json;

#[tokio::test]
async fn port_certificate_token_objects_and_versions_are_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sandbox, client) = start_in(dir.path()).await;
    let (kubeconfig, url) = (sandbox.kubeconfig().to_owned(), sandbox.url().to_owned());
    let path = sandbox.kubeconfig_path().expect("a file").to_owned();
    for file in ["kubeconfig", "sandbox.json", "objects.jsonl"] {
        let mode = std::fs::metadata(dir.path().join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert_eq!(std::fs::read_to_string(path).expect("a file"), kubeconfig);
    namespace(&client, "a").await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "a");
    let before = maps.create(&PostParams::default(), &config_map("c", json!({"k": "v"}))).await.expect("created");
    sandbox.shutdown().await;

    let (sandbox, client) = start_in(dir.path()).await;
    assert_eq!((sandbox.kubeconfig(), sandbox.url()), (kubeconfig.as_str(), url.as_str()));
    let maps: Api<ConfigMap> = Api::namespaced(client, "a");
    assert_eq!(maps.get("c").await.expect("still there"), before);
    let after = maps.create(&PostParams::default(), &config_map("d", json!({}))).await.expect("created");
    let version = |map: &ConfigMap| map.resource_version().expect("a version").parse::<u64>().expect("a number");
    assert!(version(&after) > version(&before));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_directory_serves_one_sandbox_at_a_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let (sandbox, _client) = start_in(dir.path()).await;
    let options = Options { data_dir: Some(dir.path().to_owned()), port: 0 };
    let second = Sandbox::start(options.clone()).await;
    assert!(matches!(second, Err(Error::InUse(_))), "{second:?}");
    sandbox.shutdown().await;
    Sandbox::start(options).await.expect("free again").shutdown().await;
}

#[tokio::test]
#[ignore = "no test by itself: the process that others start and kill"]
async fn child() {
    let dir = std::env::var_os("SANDBOX_CHILD_DIR").expect("set by who starts it");
    let _running = start_in(Path::new(&dir)).await;
    std::future::pending::<()>().await;
}

/// It is killed with this value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("killed, and gone");
    }
}

fn this_test() -> PathBuf {
    std::env::current_exe().expect("this test")
}

/// Starts the process [`child`] by a command, and waits until it answers.
async fn start_child(command: &mut Command, dir: &Path) -> (Killed, Client) {
    let command = command.args(["--exact", "--ignored", "restart::child"]).env("SANDBOX_CHILD_DIR", dir).stdout(Stdio::null());
    let child = Killed(command.spawn().expect("a process"));
    let file = dir.join("kubeconfig");
    let kubeconfig = eventually("the kubeconfig is there", || async { std::fs::read_to_string(&file).ok() }).await;
    let outside = client(&kubeconfig).await;
    let namespaces: Api<Namespace> = Api::all(outside.clone());
    eventually("it answers", || async { namespaces.get_opt("default").await.ok().flatten() }).await;
    (child, outside)
}

#[tokio::test]
async fn an_acknowledged_write_survives_sigkill() {
    let dir = tempfile::tempdir().expect("a directory");
    let (child, outside) = start_child(&mut Command::new(this_test()), dir.path()).await;
    let pods: Api<Pod> = Api::namespaced(outside.clone(), "default");
    pods.create(&PostParams::default(), &pod("p")).await.expect("created");
    let maps: Api<ConfigMap> = Api::namespaced(outside, "default");
    for n in 0..50 {
        maps.create(&PostParams::default(), &config_map(&format!("c{n}"), json!({}))).await.expect("created");
    }
    drop(child);

    let (_sandbox, client) = start_in(dir.path()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    for n in 0..50 {
        maps.get(&format!("c{n}")).await.expect("still there");
    }
    let pods: Api<Pod> = Api::namespaced(client, "default");
    eventually("the Pod goes on to run", || async { (phase(&pods.get("p").await.expect("still there")) == "Running").then_some(()) }).await;
}

/// As on a full disk, no file of the process may be larger than 2 MiB: a write goes half-way and then fails.
#[tokio::test]
async fn a_write_that_does_not_fit_is_refused_and_those_before_and_after_it_survive() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap '' XFSZ && ulimit -f 4096 && exec "$0" "$@""#]).arg(this_test());
    let (child, outside) = start_child(&mut limited, dir.path()).await;
    let maps: Api<ConfigMap> = Api::namespaced(outside, "default");
    let create = async |name: &str, size: usize| maps.create(&PostParams::default(), &config_map(name, json!({"k": "x".repeat(size)}))).await;
    create("before", 600_000).await.expect("there is room");
    create("another", 600_000).await.expect("there is room");
    for name in ["large", "large-too"] {
        let refused = create(name, 900_000).await.expect_err("there is no room").to_string();
        assert!(refused.contains("the sandbox's log"), "{refused}");
    }
    create("after", 10_000).await.expect("there is room for this");
    drop(child);

    let (_sandbox, client) = start_in(dir.path()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    for name in ["before", "another", "after"] {
        maps.get(name).await.expect("still there");
    }
    assert!(maps.get_opt("large").await.expect("an answer").is_none());
}

#[tokio::test]
async fn objects_in_a_former_format_are_refused_by_the_name_of_their_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("objects.jsonl");
    std::fs::write(&file, "{\"v\":2}\n").expect("written");
    let options = Options { data_dir: Some(dir.path().to_owned()), port: 0 };
    let refused = Sandbox::start(options.clone()).await.expect_err("refused").to_string();
    assert!(refused.contains(file.to_str().expect("a path")) && refused.contains("delete the file"), "{refused}");
    assert_eq!(std::fs::read_to_string(&file).expect("left as it is"), "{\"v\":2}\n");
    std::fs::remove_file(file).expect("removed");
    Sandbox::start(options).await.expect("starts anew").shutdown().await;
}
