//! KubeVirt's life cycle and subresources.

use crate::support::{DEADLINE, eventually, from, namespace, refused, start, vmis, vms};
use futures::{StreamExt, TryStreamExt};
use kube::api::{DeleteParams, DynamicObject, PostParams, WatchEvent, WatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};

fn machine(name: &str, strategy: &str) -> DynamicObject {
    from(json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": name}, "spec": {"runStrategy": strategy,
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"domain": {"cpu": {"cores": 2}, "memory": {"guest": "1Gi"},
            "devices": {"disks": [{"name": "root", "disk": {"bus": "virtio"}}]}}, "volumes": [{"name": "root", "containerDisk": {"image": "quay.lab.test/fedora:42"}}]}}}}))
}

async fn call(client: &Client, what: &str, name: &str, verb: &str) -> Result<String, kube::Error> {
    let path = format!("/apis/subresources.kubevirt.io/v1/namespaces/a/{what}/{name}/{verb}");
    client.request_text(http::Request::put(path).body(Vec::new()).expect("a request")).await
}

async fn shows(api: &Api<DynamicObject>, name: &str, status: &str) -> Value {
    eventually(status, || async {
        let vm = api.get(name).await.expect("read");
        (vm.data["status"]["printableStatus"] == status).then(|| vm.data["status"].clone())
    })
    .await
}

async fn ready(api: &Api<DynamicObject>, name: &str) {
    eventually("ready", || async { (api.get(name).await.expect("read").data["status"]["ready"] == true).then_some(()) }).await;
}

#[tokio::test]
async fn a_machine_starts_pauses_stops_and_goes() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let (vms, vmis) = (vms(&client, "a"), vmis(&client, "a"));
    let made = vms.create(&PostParams::default(), &machine("vm1", "Always")).await.expect("created");
    let mut changes = vms.watch(&WatchParams::default(), &made.resource_version().expect("a version")).await.expect("a watch").boxed();
    let mut seen: Vec<String> = Vec::new();
    let follow = async {
        while seen.last().is_none_or(|s| s != "Running") {
            if let Some(WatchEvent::Modified(vm)) = changes.try_next().await.expect("an event") {
                let status = vm.data["status"]["printableStatus"].as_str().unwrap_or_default().to_owned();
                // The first changes may come before the first status.
                if !status.is_empty() && seen.last() != Some(&status) {
                    seen.push(status);
                }
            }
        }
    };
    tokio::time::timeout(DEADLINE, follow).await.expect("it runs");
    assert_eq!(seen, ["Stopped", "Starting", "Running"]);
    ready(&vms, "vm1").await;
    let vmi = vmis.get("vm1").await.expect("an instance");
    assert_eq!(vmi.data["status"]["nodeName"], "sandbox-node-0");
    assert!(vmi.data["status"]["interfaces"][0]["ipAddress"].as_str().expect("an address").starts_with("127.96."));

    let already = refused(call(&client, "virtualmachines", "vm1", "start").await);
    assert_eq!(already.2, r#"Operation cannot be fulfilled on virtualmachine.kubevirt.io "vm1": VM is already running"#);
    assert_eq!(refused(call(&client, "virtualmachineinstances", "vm1", "unpause").await).0, 409);
    call(&client, "virtualmachineinstances", "vm1", "pause").await.expect("paused");
    shows(&vms, "vm1", "Paused").await;
    let paused = eventually("not ready", || async {
        let status = vms.get("vm1").await.expect("read").data["status"].clone();
        status.get("ready").is_none().then_some(status)
    })
    .await;
    let condition = |kind: &str| paused["conditions"].as_array().expect("conditions").iter().find(|c| c["type"] == kind).cloned().unwrap_or_default();
    assert_eq!(condition("Paused")["reason"], "PausedByUser");
    assert_eq!(refused(call(&client, "virtualmachineinstances", "vm1", "pause").await).0, 409);
    call(&client, "virtualmachineinstances", "vm1", "unpause").await.expect("unpaused");
    shows(&vms, "vm1", "Running").await;
    ready(&vms, "vm1").await;

    call(&client, "virtualmachines", "vm1", "stop").await.expect("stopping");
    shows(&vms, "vm1", "Stopped").await;
    eventually("the instance is gone", || async { vmis.get_opt("vm1").await.expect("read").is_none().then_some(()) }).await;
    let stopped = eventually("not created", || async {
        let vm = vms.get("vm1").await.expect("read");
        vm.data["status"].get("created").is_none().then_some(vm)
    })
    .await;
    assert_eq!(stopped.data["spec"]["runStrategy"], "Halted");
    let gone = refused(call(&client, "virtualmachineinstances", "vm1", "pause").await);
    assert_eq!((gone.0, gone.2.as_str()), (404, r#"virtualmachineinstance.kubevirt.io "vm1" not found"#));
    call(&client, "virtualmachines", "vm1", "start").await.expect("starting");
    shows(&vms, "vm1", "Running").await;

    vms.delete("vm1", &DeleteParams::default()).await.expect("deleted");
    eventually("it is gone", || async { vms.get_opt("vm1").await.expect("read").is_none().then_some(()) }).await;
    assert!(vmis.get_opt("vm1").await.expect("read").is_none());
}

#[tokio::test]
async fn a_restart_makes_a_new_instance() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let (vms, vmis) = (vms(&client, "a"), vmis(&client, "a"));
    vms.create(&PostParams::default(), &machine("vm1", "Always")).await.expect("created");
    ready(&vms, "vm1").await;
    let first = vmis.get("vm1").await.expect("an instance").uid();
    call(&client, "virtualmachines", "vm1", "restart").await.expect("restarting");
    eventually("another instance runs", || async {
        let vmi = vmis.get_opt("vm1").await.expect("read")?;
        (vmi.uid() != first && vmi.data["status"]["phase"] == "Running").then_some(())
    })
    .await;
    shows(&vms, "vm1", "Running").await;
}

#[tokio::test]
async fn machines_fail_in_the_way_that_is_asked_for() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let vms = vms(&client, "a");
    for (how, status) in [("image-pull", "ImagePullBackOff"), ("unschedulable", "ErrorUnschedulable")] {
        let mut vm = machine(how, "Always");
        vm.data["spec"]["template"]["metadata"]["annotations"] = json!({"sandbox.kubekcloud.io/fail": how});
        vms.create(&PostParams::default(), &vm).await.expect("created");
        shows(&vms, how, status).await;
    }
    let mut broken = machine("x", "Always");
    broken.data["spec"]["running"] = json!(true);
    let (code, reason, _) = refused(vms.create(&PostParams::default(), &broken).await);
    assert_eq!((code, reason.as_str()), (422, "Invalid"));
    vms.delete("image-pull", &DeleteParams::default()).await.expect("deleted");
    eventually("it is gone", || async { vms.get_opt("image-pull").await.expect("read").is_none().then_some(()) }).await;
}

#[tokio::test]
async fn a_halted_machine_stays_down_until_started() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let vms = vms(&client, "a");
    vms.create(&PostParams::default(), &machine("vm1", "Halted")).await.expect("created");
    let status = eventually("it says why it isn't ready", || async {
        let status = vms.get("vm1").await.expect("read").data["status"].clone();
        (status["conditions"][0]["reason"] == "VMINotExists").then_some(status)
    })
    .await;
    assert_eq!(status["printableStatus"], "Stopped");
    assert!(status.get("created").is_none() && status.get("ready").is_none());
    let refusal = refused(call(&client, "virtualmachines", "vm1", "stop").await);
    assert_eq!(refusal.2, r#"Operation cannot be fulfilled on virtualmachine.kubevirt.io "vm1": VM is not running"#);
}
