//! KubeVirt: the whole objects, what is filled in and what is refused.

use serde_json::json;

use crate::harness::cases;
use crate::harness::machine::{Life, PODS, VM, VMI, VMIS, VMS, is_ready, machine};

cases! {
    a_machine: |t| {
        Life::of(t, machine("Always"), is_ready).await;
        t.get(VM).await;
    }
    an_instance: |t| {
        Life::of(t, machine("Always"), is_ready).await;
        t.get(VMI).only(&["/metadata/annotations", "/metadata/finalizers", "/metadata/labels", "/metadata/ownerReferences", "/spec", "/status"]).await;
    }
    a_launcher: |t| {
        Life::of(t, machine("Always"), is_ready).await;
        t.get(PODS).only(&["/items/0/metadata", "/items/0/status/conditions", "/items/0/status/phase", "/items/0/status/qosClass",
            "/items/0/spec/containers/0/resources", "/items/0/spec/terminationGracePeriodSeconds", "/items/0/spec/readinessGates",
            "/items/0/spec/restartPolicy"]).await;
    }
    as_tables: |t| {
        Life::of(t, machine("Always"), is_ready).await;
        for path in [VMS, VMIS] {
            t.get(path).accept("application/json;as=Table;v=v1;g=meta.k8s.io").only(&["/columnDefinitions", "/rows/0/cells"]).await;
        }
    }
    created: |t| {
        t.post(VMS, machine("Halted")).await;
        t.post(VMS, machine("Halted")).await;
    }
    events: |t| {
        Life::of(t, machine("Always"), is_ready).await;
        t.delete(VM).quiet().await;
        t.until(VM, |vm| vm["kind"] == "Status").await;
        let events = t.get("/api/v1/namespaces/{ns}/events").quiet().await.body;
        let word = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        let said: serde_json::Map<String, serde_json::Value> = events["items"].as_array().expect("events").iter()
            .filter(|e| e["involvedObject"]["kind"] != "Pod")
            .map(|e| {
                let message = word(&e["message"]);
                let message = match message.split_once("virt-launcher-vm-") {
                    Some((before, after)) => format!("{before}virt-launcher-vm-<5 generated>{}", &after[5..]),
                    None => message,
                };
                let key = format!("{} {}", word(&e["involvedObject"]["kind"]), word(&e["reason"]));
                (key, json!(format!("{} {}: {message}", word(&e["source"]["component"]), word(&e["type"]))))
            }).collect();
        t.note("events", json!(said));
    }
    refused: |t| {
        let without = |path: &str| {
            let mut vm = machine("Halted");
            let (parent, key) = path.rsplit_once('/').expect("a pointer");
            vm.pointer_mut(parent).and_then(serde_json::Value::as_object_mut).expect("an object").remove(key);
            vm
        };
        let with = |path: &str, value: serde_json::Value| {
            let mut vm = machine("Halted");
            let (parent, key) = path.rsplit_once('/').expect("a pointer");
            vm.pointer_mut(parent).expect("there")[key] = value;
            vm
        };
        t.post(VMS, without("/spec/runStrategy")).await;
        t.post(VMS, without("/spec/template")).await;
        t.post(VMS, with("/spec/running", json!(true))).await;
        t.post(VMS, with("/spec/runStrategy", json!("Sometimes"))).await;
        t.post(VMS, with("/spec/template/spec/volumes", json!([]))).await;
        t.post(VMS, with("/spec/template/spec/volumes", json!([{"name": "root"}]))).await;
        let disk = json!({"name": "root", "containerDisk": {"image": "registry.test/disk:1"}});
        t.post(VMS, with("/spec/template/spec/volumes", json!([disk, disk]))).await;
        t.post(VMS, with("/spec/template/spec/domain/devices/disks", json!([{"name": "root", "disk": {"bus": "floppy"}}]))).await;
        t.post(VMS, with("/spec/template/spec/domain/memory", json!({"guest": "lots"}))).await;
        t.post(VMS, with("/spec/template/spec/domain/resources", json!({"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}}))).await;
        t.post(VMS, with("/spec/dataVolumeTemplates", json!([{"metadata": {"name": "x"}, "spec": {"source": {"blank": {}}}}]))).await;
    }
    running_is_an_old_word: |t| {
        let mut vm = machine("Always");
        vm["spec"].as_object_mut().expect("an object").remove("runStrategy");
        vm["spec"]["running"] = json!(true);
        Life::of(t, vm, is_ready).await;
        t.get(VM).only(&["/spec/running", "/spec/runStrategy", "/status/runStrategy"]).await;
        t.put(&crate::harness::machine::of_vm("stop"), json!({})).await;
        t.until(VM, crate::harness::machine::is_off).await;
        t.get(VM).only(&["/spec/running", "/spec/runStrategy", "/status/runStrategy"]).await;
    }
    instance_is_changed_by_a_user: |t| {
        Life::of(t, machine("Always"), is_ready).await;
        t.patch("merge", VMI, json!({"spec": {"domain": {"cpu": {"cores": 4}}}})).await;
        t.patch("merge", VM, json!({"spec": {"runStrategy": "X"}})).await;
        t.patch("merge", VM, json!({"spec": {"running": true}})).await;
    }
}
