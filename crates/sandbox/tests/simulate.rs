//! What the simulator does with Pods and claims.

mod support;

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;
use support::{eventually, from, namespace, phase, pod, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pods_run_within_seconds() {
    let (_sandbox, client) = start().await;
    namespace(&client, "many").await;
    let pods: Api<Pod> = Api::namespaced(client, "many");
    let start = Instant::now();
    let create = |n: usize| {
        let pods = pods.clone();
        async move { pods.create(&PostParams::default(), &pod(&format!("p{n}"))).await.map(drop) }
    };
    stream::iter(0..1000).map(create).buffer_unordered(16).try_collect::<Vec<_>>().await.expect("all created");
    let running = ListParams::default().fields("status.phase=Running");
    eventually("all run", || async { (pods.list(&running).await.expect("a list").items.len() == 1000).then_some(()) }).await;
    let took = start.elapsed();
    println!("1,000 Pods created and Running after {took:?}");
    assert!(took < Duration::from_secs(15), "{took:?} even for a debug build on a busy machine");
    let all = pods.list(&ListParams::default()).await.expect("a list").items;
    let mut addresses: Vec<_> = all.iter().filter_map(|p| p.status.as_ref()?.pod_ip.clone()).collect();
    assert!(addresses.iter().all(|a| a.starts_with("127.96.")));
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 1000);
}

#[tokio::test]
async fn a_deleted_pod_is_terminating_and_then_gone() {
    let (_sandbox, client) = start().await;
    let pods: Api<Pod> = Api::namespaced(client, "default");
    pods.create(&PostParams::default(), &pod("p")).await.expect("created");
    eventually("it runs", || async { (phase(&pods.get("p").await.expect("read")) == "Running").then_some(()) }).await;
    let marked = pods.delete("p", &DeleteParams::default()).await.expect("deleted").left().expect("still there");
    assert_eq!(marked.metadata.deletion_grace_period_seconds, Some(30));
    eventually("it is gone", || async { pods.get_opt("p").await.expect("read").is_none().then_some(()) }).await;
}

fn failing(name: &str, how: &str) -> Pod {
    let mut pod = pod(name);
    pod.metadata.annotations = Some([("sandbox.kubekcloud.io/fail".to_owned(), how.to_owned())].into());
    pod
}

#[tokio::test]
async fn pods_fail_in_the_way_that_is_asked_for() {
    let (_sandbox, client) = start().await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    for how in ["image-pull", "crash-loop", "unschedulable", "stuck"] {
        pods.create(&PostParams::default(), &failing(how, how)).await.expect("created");
    }
    let reason = |name: &'static str| {
        let pods = pods.clone();
        async move {
            let status = pods.get(name).await.expect("read").status?;
            status.container_statuses?.first()?.state.clone()?.waiting?.reason
        }
    };
    eventually("the image can't be pulled", || async { (reason("image-pull").await? == "ImagePullBackOff").then_some(()) }).await;
    eventually("it crashes", || async { (reason("crash-loop").await? == "CrashLoopBackOff").then_some(()) }).await;
    let events: Api<Event> = Api::namespaced(client, "default");
    let failed = ListParams::default().fields("involvedObject.name=unschedulable,reason=FailedScheduling");
    eventually("nothing fits", || async { events.list(&failed).await.expect("a list").items.pop() }).await;
    eventually("it runs", || async { (phase(&pods.get("stuck").await.expect("read")) == "Running").then_some(()) }).await;
    pods.delete("stuck", &DeleteParams::default()).await.expect("deleted");
    pods.delete("crash-loop", &DeleteParams::default()).await.expect("deleted");
    eventually("the other is gone", || async { pods.get_opt("crash-loop").await.expect("read").is_none().then_some(()) }).await;
    assert!(pods.get("stuck").await.expect("still there").metadata.deletion_timestamp.is_some());
    pods.delete("stuck", &DeleteParams::default().grace_period(0)).await.expect("forced");
    assert!(pods.get_opt("stuck").await.expect("read").is_none());
}

#[tokio::test]
async fn a_claim_is_bound() {
    let (_sandbox, client) = start().await;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client, "default");
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    claims.create(&PostParams::default(), &from(claim)).await.expect("created");
    let bound = eventually("it is bound", || async {
        let claim = claims.get("c").await.expect("read");
        claim.status.filter(|s| s.phase.as_deref() == Some("Bound"))
    })
    .await;
    assert_eq!(bound.capacity.expect("a capacity")["storage"].0, "1Gi");
}
