//! Running things: run, scale, expose.

use super::tour::{Tour, has, rows};

#[test]
fn a_pod_is_run_exposed_and_read() {
    let Some(tour) = Tour::begin("run") else { return };
    assert_eq!(tour.ok("run p --image=nginx --port=80 --labels=app=p --env=A=1"), "pod/p created\n");
    assert_eq!(
        tour.ok("get pod p -o jsonpath={.spec.containers[0].env}{.spec.containers[0].ports[0].containerPort}"),
        r#"[{"name":"A","value":"1"}]80"#
    );
    has(&tour.ok("run q --image=nginx --dry-run=client -o yaml"), &["kind: Pod\n", "image: nginx\n"]);
    tour.ok("wait --for=condition=Ready pod/p --timeout=180s");
    assert_eq!(tour.ok("expose pod p --port=8080 --target-port=80 --name=front"), "service/front exposed\n");
    assert_eq!(tour.ok("get svc front -o jsonpath={.spec.selector.app}{.spec.ports[0].port}{.spec.ports[0].targetPort}"), "p808080");
    has(&tour.fails("expose pod p --port=80 --name=front"), &["services \"front\" already exists"]);
}

#[test]
fn workloads_scale_by_command() {
    let Some(tour) = Tour::begin("scale") else { return };
    tour.ok("create deployment d --image=nginx --replicas=1");
    assert_eq!(tour.ok("scale deploy/d --replicas=3"), "deployment.apps/d scaled\n");
    tour.until("get deploy d -o jsonpath={.status.readyReplicas}", |ready| ready == "3");
    has(&tour.fails("scale deploy/d --replicas=1 --current-replicas=2"), &["Expected replicas to be 2, was 3"]);
    assert_eq!(tour.ok("scale deploy/d --replicas=0 --current-replicas=3"), "deployment.apps/d scaled\n");
    tour.until("get pods -l app=d -o name", str::is_empty);
    assert_eq!(rows(&tour.ok("get deploy d"))[1][..4], ["d", "0/0", "0", "0"]);
    has(&tour.ok("expose deploy d --port=80 --type=NodePort"), &["service/d exposed"]);
}

#[test]
fn a_replication_controller_keeps_its_pods() {
    let Some(tour) = Tour::begin("rc") else { return };
    let template = "{metadata: {labels: {app: rc}}, spec: {containers: [{name: x, image: nginx}]}}";
    tour.ok_with(
        "create -f -",
        &format!("{{apiVersion: v1, kind: ReplicationController, metadata: {{name: rc}}, spec: {{replicas: 2, template: {template}}}}}"),
    );
    tour.ok("wait rc/rc --for=jsonpath={.status.readyReplicas}=2 --timeout=180s");
    assert_eq!(tour.ok("get rc rc -o jsonpath={.spec.selector}{.metadata.labels}"), r#"{"app":"rc"}{"app":"rc"}"#);
    assert_eq!(rows(&tour.ok("get rc rc --no-headers"))[0][..4], ["rc", "2", "2", "2"]);
    tour.ok("scale rc rc --replicas=1");
    tour.until("get pods -l app=rc -o name", |names| names.lines().count() == 1);
}
