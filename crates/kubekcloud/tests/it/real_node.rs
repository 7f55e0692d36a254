//! Containers that really run: what they print, how they end, what is kept of them.
//!
//! The images are those of `cargo xtask kube up --node`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{
    Api,
    api::{AttachParams, PostParams},
};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::{
    harness::{Client, Kubernetes, Server, ServerOptions, TestDatabase, eventually, instance_ids, unique},
    operations::walk,
};

/// A server on the real node, a user of it, and what they stand on.
struct World {
    user: Client,
    kubernetes: Kubernetes,
    _server: Server,
    _database: TestDatabase,
}

impl World {
    async fn fresh() -> Option<Self> {
        let kubernetes = Kubernetes::with_real_node().await?;
        let database = TestDatabase::fresh().await;
        let server = Server::start(&database, &kubernetes, ServerOptions::default()).await;
        Some(Self { user: server.user().await, kubernetes, _server: server, _database: database })
    }

    /// Asks for one small container: a tenth of a CPU, 64 MiB.
    async fn container(&self, more: &[(&str, Value)]) -> Container<'_> {
        let mut body = json!({
            "name": unique("real"), "instance_type": "container", "instance_count": 1,
            "cpu_per_instance": "100m", "memory_per_instance": "64Mi",
        });
        for (field, value) in more {
            body[*field] = value.clone();
        }
        let cluster = self.user.post("/api/v1/clusters", &body).await.expect(201);
        Container { user: &self.user, cluster: cluster["id"].as_i64().expect("an id"), id: instance_ids(&cluster)[0] }
    }
}

struct Container<'a> {
    user: &'a Client,
    cluster: i64,
    id: i64,
}

impl Container<'_> {
    async fn running(&self) -> Value {
        self.user.settled(self.cluster, "running").await["instances"][0].clone()
    }

    /// Waits for a state's reason and message.
    async fn says(&self, what: &str, said: impl Fn(&str, &str) -> bool) {
        eventually(what, 120, || async {
            let detail = self.user.detail(self.cluster).await;
            let instance = &detail["instances"][0];
            said(instance["reason"].as_str().unwrap_or_default(), instance["message"].as_str().unwrap_or_default()).then_some(())
        })
        .await;
    }

    async fn log(&self) -> String {
        self.user.get(&format!("/api/v1/instances/{}/logs", self.id)).await.text
    }

    async fn event_reasons(&self) -> Vec<String> {
        let events = self.user.get(&format!("/api/v1/instances/{}/events", self.id)).await.expect(200);
        events.as_array().expect("an array").iter().map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect()
    }

    async fn delete(&self) {
        self.user.delete_cluster(self.cluster).await;
    }
}

/// What a shell in the instance's container prints.
async fn shell(kubernetes: &Kubernetes, instance: &Value, script: &str) -> String {
    let pods = kubernetes.pods(instance["namespace"].as_str().expect("a namespace"));
    let params = AttachParams::default().stderr(false);
    let pod = instance["k8s_resource_name"].as_str().expect("a name");
    let mut process = pods.exec(pod, ["sh", "-c", script], &params).await.expect("runs");
    let mut printed = String::new();
    process.stdout().expect("attached").read_to_string(&mut printed).await.expect("reads");
    process.join().await.expect("ends");
    printed
}

#[tokio::test]
async fn a_container_that_runs_follows_the_state_table() {
    let Some(world) = World::fresh().await else { return };
    let container = world.container(&[]).await;
    let instance = container.running().await;
    assert!(instance["ip"].is_string() && instance["node"].is_string(), "{instance}");
    walk(&world.user, container.id).await;
    container.delete().await;
}

#[tokio::test]
async fn what_a_container_prints_is_its_log_and_the_kubelet_tells_how_it_started() {
    let Some(world) = World::fresh().await else { return };
    let container = world.container(&[]).await;
    container.running().await;
    assert_eq!(eventually("it prints", 30, || async { Some(container.log().await).filter(|log| !log.is_empty()) }).await, "serving\n");
    let reasons = container.event_reasons().await;
    for reason in ["Scheduled", "Created", "Started"] {
        assert!(reasons.iter().any(|found| found == reason), "{reason} is not among {reasons:?}");
    }
    container.delete().await;
}

#[tokio::test]
async fn a_container_that_crashes_shows_how_it_ended_and_its_last_words() {
    let Some(world) = World::fresh().await else { return };
    let container = world.container(&[("image", json!("registry.test/crash:1"))]).await;
    container.says("the crash is told", |reason, message| matches!(reason, "Error" | "CrashLoopBackOff") && message.contains('3')).await;
    assert_ne!(world.user.detail(container.cluster).await["status"], "running");
    // Between two tries there may be a container that has not spoken yet.
    eventually("its last words are there", 60, || async { (container.log().await == "no such table\n").then_some(()) }).await;
    container.delete().await;
}

#[tokio::test]
async fn a_container_whose_program_just_ends_is_not_called_running() {
    let Some(world) = World::fresh().await else { return };
    // Its shell reads the end of its input.
    let container = world.container(&[("image", json!("busybox"))]).await;
    container.says("the end is told", |reason, message| format!("{reason} {message}").contains("Completed")).await;
    assert_ne!(world.user.detail(container.cluster).await["status"], "running");
    container.delete().await;
}

#[tokio::test]
async fn a_container_that_wants_more_memory_than_it_has_is_told_so() {
    let Some(world) = World::fresh().await else { return };
    let container = world.container(&[("image", json!("registry.test/hungry:1"))]).await;
    container.says("the kill is told", |reason, message| format!("{reason} {message}").contains("OOMKilled")).await;
    container.delete().await;
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_is_named_with_the_registrys_reason() {
    let Some(world) = World::fresh().await else { return };
    for (image, why) in [("registry.test/shop/nope:1.0", "not found"), ("registry.test/private/shop:1.0", "access denied")] {
        let container = world.container(&[("image", json!(image))]).await;
        let told =
            |reason: &str, message: &str| matches!(reason, "ErrImagePull" | "ImagePullBackOff") && message.contains(image) && message.contains(why);
        container.says(&format!("{image}: {why}"), told).await;
        container.delete().await;
    }
}

#[tokio::test]
async fn a_disk_keeps_its_files_while_its_container_is_stopped() {
    let Some(world) = World::fresh().await else { return };
    offer_volume(&world.kubernetes).await;
    let container = world.container(&[("disk_gb", json!(1))]).await;
    let instance = container.running().await;
    shell(&world.kubernetes, &instance, "echo kept > /data/file; echo lost > /tmp/file; sync").await;
    world.user.operate_to_end(container.id, "stop").await.expect(200);
    world.user.operate_to_end(container.id, "start").await.expect(200);
    let instance = container.running().await;
    assert_eq!(shell(&world.kubernetes, &instance, "cat /data/file; test -e /tmp/file || echo gone").await, "kept\ngone\n");
    container.delete().await;
}

/// A directory of the node's for the one claim: there is no provisioner.
async fn offer_volume(kubernetes: &Kubernetes) {
    let name = unique("volume");
    let volume = json!({
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": format!("/var/lib/volumes/{name}"), "type": "DirectoryOrCreate"},
        },
    });
    let volume = serde_json::from_value(volume).expect("a volume");
    Api::<PersistentVolume>::all(kubernetes.client.clone()).create(&PostParams::default(), &volume).await.expect("creates");
}
