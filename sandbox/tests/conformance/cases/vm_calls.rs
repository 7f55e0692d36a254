//! KubeVirt's subresources: what each state answers to each call.

use serde_json::{Value, json};

use crate::harness::machine::{VM, VMI, VMS, failing, is_off, is_ready, machine, of_vm, of_vmi, reason, shows};
use crate::harness::{Talk, cases};

async fn made(t: &mut Talk, vm: Value, wanted: impl Fn(&Value) -> bool) {
    t.post(VMS, vm).quiet().await;
    t.until(VM, wanted).await;
}

/// Of a machine that does not let itself be called: none of these changes anything.
async fn refused(t: &mut Talk, of_machine: &[&str], of_instance: &[&str]) {
    for verb in of_machine {
        t.put(&of_vm(verb), json!({})).await;
    }
    for verb in of_instance {
        t.put(&of_vmi(verb), json!({})).await;
    }
}

cases! {
    of_nothing: |t| {
        refused(t, &["start", "stop", "restart", "migrate"], &["pause", "unpause", "softreboot", "reset", "freeze", "unfreeze"]).await;
        for verb in ["guestosinfo", "userlist", "filesystemlist", "console", "vnc"] {
            t.get(&of_vmi(verb)).await;
        }
    }
    of_a_stopped_machine: |t| {
        made(t, machine("Halted"), is_off).await;
        refused(t, &["stop", "restart", "migrate"], &["pause", "unpause", "softreboot"]).await;
        t.put(&of_vm("start"), json!({"dryRun": ["All"]})).await;
        for verb in ["guestosinfo", "console", "vnc"] {
            t.get(&of_vmi(verb)).await;
        }
        t.get(VM).only(&["/spec/runStrategy", "/status/printableStatus"]).await;
    }
    of_a_running_machine: |t| {
        made(t, machine("Always"), is_ready).await;
        refused(t, &["start"], &["unpause"]).await;
        t.put(&of_vm("restart"), json!({"gracePeriodSeconds": 5})).await;
        t.put(&of_vmi("pause"), json!({"dryRun": ["All"]})).await;
        refused(t, &[], &["softreboot", "reset", "unfreeze"]).await;
        t.put(&of_vmi("freeze"), json!({"unfreezeTimeout": "5s"})).await;
        for verb in ["guestosinfo", "userlist", "filesystemlist"] {
            t.get(&of_vmi(verb)).await;
        }
    }
    of_a_paused_machine: |t| {
        made(t, machine("Always"), is_ready).await;
        t.put(&of_vmi("pause"), json!({})).await;
        t.until(VM, |vm| reason(vm, "Ready") == "ReadinessGatesNotReady").await;
        refused(t, &["start"], &["pause", "softreboot"]).await;
        t.put(&of_vmi("reset"), json!({})).await;
        t.put(&of_vmi("freeze"), json!({})).await;
    }
    of_a_guest_with_an_agent: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["metadata"]["annotations"] = json!({"sandbox.kubekcloud.io/guest-agent": ""});
        made(t, vm, is_ready).await;
        for verb in ["guestosinfo", "userlist", "filesystemlist"] {
            t.get(&of_vmi(verb)).await;
        }
        t.get(VMI).only(&["/status/conditions"]).await;
    }
    of_a_stopping_machine: |t| {
        let mut vm = machine("Always");
        vm["metadata"]["annotations"] = json!({});
        vm["spec"]["template"]["metadata"]["annotations"] = json!({"sandbox.kubekcloud.io/fail": "stuck"});
        made(t, vm, is_ready).await;
        t.put(&of_vm("stop"), json!({})).await;
        t.until(VM, |vm| shows(vm, "Stopping")).await;
        refused(t, &["stop", "start", "restart"], &[]).await;
        t.put(&of_vmi("pause"), json!({})).await;
        // Only for the end of the case.
        t.patch("merge", VMI, json!({"metadata": {"annotations": {"sandbox.kubekcloud.io/fail": null}}})).quiet().await;
        t.until(VM, is_off).await;
    }
    of_a_machine_that_goes: |t| {
        made(t, failing("Always", "stuck"), is_ready).await;
        t.delete(VM).quiet().await;
        t.until(VM, |vm| shows(vm, "Terminating")).await;
        refused(t, &["start"], &[]).await;
        t.patch("merge", VMI, json!({"metadata": {"annotations": {"sandbox.kubekcloud.io/fail": null}}})).quiet().await;
        t.until(VM, |vm| vm["kind"] == "Status").await;
    }
    of_a_restarting_machine: |t| {
        made(t, failing("Always", "stuck"), is_ready).await;
        t.put(&of_vm("restart"), json!({})).await;
        t.put(&of_vm("restart"), json!({})).await;
        t.until(VM, |vm| shows(vm, "Stopping")).await;
        t.get(VM).only(&["/status/stateChangeRequests/0/action", "/status/stateChangeRequests/1"]).await;
        t.patch("merge", VMI, json!({"metadata": {"annotations": {"sandbox.kubekcloud.io/fail": null}}})).quiet().await;
        t.until(VM, is_ready).await;
    }
    of_a_manual_machine: |t| {
        made(t, machine("Manual"), is_off).await;
        refused(t, &["stop", "restart"], &[]).await;
        t.put(&of_vm("start"), json!({})).await;
        t.until(VM, is_ready).await;
        refused(t, &["start"], &[]).await;
        t.put(&of_vm("stop"), json!({})).await;
        t.until(VM, is_off).await;
    }
    of_a_machine_that_ran_once: |t| {
        made(t, machine("Once"), is_ready).await;
        refused(t, &["start", "restart"], &[]).await;
        t.patch("merge", VMI, json!({"metadata": {"annotations": {"sandbox.kubekcloud.io/guest": "power-off"}}})).quiet().await;
        t.until(VM, |vm| shows(vm, "Stopped")).await;
        refused(t, &["start", "restart"], &["pause", "unpause"]).await;
    }
    of_a_machine_that_backs_off: |t| {
        made(t, failing("Always", "crash-loop"), |vm| shows(vm, "CrashLoopBackOff") && reason(vm, "Ready") == "VMINotExists").await;
        refused(t, &["start", "restart"], &["pause"]).await;
        t.put(&of_vm("stop"), json!({})).await;
        t.until(VM, is_off).await;
    }
    of_a_machine_that_has_no_node: |t| {
        let mut vm = machine("Always");
        vm["spec"]["template"]["spec"]["nodeSelector"] = json!({"nowhere": "x"});
        made(t, vm, |vm| shows(vm, "ErrorUnschedulable")).await;
        refused(t, &["start"], &["pause", "unpause", "softreboot", "reset", "freeze"]).await;
        for verb in ["guestosinfo", "console"] {
            t.get(&of_vmi(verb)).await;
        }
    }
    stopped_sooner: |t| {
        made(t, failing("Always", "stuck"), is_ready).await;
        t.put(&of_vm("stop"), json!({"gracePeriod": 0})).await;
        t.until(VM, |vm| shows(vm, "Stopping")).await;
        t.get(VMI).only(&["/spec/terminationGracePeriodSeconds", "/metadata/deletionGracePeriodSeconds"]).await;
        t.get(VM).only(&["/spec"]).await;
        t.put(&of_vm("stop"), json!({"gracePeriod": 0})).await;
        t.put(&of_vm("stop"), json!({"gracePeriod": 9})).await;
        t.patch("merge", VMI, json!({"metadata": {"annotations": {"sandbox.kubekcloud.io/fail": null}}})).quiet().await;
        t.until(VM, is_off).await;
    }
    that_are_none: |t| {
        made(t, machine("Halted"), is_off).await;
        t.put(&of_vm("fly"), json!({})).await;
        t.put(&of_vmi("fly"), json!({})).await;
        t.post(&of_vm("start"), json!({})).await;
        t.get(&of_vm("start")).await;
        t.put(&of_vmi("guestosinfo"), json!({})).await;
        t.put(&of_vm("start"), json!("x")).await;
        t.call("PUT", &of_vm("start")).raw("application/json", "{no").await;
        t.get("/apis/subresources.kubevirt.io/v1/nothing").await;
    }
    migrate: |t| {
        made(t, machine("Always"), is_ready).await;
        t.put(&of_vm("migrate"), json!({})).await;
        t.get("/apis/kubevirt.io/v1/namespaces/{ns}/virtualmachineinstancemigrations").only(&["/items/0/spec", "/items/0/metadata/generateName"]).await;
        t.put(&of_vm("migrate"), json!({})).await;
    }
}
