//! `metrics.k8s.io`: what `kubectl top` reads.

use crate::support::kubectl::Kubectl;
use crate::support::{eventually, from, names, phase, refused, start, start_in};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, ListParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::json;

fn metrics(kind: &str, plural: &str) -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("metrics.k8s.io", "v1beta1", kind), plural)
}

#[tokio::test]
async fn running_pods_have_usage_and_others_have_none() {
    let (_sandbox, client) = start().await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let container = json!({"name": "c", "image": "x", "resources": {"requests": {"cpu": "2", "memory": "1Gi"}}});
    for (name, fail) in [("runs", ""), ("waits", "unschedulable")] {
        let meta = json!({"name": name, "labels": {"app": name}, "annotations": {"sandbox.kubekcloud.io/fail": fail}});
        let meta = if fail.is_empty() { json!({"name": name, "labels": {"app": name}}) } else { meta };
        pods.create(&PostParams::default(), &from(json!({"metadata": meta, "spec": {"containers": [container]}}))).await.expect("created");
    }
    eventually("it runs", || async { (phase(&pods.get("runs").await.expect("read")) == "Running").then_some(()) }).await;
    let usage: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &metrics("PodMetrics", "pods"));
    let list = usage.list(&ListParams::default()).await.expect("a list").items;
    assert_eq!(list[0].data["window"], "15s");
    let cpu = list[0].data["containers"][0]["usage"]["cpu"].as_str().and_then(|q| q.strip_suffix('n')).expect("nanocores").to_owned();
    assert!((200_000_000..=2_000_000_000).contains(&cpu.parse::<u64>().expect("a number")), "{cpu}");
    assert_eq!(names(list), ["runs"]);
    assert_eq!(names(usage.list(&ListParams::default().labels("app=waits")).await.expect("a list").items), Vec::<String>::new());
    assert_eq!(usage.get("runs").await.expect("one").name_any(), "runs");
    let (code, _, message) = refused(usage.get("waits").await);
    assert_eq!((code, message.as_str()), (404, "pods.metrics.k8s.io \"waits\" not found"));
    assert_eq!(refused(usage.delete("runs", &Default::default()).await).0, 405);
    let nodes: Api<DynamicObject> = Api::all_with(client, &metrics("NodeMetrics", "nodes"));
    assert_eq!(names(nodes.list(&ListParams::default()).await.expect("a list").items), ["sandbox-node-0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_top_shows_pods_containers_and_nodes() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_sandbox, _client) = start_in(dir.path()).await;
    let Some(kubectl) = Kubectl::find(dir.path()) else { return };
    kubectl.says("run p --image=nginx");
    kubectl.says("wait --for=condition=Ready pod/p --timeout=20s");
    assert!(kubectl.says("top nodes").contains("sandbox-node-0"));
    let pods = kubectl.says("top pods");
    assert!(pods.starts_with("NAME") && pods.contains("p ") && pods.contains("Mi"), "{pods}");
    assert!(kubectl.says("top pods --containers").lines().nth(1).is_some_and(|line| line.matches('p').count() >= 2));
    assert!(kubectl.says("get pods.metrics.k8s.io").contains("MEMORY"));
}
