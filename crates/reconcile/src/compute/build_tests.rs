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
    let objects: Vec<_> =
        guardrails::build(HERE, &fixtures::with_everything(InstanceType::Container), 0, &[]).into_iter().map(|g| g.object).collect();
    assert_yaml_snapshot!(objects);
}

#[test]
fn guardrails_of_vms() {
    let all = guardrails::build(HERE, &fixtures::cluster(InstanceType::Vm), 0, &[]);
    let objects: Vec<_> = all.into_iter().map(|g| g.object).take(2).collect();
    assert_yaml_snapshot!(objects);
}

#[test]
fn a_recount_changes_the_quota_and_nothing_else() {
    let cluster = fixtures::cluster(InstanceType::Container);
    let objects = |recounts| guardrails::build(HERE, &cluster, recounts, &[]).into_iter().map(|g| g.object).collect::<Vec<_>>();
    let (before, after) = (objects(0), objects(1));
    assert_ne!(before[0]["spec"]["hard"], after[0]["spec"]["hard"]);
    assert_eq!(before[1..], after[1..]);
    assert_eq!(before, objects(2));
}

#[test]
fn what_the_operator_denies_is_no_part_of_the_internet() {
    let cluster = fixtures::cluster(InstanceType::Container);
    let egress = |deny: &[&str]| {
        let deny: Vec<_> = deny.iter().map(|cidr| cidr.parse().unwrap()).collect();
        let all = guardrails::build(HERE, &cluster, 0, &deny);
        all.into_iter().find(|g| g.name == "kubekcloud-internet").unwrap().object["spec"]["egress"][0]["to"].clone()
    };
    let blocks = egress(&["203.0.113.7/24", "2001:db8::/48", "10.0.0.0/8"]);
    assert!(blocks[0]["ipBlock"]["except"].as_array().unwrap().contains(&"203.0.113.0/24".into()), "{blocks}");
    assert!(blocks[1]["ipBlock"]["except"].as_array().unwrap().contains(&"2001:db8::/48".into()), "{blocks}");
    assert_eq!(blocks[0]["ipBlock"]["except"].as_array().unwrap().len(), 7, "each once: {blocks}");
    let blocks = egress(&["::/0"]);
    assert_eq!((blocks.as_array().unwrap().len(), &blocks[0]["ipBlock"]["cidr"]), (1, &"0.0.0.0/0".into()), "a whole family");
}
