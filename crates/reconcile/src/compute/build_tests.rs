//! Every object that we make, as it is sent.

use insta::assert_yaml_snapshot;
use types::InstanceType;

use super::{fixtures, guardrails, namespace, pod, secret, vm, volume};

const HERE: &str = "here";

#[test]
fn namespace_object() {
    assert_yaml_snapshot!(namespace::build(HERE, &fixtures::cluster(InstanceType::Container)));
}

#[test]
fn pod_object() {
    let cluster = fixtures::cluster(InstanceType::Container);
    assert_yaml_snapshot!(pod::build(HERE, &cluster, &cluster.instances[0]));
}

#[test]
fn pod_object_with_everything() {
    let cluster = fixtures::with_everything(InstanceType::Container);
    let instance = &cluster.instances[0];
    assert_yaml_snapshot!((pod::build(HERE, &cluster, instance), secret::build(HERE, &cluster, instance), volume::build(HERE, &cluster, instance),));
}

#[test]
fn vm_object() {
    let cluster = fixtures::cluster(InstanceType::Vm);
    assert_yaml_snapshot!(vm::build(HERE, &cluster, &cluster.instances[0], vm::RunStrategy::Always));
}

#[test]
fn vm_object_with_everything() {
    let cluster = fixtures::with_everything(InstanceType::Vm);
    let instance = &cluster.instances[0];
    assert_yaml_snapshot!((
        vm::build(HERE, &cluster, instance, vm::RunStrategy::Halted),
        secret::build(HERE, &cluster, instance),
        volume::build(HERE, &cluster, instance),
    ));
}

#[test]
fn a_key_alone_becomes_user_data_whatever_its_comment_holds() {
    let mut cluster = fixtures::with_everything(InstanceType::Vm);
    cluster.cloud_init = None;
    assert!(!secret::key_is_injected(&cluster));
    assert_eq!(secret::user_data(&cluster).as_deref(), Some("#cloud-config\nssh_authorized_keys:\n  - \"ssh-ed25519 AAAA \\\"me\\\"@home\"\n"));
}

#[test]
fn guardrails_of_containers() {
    let objects: Vec<_> = guardrails::build(HERE, &fixtures::with_everything(InstanceType::Container), 0).into_iter().map(|g| g.object).collect();
    assert_yaml_snapshot!(objects);
}

#[test]
fn guardrails_of_vms() {
    let all = guardrails::build(HERE, &fixtures::cluster(InstanceType::Vm), 0);
    let objects: Vec<_> = all.into_iter().map(|g| g.object).take(2).collect();
    assert_yaml_snapshot!(objects);
}

#[test]
fn a_recount_changes_the_quota_and_nothing_else() {
    let cluster = fixtures::cluster(InstanceType::Container);
    let objects = |recounts| guardrails::build(HERE, &cluster, recounts).into_iter().map(|g| g.object).collect::<Vec<_>>();
    let (before, after) = (objects(0), objects(1));
    assert_ne!(before[0]["spec"]["hard"], after[0]["spec"]["hard"]);
    assert_eq!(before[1..], after[1..]);
    assert_eq!(before, objects(2));
}
