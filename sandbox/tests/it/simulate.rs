//! What the simulator does with Pods and with what is around them.

use std::time::{Duration, Instant};

use crate::support::{self, eventually, from, namespace, phase, pod, start};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Endpoints, Event, Node, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::Api;
use kube::api::{DeleteParams, ListParams, PostParams};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_pods_run() {
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
    while pods.list(&running).await.expect("a list").items.len() < 1000 {
        assert!(start.elapsed() < Duration::from_secs(300), "even for a debug build on a busy machine");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("1,000 Pods created and Running after {:?}", start.elapsed());
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

#[tokio::test]
async fn a_pod_waits_for_its_configuration_and_then_runs() {
    let (_sandbox, client) = start().await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let spec = json!({"containers": [{"name": "app", "image": "nginx:1", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "late", "key": "a"}}}]}]});
    pods.create(&PostParams::default(), &from(json!({"metadata": {"name": "p"}, "spec": spec}))).await.expect("created");
    eventually("it says what is missing", || async {
        let status = pods.get("p").await.expect("read").status?;
        let waiting = status.container_statuses?.first()?.state.clone()?.waiting?;
        (waiting.message.as_deref() == Some("configmap \"late\" not found")).then_some(())
    })
    .await;
    let maps: Api<k8s_openapi::api::core::v1::ConfigMap> = Api::namespaced(client, "default");
    maps.create(&PostParams::default(), &support::config_map("late", json!({"b": "1"}))).await.expect("created");
    eventually("the key is missing", || async {
        let status = pods.get("p").await.expect("read").status?;
        let waiting = status.container_statuses?.first()?.state.clone()?.waiting?;
        (waiting.message.as_deref() == Some("couldn't find key a in ConfigMap default/late")).then_some(())
    })
    .await;
    maps.patch("late", &kube::api::PatchParams::default(), &kube::api::Patch::Merge(json!({"data": {"a": "1"}}))).await.expect("patched");
    eventually("it runs", || async { (phase(&pods.get("p").await.expect("read")) == "Running").then_some(()) }).await;
}

#[tokio::test]
async fn a_cordoned_node_takes_no_pods_and_its_lease_is_renewed() {
    let (_sandbox, client) = start().await;
    let (nodes, pods): (Api<Node>, Api<Pod>) = (Api::all(client.clone()), Api::namespaced(client.clone(), "default"));
    eventually("there is a node", || async { nodes.get_opt("sandbox-node-0").await.expect("read") }).await;
    nodes.cordon("sandbox-node-0").await.expect("cordoned");
    pods.create(&PostParams::default(), &pod("p")).await.expect("created");
    let message = eventually("it is said why", || async {
        let status = pods.get("p").await.expect("read").status?;
        status.conditions?.into_iter().find(|c| c.type_ == "PodScheduled")?.message
    })
    .await;
    assert_eq!(
        message,
        "0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    );
    nodes.uncordon("sandbox-node-0").await.expect("uncordoned");
    eventually("it runs", || async { (phase(&pods.get("p").await.expect("read")) == "Running").then_some(()) }).await;
    let leases: Api<Lease> = Api::namespaced(client, "kube-node-lease");
    let lease = eventually("there is a lease", || async { leases.get_opt("sandbox-node-0").await.expect("read") }).await;
    assert!(lease.spec.and_then(|s| s.renew_time).is_some());
}

#[tokio::test]
async fn endpoints_follow_the_ready_pods_of_a_service() {
    let (_sandbox, client) = start().await;
    let (services, pods): (Api<Service>, Api<Pod>) = (Api::namespaced(client.clone(), "default"), Api::namespaced(client.clone(), "default"));
    let (slices, endpoints): (Api<EndpointSlice>, Api<Endpoints>) = (Api::namespaced(client.clone(), "default"), Api::namespaced(client, "default"));
    let service =
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "serving"}]}});
    services.create(&PostParams::default(), &from(service)).await.expect("created");
    for (name, fail) in [("good", "none"), ("bad", "readiness")] {
        let object = json!({"metadata": {"name": name, "labels": {"app": "web"}, "annotations": {"sandbox.kubekcloud.io/fail": fail}},
            "spec": {"containers": [{"name": "app", "image": "nginx:1", "ports": [{"name": "serving", "containerPort": 8080}]}]}});
        pods.create(&PostParams::default(), &from(object)).await.expect("created");
    }
    let own = ListParams::default().labels("kubernetes.io/service-name=web");
    let shown = |ready: usize, all: usize| {
        let (slices, own) = (slices.clone(), own.clone());
        async move {
            let slice = slices.list(&own).await.expect("a list").items.pop()?;
            let count = slice.endpoints.iter().filter(|e| e.conditions.as_ref().and_then(|c| c.ready) == Some(true)).count();
            (count == ready && slice.endpoints.len() == all).then_some(slice)
        }
    };
    let slice = eventually("one of two is ready", || shown(1, 2)).await;
    let port = slice.ports.expect("ports").remove(0);
    assert_eq!((port.name.as_deref(), port.port), (Some("http"), Some(8080)));
    let subset = eventually("the old form says the same", || async { endpoints.get_opt("web").await.expect("read")?.subsets?.pop() }).await;
    assert_eq!((subset.addresses.map(|a| a.len()), subset.not_ready_addresses.map(|a| a.len())), (Some(1), Some(1)));
    pods.delete("good", &DeleteParams::default()).await.expect("deleted");
    eventually("none is ready", || shown(0, 1)).await;
    services.delete("web", &DeleteParams::default()).await.expect("deleted");
    eventually("nothing is left", || async {
        (slices.list(&own).await.expect("a list").items.is_empty() && endpoints.get_opt("web").await.expect("read").is_none()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_quota_shows_what_its_namespace_uses() {
    let (_sandbox, client) = start().await;
    namespace(&client, "q").await;
    let (quotas, pods): (Api<ResourceQuota>, Api<Pod>) = (Api::namespaced(client.clone(), "q"), Api::namespaced(client.clone(), "q"));
    let hard = json!({"pods": "10", "requests.cpu": "4", "limits.memory": "8Gi", "count/configmaps": "20", "requests.storage": "100Gi", "persistentvolumeclaims": "5"});
    quotas.create(&PostParams::default(), &from(json!({"metadata": {"name": "q"}, "spec": {"hard": hard}}))).await.expect("created");
    for name in ["a", "b"] {
        let resources = json!({"requests": {"cpu": "250m"}, "limits": {"memory": "64Mi"}});
        let object = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "app", "image": "nginx:1", "resources": resources}]}});
        pods.create(&PostParams::default(), &from(object)).await.expect("created");
    }
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client, "q");
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}});
    claims.create(&PostParams::default(), &from(claim)).await.expect("created");
    let uses = |wanted: serde_json::Value| {
        let quotas = quotas.clone();
        async move {
            let used = serde_json::to_value(quotas.get("q").await.expect("read").status?.used).expect("JSON");
            (used == wanted).then_some(())
        }
    };
    let used = |pods: &str, cpu: &str, memory: &str| json!({"pods": pods, "requests.cpu": cpu, "limits.memory": memory, "count/configmaps": "1", "requests.storage": "5Gi", "persistentvolumeclaims": "1"});
    eventually("two Pods are counted", || uses(used("2", "500m", "128Mi"))).await;
    pods.delete("a", &DeleteParams::default()).await.expect("deleted");
    eventually("one is counted", || uses(used("1", "250m", "64Mi"))).await;
}

#[tokio::test]
async fn a_claim_stays_while_a_pod_uses_it_and_takes_its_volume_along() {
    let (_sandbox, client) = start().await;
    let (claims, pods): (Api<PersistentVolumeClaim>, Api<Pod>) =
        (Api::namespaced(client.clone(), "default"), Api::namespaced(client.clone(), "default"));
    let volumes: Api<PersistentVolume> = Api::all(client);
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let using = json!({"metadata": {"name": "p"}, "spec": {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}], "containers": [{"name": "app", "image": "nginx:1"}]}});
    pods.create(&PostParams::default(), &from(using)).await.expect("created");
    claims.create(&PostParams::default(), &from(claim)).await.expect("created");
    eventually("it runs once its claim is bound", || async { (phase(&pods.get("p").await.expect("read")) == "Running").then_some(()) }).await;
    let volume = claims.get("c").await.expect("read").spec.and_then(|s| s.volume_name).expect("a volume");
    claims.delete("c", &DeleteParams::default()).await.expect("deleted");
    assert!(claims.get("c").await.expect("still there").metadata.deletion_timestamp.is_some());
    pods.delete("p", &DeleteParams::default()).await.expect("deleted");
    eventually("the claim is gone", || async { claims.get_opt("c").await.expect("read").is_none().then_some(()) }).await;
    eventually("and the volume", || async { volumes.get_opt(&volume).await.expect("read").is_none().then_some(()) }).await;
}
