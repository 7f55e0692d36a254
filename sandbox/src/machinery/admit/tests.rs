//! What is filled in and what is refused.

use serde_json::{Value, json};

use super::{on_create, on_update};
use crate::machinery::notation::value::text;
use crate::machinery::registry::{Kind, Registry};

fn kind(table: &str) -> Kind {
    (*Registry::builtin().of_table(table).expect("a kind")).clone()
}

fn refused(table: &str, mut object: Value) -> (u16, String) {
    let refusal = on_create(&kind(table), &mut object).expect_err("refused");
    (refusal.code, refusal.message)
}

#[test]
fn a_pod_gets_the_defaults_that_clients_look_at() {
    let mut pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "nginx"}]}});
    on_create(&kind("pods"), &mut pod).expect("fine");
    assert_eq!(text(&pod, "spec.restartPolicy"), "Always");
    assert_eq!(text(&pod, "spec.containers.a.imagePullPolicy"), "Always");
    assert_eq!(pod["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
}

#[test]
fn names_labels_and_containers_are_checked() {
    let pod = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
    let fine = json!({"containers": [{"name": "a", "image": "x"}]});
    assert!(
        refused("pods", pod("Big", fine))
            .1
            .starts_with(r#"Pod "Big" is invalid: metadata.name: Invalid value: "Big": a lowercase RFC 1123 subdomain"#)
    );
    assert_eq!(refused("pods", pod("p", json!({}))), (422, r#"Pod "p" is invalid: spec.containers: Required value"#.to_owned()));
    assert_eq!(refused("namespaces", json!({"metadata": {"name": "a".repeat(64)}})).0, 422);
    assert_eq!(refused("configmaps", json!({"metadata": {"name": "c", "labels": {"a": "b c"}}})).0, 422);
}

#[test]
fn a_pods_spec_is_fixed_but_for_its_images() {
    let mut before = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "x:1"}]}});
    on_create(&kind("pods"), &mut before).expect("fine");
    let mut after = before.clone();
    after["spec"]["containers"][0]["image"] = json!("x:2");
    on_update(&kind("pods"), &before, &mut after, "").expect("images may change");
    after["spec"]["restartPolicy"] = json!("Never");
    assert_eq!(on_update(&kind("pods"), &before, &mut after, "").expect_err("fixed").code, 422);
}

#[test]
fn virtual_machines_are_refused_as_the_webhooks_do() {
    let vm = |spec: Value| json!({"metadata": {"name": "v"}, "spec": spec});
    let table = "virtualmachines.kubevirt.io";
    let template = json!({"spec": {"domain": {"devices": {"disks": [{"name": "other", "disk": {"bus": "virtio"}}]}}, "volumes": [{"name": "root", "containerDisk": {"image": "a"}}]}});
    let start = r#"admission webhook "virtualmachine-validator.kubevirt.io" denied the request: "#;
    assert_eq!(refused(table, vm(json!({"template": {}}))).1, format!("{start}RunStrategy must be specified"));
    assert_eq!(refused(table, vm(json!({"runStrategy": "Sometimes", "template": {}}))).1, format!("{start}Invalid RunStrategy (Sometimes)"));
    let both = refused(table, vm(json!({"runStrategy": "Always", "running": true, "template": {}})));
    assert!(both.1.contains("mutually exclusive") && both.0 == 422);
    let disk = refused(table, vm(json!({"runStrategy": "Always", "template": template})));
    assert_eq!(disk.1, format!("{start}spec.template.spec.domain.devices.disks[0].Name 'other' not found."));
}

#[test]
fn the_strings_of_a_secret_are_encoded() {
    let mut secret = json!({"metadata": {"name": "s"}, "stringData": {"a": "b"}});
    on_create(&kind("secrets"), &mut secret).expect("fine");
    assert_eq!(secret["data"], json!({"a": "Yg=="}));
    assert!(secret.get("stringData").is_none());
}
