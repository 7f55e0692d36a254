//! KubeVirt: what a machine and its instances go through.

use serde_json::{Value, json};

use crate::harness::cases;
use crate::harness::machine::{Life, PODS, VM, VMI, VMIS, VMS, condition, failing, is_off, is_ready, machine, of_vm, of_vmi, reason, shows};

const GUEST: &str = "sandbox.kubekcloud.io/guest";

fn guest(how: &str) -> Value {
    json!({"metadata": {"annotations": {GUEST: how}}})
}

/// Another instance than the first runs.
fn is_new(vmi: &Value) -> bool {
    vmi["status"]["phase"] == "Running" && vmi["metadata"]["annotations"][GUEST].is_null()
}

/// Stopped, whatever of its instance is still there.
fn is_down(vm: &Value) -> bool {
    shows(vm, "Stopped") && condition(vm, "Ready")["status"] == "False"
}

cases! {
    always: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.get(VM).only(&["/status"]).await;
        t.delete(VM).quiet().await;
        life.tell(t, "deleted", |vm| vm["kind"] == "Status").await;
    }
    halted: |t| {
        let mut life = Life::of(t, machine("Halted"), is_off).await;
        life.tell(t, "created", is_off).await;
        t.get(VM).only(&["/status"]).await;
        t.put(&of_vm("start"), json!({})).await;
        life.tell(t, "started", is_ready).await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
        t.get(VM).only(&["/status"]).await;
        t.delete(VM).quiet().await;
        t.until(VM, |vm| vm["kind"] == "Status").await;
    }
    manual: |t| {
        let mut life = Life::of(t, machine("Manual"), is_off).await;
        life.tell(t, "created", is_off).await;
        t.put(&of_vm("start"), json!({})).await;
        life.tell(t, "started", is_ready).await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
    }
    rerun_on_failure: |t| {
        let mut life = Life::of(t, machine("RerunOnFailure"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
    }
    once: |t| {
        let mut life = Life::of(t, machine("Once"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
    }
    strategy_is_changed: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        t.patch("merge", VM, json!({"spec": {"runStrategy": "Halted"}})).quiet().await;
        life.tell(t, "halted", is_off).await;
        t.patch("merge", VM, json!({"spec": {"runStrategy": "Always"}})).quiet().await;
        life.tell(t, "started", is_ready).await;
    }
    restart: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        let first = t.get(VMI).quiet().await.body["metadata"]["uid"].clone();
        t.put(&of_vm("restart"), json!({})).await;
        t.until(VMI, |vmi| vmi["metadata"]["uid"] != first && vmi["status"]["phase"] == "Running").await;
        life.tell(t, "restarted", is_ready).await;
    }
    pause_and_unpause: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.put(&of_vmi("pause"), json!({})).await;
        life.tell(t, "paused", |vm| reason(vm, "Ready") == "ReadinessGatesNotReady").await;
        t.get(VM).only(&["/status"]).await;
        t.put(&of_vmi("unpause"), json!({})).await;
        life.tell(t, "unpaused", is_ready).await;
    }
    a_paused_machine_is_stopped: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        t.put(&of_vmi("pause"), json!({})).quiet().await;
        life.tell(t, "paused", |vm| reason(vm, "Ready") == "ReadinessGatesNotReady").await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
        t.put(&of_vm("start"), json!({})).await;
        life.tell(t, "started", is_ready).await;
    }
    a_paused_machine_is_restarted: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        t.put(&of_vmi("pause"), json!({})).quiet().await;
        life.tell(t, "paused", |vm| reason(vm, "Ready") == "ReadinessGatesNotReady").await;
        t.put(&of_vm("restart"), json!({})).await;
        life.tell(t, "restarted", is_ready).await;
    }
    started_paused: |t| {
        let mut life = Life::of(t, machine("Halted"), is_off).await;
        life.tell(t, "created", is_off).await;
        t.put(&of_vm("start"), json!({"paused": true})).await;
        life.tell(t, "started", |vm| shows(vm, "Paused") && reason(vm, "Ready") == "ReadinessGatesNotReady").await;
        t.get(VMI).only(&["/spec/startStrategy", "/status/conditions"]).await;
        t.put(&of_vmi("unpause"), json!({})).await;
        life.tell(t, "unpaused", is_ready).await;
    }
    manual_started_paused: |t| {
        let mut life = Life::of(t, machine("Manual"), is_off).await;
        life.tell(t, "created", is_off).await;
        t.put(&of_vm("start"), json!({"paused": true})).await;
        life.tell(t, "started", |vm| shows(vm, "Paused") && reason(vm, "Ready") == "ReadinessGatesNotReady").await;
    }
    template_starts_paused: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["spec"]["startStrategy"] = json!("Paused");
        let mut life = Life::of(t, vm, |vm| shows(vm, "Paused")).await;
        life.tell(t, "created", |vm| reason(vm, "Ready") == "ReadinessGatesNotReady").await;
    }
    power_off_always: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VMI, guest("power-off")).quiet().await;
        t.until(VMI, is_new).await;
        life.tell(t, "powered off", is_ready).await;
    }
    power_off_rerun_on_failure: |t| {
        let mut life = Life::of(t, machine("RerunOnFailure"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VMI, guest("power-off")).quiet().await;
        life.tell(t, "powered off", is_off).await;
    }
    power_off_manual: |t| {
        let mut life = Life::of(t, machine("Manual"), is_off).await;
        t.put(&of_vm("start"), json!({})).quiet().await;
        life.tell(t, "started", is_ready).await;
        t.patch("merge", VMI, guest("power-off")).quiet().await;
        life.tell(t, "powered off", is_down).await;
        t.get(VM).only(&["/status/created", "/status/ready", "/status/runStrategy", "/status/desiredGeneration", "/status/observedGeneration"]).await;
        t.put(&of_vm("start"), json!({})).await;
        t.until(VMI, is_new).await;
        life.tell(t, "started again", is_ready).await;
    }
    power_off_once: |t| {
        let mut life = Life::of(t, machine("Once"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VMI, guest("power-off")).quiet().await;
        life.tell(t, "powered off", is_down).await;
        t.put(&of_vm("start"), json!({})).await;
    }
    crash_always: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VMI, guest("crash")).quiet().await;
        t.until(VMI, is_new).await;
        life.tell(t, "crashed", is_ready).await;
    }
    crash_rerun_on_failure: |t| {
        let mut life = Life::of(t, machine("RerunOnFailure"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VMI, guest("crash")).quiet().await;
        t.until(VMI, is_new).await;
        life.tell(t, "crashed", is_ready).await;
    }
    crash_manual: |t| {
        let mut life = Life::of(t, machine("Manual"), is_off).await;
        t.put(&of_vm("start"), json!({})).quiet().await;
        life.tell(t, "started", is_ready).await;
        t.patch("merge", VMI, guest("crash")).quiet().await;
        life.tell(t, "crashed", is_down).await;
    }
    crash_once: |t| {
        let mut life = Life::of(t, machine("Once"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VMI, guest("crash")).quiet().await;
        life.tell(t, "crashed", is_down).await;
    }
    crash_loop: |t| {
        let mut life = Life::of(t, failing("Always", "crash-loop"), |vm| shows(vm, "CrashLoopBackOff")).await;
        life.tell(t, "failed", |vm| reason(vm, "Ready") == "VMINotExists").await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
        t.put(&of_vm("start"), json!({})).await;
        life.tell(t, "failed again", |vm| shows(vm, "CrashLoopBackOff") && reason(vm, "Ready") == "VMINotExists").await;
    }
    crash_loop_tries_again: |t| {
        let failed = |count: u64| move |vm: &Value| vm["status"]["startFailure"]["consecutiveFailCount"] == count && reason(vm, "Ready") == "VMINotExists";
        let mut life = Life::of(t, failing("Always", "crash-loop"), failed(1)).await;
        life.tell(t, "failed", failed(1)).await;
        life.tell(t, "failed again", failed(2)).await;
    }
    crash_loop_by_strategy: |t| {
        for strategy in ["Manual", "Once", "RerunOnFailure"] {
            let mut life = Life::begin(t).await;
            t.post(VMS, failing(strategy, "crash-loop")).quiet().await;
            if strategy == "Manual" {
                t.until(VM, is_off).await;
                t.put(&of_vm("start"), json!({})).quiet().await;
            }
            t.until(VMI, |vmi| vmi["status"]["phase"] == "Failed" || vmi["metadata"]["deletionTimestamp"].is_string()).await;
            life.tell(t, strategy, |vm| ["Stopped", "CrashLoopBackOff"].iter().any(|s| shows(vm, s))).await;
            t.delete(VM).quiet().await;
            t.until(VM, |vm| vm["kind"] == "Status").await;
        }
    }
    unschedulable: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["spec"]["nodeSelector"] = json!({"nowhere": "x"});
        let mut life = Life::of(t, vm, |vm| shows(vm, "ErrorUnschedulable")).await;
        life.tell(t, "created", |vm| shows(vm, "ErrorUnschedulable")).await;
        t.put(&of_vm("stop"), json!({})).await;
        life.tell(t, "stopped", is_off).await;
    }
    unschedulable_is_deleted: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["spec"]["nodeSelector"] = json!({"nowhere": "x"});
        let mut life = Life::of(t, vm, |vm| shows(vm, "ErrorUnschedulable")).await;
        life.tell(t, "created", |vm| shows(vm, "ErrorUnschedulable")).await;
        t.delete(VM).quiet().await;
        life.tell(t, "deleted", |vm| vm["kind"] == "Status").await;
    }
    image_pull: |t| {
        let mut life = Life::of(t, failing("Always", "image-pull"), |vm| shows(vm, "ImagePullBackOff")).await;
        life.tell(t, "created", |vm| shows(vm, "ImagePullBackOff")).await;
        t.delete(VM).quiet().await;
        life.tell(t, "deleted", |vm| vm["kind"] == "Status").await;
    }
    claim_is_missing: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["spec"]["volumes"] = json!([{"name": "root", "persistentVolumeClaim": {"claimName": "disk"}}]);
        let mut life = Life::of(t, vm, |vm| shows(vm, "ErrorPvcNotFound")).await;
        life.tell(t, "created", |vm| shows(vm, "ErrorPvcNotFound")).await;
        let vm = t.get(VM).quiet().await.body;
        for kind in ["Ready", "Synchronized", "PodScheduled"] {
            t.note(kind, condition(&vm, kind)["message"].clone());
        }
        t.delete(VM).quiet().await;
        life.tell(t, "deleted", |vm| vm["kind"] == "Status").await;
    }
    no_memory: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["spec"]["domain"]["memory"] = json!({});
        let mut life = Life::of(t, vm, |vm| condition(vm, "Failure")["status"] == "True").await;
        life.tell(t, "created", |vm| condition(vm, "Failure")["status"] == "True").await;
        t.get(VM).only(&["/status"]).await;
    }
    template_changes_while_it_runs: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        t.patch("merge", VM, json!({"spec": {"template": {"spec": {"domain": {"cpu": {"cores": 4}}}}}})).quiet().await;
        life.tell(t, "changed", |vm| condition(vm, "RestartRequired")["status"] == "True").await;
        t.get(VM).only(&["/status"]).await;
        let first = t.get(VMI).quiet().await.body["metadata"]["uid"].clone();
        t.put(&of_vm("restart"), json!({})).await;
        t.until(VMI, |vmi| vmi["metadata"]["uid"] != first && vmi["status"]["phase"] == "Running").await;
        life.tell(t, "restarted", is_ready).await;
        t.get(VMI).only(&["/spec/domain/cpu"]).await;
    }
    launcher_is_deleted: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        let pods = t.get(PODS).quiet().await.body;
        let name = pods["items"][0]["metadata"]["name"].as_str().expect("a launcher").to_owned();
        let first = t.get(VMI).quiet().await.body["metadata"]["uid"].clone();
        t.delete(&format!("{PODS}/{name}")).quiet().await;
        t.until(VMI, |vmi| vmi["metadata"]["uid"] != first && vmi["status"]["phase"] == "Running").await;
        life.tell(t, "its launcher was deleted", is_ready).await;
    }
    instance_is_deleted: |t| {
        let mut life = Life::of(t, machine("Always"), is_ready).await;
        life.tell(t, "created", is_ready).await;
        let first = t.get(VMI).quiet().await.body["metadata"]["uid"].clone();
        t.delete(VMI).quiet().await;
        t.until(VMI, |vmi| vmi["metadata"]["uid"] != first && vmi["status"]["phase"] == "Running").await;
        life.tell(t, "its instance was deleted", is_ready).await;
    }
    instance_of_its_own: |t| {
        let vm = machine("Always");
        let vmi = json!({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", "metadata": {"name": "vm"}, "spec": vm["spec"]["template"]["spec"]});
        t.post(VMIS, vmi).quiet().await;
        t.until(VMI, |vmi| condition(vmi, "Ready")["status"] == "True").await;
        t.delete(VMI).quiet().await;
        t.until(VMI, |vmi| vmi["kind"] == "Status").await;
    }
    deleted_while_it_starts: |t| {
        t.post(VMS, machine("Always")).quiet().await;
        t.until(VMI, |vmi| vmi["status"]["phase"] == "Scheduled").await;
        t.delete(VM).quiet().await;
        t.until(VM, |vm| vm["kind"] == "Status").await;
        t.get(VMIS).only(&["/items"]).await;
    }
}
