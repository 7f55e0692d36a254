//! What only a simulator shows: containers that answer and end where none run, and what the sandbox never does.

use super::tour::{Tour, has, rows};

#[test]
fn logs_are_read_by_pod_workload_and_label() {
    let Some(tour) = Tour::simulated("logs") else { return };
    tour.ok("create deployment d --image=nginx --replicas=2");
    tour.ok("rollout status deploy/d --timeout=180s");
    let pod = tour.ok("get pods -l app=d -o jsonpath={.items[0].metadata.name}");
    let log = tour.ok(&format!("logs {pod}"));
    assert!(!log.is_empty());
    assert_eq!(tour.ok(&format!("logs {pod} --tail=1")).lines().count(), 1);
    assert!(tour.ok(&format!("logs {pod} -c nginx")).starts_with(&log), "it may have grown");
    has(&tour.ok(&format!("logs {pod} --timestamps --tail=1")), &["T", "Z "]);
    assert!(!tour.ok("logs deploy/d").is_empty());
    has(&tour.ok("logs -l app=d --prefix --tail=1"), &[&format!("[pod/{pod}/nginx] ")]);
    has(&tour.fails(&format!("logs {pod} -c none")), &["container none is not valid for pod"]);
    has(&tour.fails("logs none"), &["pods \"none\" not found"]);
}

#[test]
fn usage_is_shown_by_node_pod_and_container() {
    let Some(tour) = Tour::simulated("top") else { return };
    let container = |name: &str, cpu: &str| format!("{{name: {name}, image: nginx, resources: {{requests: {{cpu: '{cpu}', memory: 100Mi}}}}}}");
    for (pod, label, cpu) in [("small", "s", "100m"), ("large", "l", "50")] {
        let containers = format!("{}, {}", container("one", cpu), container("two", "10m"));
        let object =
            format!("{{apiVersion: v1, kind: Pod, metadata: {{name: {pod}, labels: {{size: {label}}}}}, spec: {{containers: [{containers}]}}}}");
        tour.ok_with("create -f -", &object);
    }
    tour.ok("wait pod/small pod/large --for=condition=Ready --timeout=180s");
    let nodes = tour.ok("top nodes");
    assert_eq!(rows(&nodes)[0].join(" ").replace(['(', ')'], ""), "NAME CPUcores CPU% MEMORYbytes MEMORY%");
    assert!(rows(&nodes)[1][1].ends_with('m') && rows(&nodes)[1][3].ends_with("Mi"), "{nodes}");
    let names = |line: &str| rows(&tour.ok(line)).iter().map(|row| row[0].to_owned()).collect::<Vec<_>>();
    assert_eq!(names("top pods --sort-by=cpu --no-headers"), ["large", "small"]);
    assert_eq!(names("top pods -l size=s --no-headers"), ["small"]);
    assert_eq!(names("top pod large --no-headers"), ["large"]);
    let containers = tour.ok("top pods --containers --no-headers");
    let mut both: Vec<_> = rows(&containers).iter().map(|row| row[..2].join("/")).collect();
    both.sort();
    assert_eq!(both, ["large/one", "large/two", "small/one", "small/two"]);
    has(&tour.ok("top pods -A"), &["NAMESPACE", tour.namespace()]);
    has(&tour.ok("top pods --sum"), &["________"]);
    has(&tour.fails("top pod none"), &["pods.metrics.k8s.io \"", "none\" not found"]);
}

#[test]
fn a_job_completes() {
    let Some(tour) = Tour::simulated("job") else { return };
    tour.ok("create job j --image=busybox -- true");
    assert_eq!(tour.ok("wait job/j --for=condition=Complete --timeout=180s"), "job.batch/j condition met\n");
    let table = tour.ok("get job j --no-headers");
    assert_eq!(rows(&table)[0][..3], ["j", "Complete", "1/1"]);
}

#[test]
fn what_the_sandbox_never_does_is_refused_clearly() {
    let Some(tour) = Tour::simulated("never") else { return };
    tour.ok("create deployment d --image=nginx");
    tour.ok("rollout status deploy/d --timeout=180s");
    has(&tour.fails("explain pods"), &["not found in OpenAPI schema"]);
    has(&tour.fails("port-forward deploy/d 0:80"), &["the sandbox has no portforward: nothing listens in its containers"]);
    let pod = tour.ok("get pods -o jsonpath={.items[0].metadata.name}");
    let proxy = format!("get --raw /api/v1/namespaces/{}/pods/{pod}/proxy", tour.namespace());
    has(&tour.fails(&proxy), &["the sandbox has no proxy: nothing listens in its containers"]);
    has(&tour.fails("create token default"), &["the sandbox has no token: it knows one user and one token, that of its kubeconfig"]);
}

#[test]
fn a_cordoned_node_gets_no_new_pods() {
    let Some(tour) = Tour::simulated("cordon") else { return };
    let node = "sandbox-node-0";
    tour.ok(&format!("cordon {node}"));
    tour.ok("run p --image=nginx");
    tour.until("get pod p -o jsonpath={.status.conditions[0].reason}", |reason| reason == "Unschedulable");
    has(&tour.ok("describe pod p"), &["FailedScheduling", "unschedulable"]);
    tour.ok(&format!("uncordon {node}"));
    tour.ok("wait pod/p --for=condition=Ready --timeout=180s");
}
