//! Nodes: taints, cordons, drains.

use super::tour::{Tour, has, rows};

/// A node that no other test changes: the sandbox's one, or the last of the cluster's.
fn node(tour: &Tour) -> String {
    tour.ok("get nodes -o name").lines().last().expect("a node").trim_start_matches("node/").to_owned()
}

#[test]
fn a_node_is_cordoned_drained_and_used_again() {
    let Some(tour) = Tour::begin("nodes") else { return };
    let node = node(&tour);
    has(&tour.ok("get nodes -o wide"), &["INTERNAL-IP", "CONTAINER-RUNTIME", "Ready", "v1."]);
    assert_eq!(tour.ok(&format!("cordon {node}")), format!("node/{node} cordoned\n"));
    assert_eq!(tour.ok(&format!("cordon {node}")), format!("node/{node} already cordoned\n"));
    has(&tour.ok(&format!("get node {node}")), &["Ready,SchedulingDisabled"]);
    tour.until(&format!("get node {node} -o jsonpath={{.spec.taints[*].key}}"), |taints| taints.contains("node.kubernetes.io/unschedulable"));
    assert_eq!(tour.ok(&format!("uncordon {node}")), format!("node/{node} uncordoned\n"));
    tour.until(&format!("get node {node} -o jsonpath={{.spec.taints[*].key}}"), |taints| !taints.contains("node.kubernetes.io/unschedulable"));

    let pinned = format!("{{\"spec\":{{\"nodeSelector\":{{\"kubernetes.io/hostname\":\"{node}\"}}}}}}");
    tour.ok(&format!("run bare --image=nginx --labels=drained={0} --overrides={pinned}", tour.namespace()));
    tour.ok("wait pod/bare --for=condition=Ready --timeout=180s");
    let drain = format!("drain {node} --ignore-daemonsets --delete-emptydir-data --pod-selector=drained={} --timeout=180s", tour.namespace());
    has(&tour.fails(&drain), &["cannot delete", "declare no controller (use --force to override)", "bare"]);
    let said = tour.run(&format!("{drain} --force"), "", &[]);
    assert_eq!(said.code, 0, "{said:?}");
    has(&said.stdout, &["evicting pod", "pod/bare evicted", &format!("node/{node} drained")]);
    assert_eq!(tour.ok("get pods -o name"), "");
    assert_eq!(rows(&tour.ok(&format!("get node {node} --no-headers")))[0][1], "Ready,SchedulingDisabled");
    tour.ok(&format!("uncordon {node}"));

    tour.ok(&format!("taint node {node} {}=x:PreferNoSchedule", tour.namespace()));
    has(&tour.ok(&format!("describe node {node}")), &[&format!("{}=x:PreferNoSchedule", tour.namespace())]);
    has(&tour.fails(&format!("taint node {node} {}=y:PreferNoSchedule", tour.namespace())), &["already has", "--overwrite is false"]);
    assert_eq!(tour.ok(&format!("taint node {node} {}-", tour.namespace())), format!("node/{node} untainted\n"));
    tour.ok(&format!("label node {node} {}=1", tour.namespace()));
    assert_eq!(tour.ok(&format!("get nodes -l {} -o name", tour.namespace())), format!("node/{node}\n"));
    tour.ok(&format!("label node {node} {}-", tour.namespace()));
}
