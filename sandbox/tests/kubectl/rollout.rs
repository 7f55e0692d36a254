//! Rollouts of Deployments, StatefulSets and DaemonSets.

use super::tour::{Tour, has};

#[test]
fn a_rollout_is_followed_restarted_and_undone() {
    let Some(tour) = Tour::begin("rollout") else { return };
    tour.ok("create deployment d --image=nginx:1 --replicas=3");
    has(&tour.ok("rollout status deploy/d --timeout=180s"), &["deployment \"d\" successfully rolled out"]);
    tour.ok("annotate deploy d kubernetes.io/change-cause=first");
    tour.ok("set image deploy/d nginx=nginx:2");
    has(&tour.ok("rollout status deploy/d --timeout=180s"), &["deployment \"d\" successfully rolled out"]);
    let sets = tour.until("get rs -l app=d --sort-by=.spec.replicas -o jsonpath={.items[*].status.replicas}", |sets| sets == "0 3");
    assert_eq!(sets, "0 3");
    assert_eq!(tour.ok("get deploy d -o 'jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}'"), "2");
    let history = tour.ok("rollout history deploy/d");
    has(&history, &["REVISION  CHANGE-CAUSE\n", "1         ", "2         "]);
    has(&tour.ok("rollout history deploy/d --revision=1"), &["deployment.apps/d with revision #1", "Image:\tnginx:1"]);
    assert_eq!(tour.ok("rollout restart deploy/d"), "deployment.apps/d restarted\n");
    tour.ok("rollout status deploy/d --timeout=180s");
    has(&tour.ok("get deploy d -o jsonpath={.spec.template.metadata.annotations}"), &["kubectl.kubernetes.io/restartedAt"]);
    assert_eq!(tour.ok("rollout undo deploy/d --to-revision=1"), "deployment.apps/d rolled back\n");
    tour.ok("rollout status deploy/d --timeout=180s");
    assert_eq!(tour.ok("get deploy d -o jsonpath={.spec.template.spec.containers[0].image}"), "nginx:1");
    tour.until("rollout history deploy/d", |history| history.contains("\n4 ") && !history.contains("\n1 "));
    tour.ok("wait pod -l app=d --for=condition=Ready --timeout=180s");
}

#[test]
fn a_paused_deployment_waits_until_it_is_resumed() {
    let Some(tour) = Tour::begin("pause") else { return };
    tour.ok("create deployment d --image=nginx:1");
    tour.ok("rollout status deploy/d --timeout=180s");
    assert_eq!(tour.ok("rollout pause deploy/d"), "deployment.apps/d paused\n");
    has(&tour.fails("rollout pause deploy/d"), &["deployments.apps \"d\" is already paused"]);
    tour.ok("set image deploy/d nginx=nginx:2");
    tour.until("get deploy d -o jsonpath={.metadata.generation}={.status.observedGeneration}", |seen| {
        seen.split_once('=').is_some_and(|(a, b)| a == b)
    });
    assert_eq!(tour.ok("get rs -l app=d -o name").lines().count(), 1, "no new ReplicaSet while it is paused");
    has(&tour.fails("rollout restart deploy/d"), &["can't restart paused deployment"]);
    assert_eq!(tour.ok("rollout resume deploy/d"), "deployment.apps/d resumed\n");
    tour.until("get deploy d -o jsonpath={.metadata.generation}={.status.observedGeneration}", |seen| {
        seen.split_once('=').is_some_and(|(a, b)| a == b)
    });
    tour.ok("rollout status deploy/d --timeout=180s");
    tour.until("get rs -l app=d -o name", |sets| sets.lines().count() == 2);
}

#[test]
fn stateful_and_daemon_sets_roll_out_too() {
    let Some(tour) = Tour::begin("sets") else { return };
    let set = |kind: &str, more: &str| {
        format!(
            "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: s}}, spec: {{selector: {{matchLabels: {{app: {kind}}}}}, {more}
            template: {{metadata: {{labels: {{app: {kind}}}}}, spec: {{containers: [{{name: app, image: 'nginx:1'}}]}}}}}}}}"
        )
    };
    tour.ok_with("apply -f -", &set("StatefulSet", "replicas: 2, serviceName: s,"));
    tour.ok_with("apply -f -", &set("DaemonSet", ""));
    for kind in ["statefulset", "daemonset"] {
        has(&tour.ok(&format!("rollout status {kind}/s --timeout=180s")), &["s"]);
        assert_eq!(tour.ok(&format!("rollout restart {kind}/s")), format!("{kind}.apps/s restarted\n"));
        tour.ok(&format!("rollout status {kind}/s --timeout=180s"));
    }
    has(&tour.ok("get pods -l app=StatefulSet -o name"), &["pod/s-0\npod/s-1\n"]);
    assert_eq!(tour.ok("scale statefulset s --replicas=1"), "statefulset.apps/s scaled\n");
    tour.until("get pods -l app=StatefulSet -o name", |names| names == "pod/s-0\n");
}
