//! The state table, on containers and on VMs.

use kube::api::ListParams;
use serde_json::json;

use crate::harness::{Client, Server, eventually, instance_ids, unique};

/// Walks every edge of the state table, and every one that isn't there.
pub(crate) async fn walk(user: &Client, id: i64) {
    let op = async |operation: &str, status: u16, state: &str| {
        let answer = user.operate_to_end(id, operation).await.expect(status);
        if status == 200 {
            assert_eq!((answer["status"].as_str(), answer["settled"].as_bool()), (Some(state), Some(true)), "{operation}: {answer}");
        } else {
            assert_eq!(answer["code"], "conflict");
            assert_eq!(answer["allowed"], json!(state.split(' ').collect::<Vec<_>>()), "{operation}: {answer}");
        }
    };
    op("start", 200, "running").await; // A repeat changes nothing.
    op("resume", 200, "running").await;
    op("stop", 200, "stopped").await;
    op("stop", 200, "stopped").await;
    op("suspend", 409, "start").await;
    op("resume", 409, "start").await;
    op("start", 200, "running").await;
    op("suspend", 200, "suspended").await;
    op("suspend", 200, "suspended").await;
    op("start", 409, "resume").await;
    op("stop", 409, "resume").await;
    op("resume", 200, "running").await;
}

#[tokio::test]
async fn a_container_follows_the_state_table() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("ops"), "container", 1).await;
    let id = instance_ids(&cluster)[0];
    walk(&user, id).await;

    let suspended = user.operate(id, "suspend").await.expect(200);
    assert_eq!(suspended["suspend"]["semantics"], "scale-to-zero");
    assert_eq!(suspended["suspend"]["memory_preserved"], false);
    let pods = kubernetes.pods(cluster["namespace"].as_str().expect("a namespace")).list(&ListParams::default()).await.expect("lists");
    assert!(pods.items.is_empty(), "a suspended container has no Pod");
    assert_eq!(user.used().await, (1.0, 1.0), "quota counts from create to delete, running or not");
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}

#[tokio::test]
async fn a_vm_follows_the_state_table_and_keeps_its_memory() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("vm"), "vm", 1).await;
    assert_eq!(cluster["status"], "running", "{cluster}");
    let id = instance_ids(&cluster)[0];
    assert!(cluster["instances"][0]["ip"].is_string(), "{cluster}");
    walk(&user, id).await;
    let suspended = user.operate(id, "suspend").await.expect(200);
    assert_eq!(suspended["suspend"]["semantics"], "paused-in-ram");
    assert_eq!(suspended["suspend"]["memory_preserved"], true);
    user.operate(id, "resume").await.expect(200);
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
    assert_eq!(user.used().await, (0.0, 0.0));
}

#[tokio::test]
async fn a_vm_takes_a_disk_a_key_and_cloud_init() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let name = unique("full");
    let body = json!({
        "name": name, "instance_type": "vm", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1, "disk_gb": 2,
        "image": "registry.example/disk:1", "ssh_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@host", "cloud_init": "#cloud-config\npackages: [htop]\n"
    });
    // Without a provisioner the claim stays pending, and with it the VM: what was asked for is looked at, not waited for.
    let cluster = user.post("/api/v1/clusters", &body).await.expect(201);
    let namespace = cluster["namespace"].as_str().expect("a namespace").to_owned();
    let claims = kube::Api::<k8s_openapi::api::core::v1::PersistentVolumeClaim>::namespaced(kubernetes.client.clone(), &namespace);
    let resource = kube::core::ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk("kubevirt.io", "v1", "VirtualMachine"));
    let vms = kube::Api::<kube::core::DynamicObject>::namespaced_with(kubernetes.client.clone(), &namespace, &resource);
    let vm = eventually("claim and VM exist", 60, || async {
        claims.get_opt(&format!("{name}-instance-1-data")).await.expect("asks")?;
        vms.get_opt(&format!("{name}-instance-1")).await.expect("asks")
    })
    .await;
    let template = &vm.data["spec"]["template"]["spec"];
    assert_eq!(template["domain"]["cpu"]["cores"], 1);
    assert_eq!(vm.data["spec"]["runStrategy"], "Always");
    assert!(vm.data["spec"].get("running").is_none(), "deprecated, and refused beside runStrategy");
    let volumes = template["volumes"].as_array().expect("volumes");
    assert!(volumes.iter().any(|v| v["containerDisk"]["image"] == "registry.example/disk:1"), "{volumes:?}");
    assert!(volumes.iter().any(|v| v["cloudInitNoCloud"]["secretRef"]["name"].is_string()), "{volumes:?}");
    let quota = user.get("/api/v1/users/me/quota").await.expect(200);
    assert_eq!(quota["used_storage"].as_f64(), Some(2.0));
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
    let quota = user.get("/api/v1/users/me/quota").await.expect(200);
    assert_eq!(quota["used_storage"].as_f64(), Some(0.0));
}

#[tokio::test]
async fn a_container_shows_its_events_and_its_log() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("look"), "container", 1).await;
    let id = instance_ids(&cluster)[0];
    let events = user.get(&format!("/api/v1/instances/{id}/events")).await.expect(200);
    let scheduled = events.as_array().expect("an array").iter().find(|event| event["reason"] == "Scheduled");
    let scheduled = scheduled.unwrap_or_else(|| panic!("not scheduled: {events}"));
    assert!(scheduled["object"].as_str().is_some_and(|object| object.starts_with("Pod/")) && scheduled["last_seen"].is_string());
    let log = async |query: &str| user.get(&format!("/api/v1/instances/{id}/logs{query}")).await;
    if crate::harness::is_real() {
        // Fake nodes have no kubelet to ask: the member's failure is named, not hidden.
        log("?tail=5").await.expect_problem(502, "member_failed", None);
    } else {
        // What the sandbox has an nginx say at its start: its own words, whole and in their order.
        let all = eventually("it has spoken", 30, || async { Some(log("").await).filter(|log| log.text.lines().count() >= 3) }).await;
        assert_eq!(all.status, 200, "{}", all.text);
        let lines: Vec<_> = all.text.lines().collect();
        assert_eq!(lines[0], "/docker-entrypoint.sh: Configuration complete; ready for start up");
        assert!(lines[1].ends_with(" [notice] 1#1: start worker processes"), "{}", lines[1]);
        assert_eq!(lines[2], "started (simulated by the sandbox)");
        let (last, all) = (log("?tail=2").await.text, log("").await.text);
        assert!(last.lines().count() == 2 && !last.contains(lines[0]) && all.contains(&last), "{last}");
    }
    user.operate(id, "stop").await.expect(200);
    user.get(&format!("/api/v1/instances/{id}/logs")).await.expect_problem(409, "conflict", None);
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}

#[tokio::test]
async fn strict_mode_refuses_to_lose_memory() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let (container, vm) = (user.cluster(&unique("strict"), "container", 1).await, user.cluster(&unique("strict"), "vm", 1).await);
    let suspend = async |cluster: &serde_json::Value, mode: &str| {
        let path = format!("/api/v1/instances/{}/operate?mode={mode}", instance_ids(cluster)[0]);
        user.post(&path, &json!({"operation": "suspend"})).await
    };
    suspend(&container, "strict").await.expect_problem(409, "suspend_not_supported", None);
    suspend(&container, "lax").await.expect_problem(422, "invalid", Some("mode"));
    let all = format!("/api/v1/clusters/{}/suspend", container["id"]);
    user.post_empty(&format!("{all}?mode=strict")).await.expect_problem(409, "suspend_not_supported", None);
    assert_eq!(user.detail(container["id"].as_i64().expect("id")).await["status"], "running", "and nothing has happened");
    assert_eq!(suspend(&vm, "strict").await.expect(200)["status"], "suspended");
    let result = user.post_empty(&all).await.expect(200);
    assert_eq!((result["suspended"].as_i64(), result["suspend"]["memory_preserved"].as_bool()), (Some(1), Some(false)), "{result}");
    for cluster in [container, vm] {
        user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
    }
}

#[tokio::test]
async fn what_is_under_way_can_be_turned_back_and_nothing_else() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("both"), "container", 1).await;
    let (id, namespace) = (instance_ids(&cluster)[0], cluster["namespace"].as_str().expect("a namespace"));
    let pod = cluster["instances"][0]["k8s_resource_name"].as_str().expect("a name");
    let hold = async |finalizers: serde_json::Value| {
        let patch = kube::api::Patch::Merge(json!({"metadata": {"finalizers": finalizers}}));
        kubernetes.pods(namespace).patch(pod, &kube::api::PatchParams::default(), &patch).await.expect("patches")
    };
    hold(json!(["tests.example/hold"])).await;
    let stopping = user.operate(id, "stop").await.expect(202);
    assert_eq!((stopping["settled"].as_bool(), stopping["transition"].as_str()), (Some(false), Some("stopping")));
    let refused = user.operate(id, "suspend").await.expect_problem(409, "conflict", None);
    assert_eq!(refused["allowed"], json!(["start"]), "{refused}");
    let back = user.operate(id, "start").await.expect(202);
    assert_eq!(back["desired"], "running", "the Pod that is on its way out is waited for");
    hold(json!([])).await;
    assert_eq!(user.settled(cluster["id"].as_i64().expect("id"), "running").await["status"], "running");
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}
