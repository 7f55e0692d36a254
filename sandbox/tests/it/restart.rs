//! What is kept over a restart, an orderly one or a SIGKILL.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{client, config_map, eventually, namespace, phase, pod, start_in};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::PostParams;
use kube::{Api, ResourceExt};
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
#[ignore = "no test by itself: the process that an_acknowledged_write_survives_sigkill starts and kills"]
async fn child() {
    let dir = std::env::var_os("SANDBOX_CHILD_DIR").expect("set by who starts it");
    let _running = start_in(Path::new(&dir)).await;
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn an_acknowledged_write_survives_sigkill() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "--ignored", "restart::child"])
        .env("SANDBOX_CHILD_DIR", dir.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("a process");
    let file = dir.path().join("kubeconfig");
    let kubeconfig = eventually("the kubeconfig is there", || async { std::fs::read_to_string(&file).ok() }).await;
    let outside = client(&kubeconfig).await;
    let namespaces: Api<Namespace> = Api::all(outside.clone());
    eventually("it answers", || async { namespaces.get_opt("default").await.ok().flatten() }).await;
    let pods: Api<Pod> = Api::namespaced(outside.clone(), "default");
    pods.create(&PostParams::default(), &pod("p")).await.expect("created");
    let maps: Api<ConfigMap> = Api::namespaced(outside, "default");
    for n in 0..50 {
        maps.create(&PostParams::default(), &config_map(&format!("c{n}"), json!({}))).await.expect("created");
    }
    child.kill().expect("killed");
    child.wait().expect("gone");

    let (_sandbox, client) = start_in(dir.path()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    for n in 0..50 {
        maps.get(&format!("c{n}")).await.expect("still there");
    }
    let pods: Api<Pod> = Api::namespaced(client, "default");
    eventually("the Pod goes on to run", || async { (phase(&pods.get("p").await.expect("still there")) == "Running").then_some(()) }).await;
}
