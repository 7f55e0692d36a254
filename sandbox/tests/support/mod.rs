//! A sandbox for a test, a client to it, and waiting with a deadline.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod kubectl;
pub(crate) mod skip;

use std::fmt::Debug;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Pod};
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};

/// Longer than anything takes, even on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) async fn start() -> (Sandbox, Client) {
    started(Options::default()).await
}

pub(crate) async fn start_in(dir: &Path) -> (Sandbox, Client) {
    started(Options { data_dir: Some(dir.to_owned()), port: 0 }).await
}

async fn started(options: Options) -> (Sandbox, Client) {
    let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
    let client = client(sandbox.kubeconfig()).await;
    (sandbox, client)
}

pub(crate) async fn config(kubeconfig: &str) -> Config {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("a usable kubeconfig")
}

pub(crate) async fn client(kubeconfig: &str) -> Client {
    Client::try_from(config(kubeconfig).await).expect("a client")
}

/// Tries until something is there.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let tries = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(DEADLINE, tries).await.unwrap_or_else(|_| panic!("in time: {what}"))
}

pub(crate) async fn namespace(client: &Client, name: &str) -> Namespace {
    let object = json!({"metadata": {"name": name}});
    Api::all(client.clone()).create(&PostParams::default(), &from(object)).await.expect("a namespace")
}

pub(crate) fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

pub(crate) fn config_map(name: &str, data: Value) -> ConfigMap {
    from(json!({"metadata": {"name": name}, "data": data}))
}

pub(crate) fn pod(name: &str) -> Pod {
    from(json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "app", "image": "nginx:1"}]}}))
}

pub(crate) fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or_default()
}

pub(crate) fn vms(client: &Client, namespace: &str) -> Api<DynamicObject> {
    dynamic(client, namespace, "kubevirt.io", "v1", "VirtualMachine")
}

pub(crate) fn vmis(client: &Client, namespace: &str) -> Api<DynamicObject> {
    dynamic(client, namespace, "kubevirt.io", "v1", "VirtualMachineInstance")
}

pub(crate) fn dynamic(client: &Client, namespace: &str, group: &str, version: &str, kind: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, &ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)))
}

/// The Status of a refused call.
pub(crate) fn refused<T: Debug>(result: Result<T, kube::Error>) -> (u16, String, String) {
    match result.expect_err("a refusal") {
        kube::Error::Api(status) => (status.code, status.reason.clone(), status.message.clone()),
        other => panic!("not a Status: {other}"),
    }
}

pub(crate) fn names<T: ResourceExt>(items: impl IntoIterator<Item = T>) -> Vec<String> {
    items.into_iter().map(|i| i.name_any()).collect()
}
