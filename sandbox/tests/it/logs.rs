//! Container logs: what kube-rs reads, and what kubectl says.

use crate::support::kubectl::Kubectl;
use crate::support::{DEADLINE, config_map, eventually, from, phase, refused, start, start_in};
use futures::{AsyncBufReadExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStateTerminated, Pod};
use kube::api::{DeleteParams, LogParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

const COUNTER: &str = "i=0; while true; do echo \"$i\"; i=$((i+1)); sleep 0.2; done";

fn pod(name: &str, containers: Value) -> Pod {
    from(json!({"metadata": {"name": name, "labels": {"app": "x"}}, "spec": {"containers": containers, "terminationGracePeriodSeconds": 0}}))
}

async fn running(client: &Client, name: &str, containers: Value) -> Api<Pod> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    pods.create(&PostParams::default(), &pod(name, containers)).await.expect("created");
    eventually("it runs", || async { (phase(&pods.get(name).await.expect("read")) == "Running").then_some(()) }).await;
    pods
}

#[tokio::test]
async fn a_log_is_what_the_command_prints_and_stays_the_same() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "p", json!([{"name": "c", "image": "busybox", "args": ["sh", "-c", COUNTER]}])).await;
    let read = |params: LogParams| {
        let pods = pods.clone();
        async move { pods.logs("p", &params).await.expect("a log") }
    };
    let long = || async { Some(read(LogParams::default()).await).filter(|log| log.lines().count() >= 5) };
    let log = eventually("five lines", long).await;
    assert!(log.starts_with("0\n1\n2\n3\n4\n"), "{log}");
    assert!(read(LogParams::default()).await.starts_with(&log));
    assert_eq!(read(LogParams { tail_lines: Some(2), ..LogParams::default() }).await.lines().count(), 2);
    assert_eq!(read(LogParams { tail_lines: Some(0), ..LogParams::default() }).await, "");
    assert_eq!(read(LogParams { limit_bytes: Some(3), ..LogParams::default() }).await, "0\n1");
    let stamped = read(LogParams { timestamps: true, ..LogParams::default() }).await;
    let times: Vec<&str> = stamped.lines().map(|line| line.split_once(' ').expect("a time").0).collect();
    assert!(times.is_sorted() && times[0].ends_with('Z') && times[0].len() == 30, "{stamped}");
}

#[tokio::test]
async fn a_followed_log_ends_with_its_pod() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "p", json!([{"name": "c", "image": "busybox", "args": ["sh", "-c", COUNTER]}])).await;
    let params = LogParams { follow: true, tail_lines: Some(1), ..LogParams::default() };
    let mut lines = pods.log_stream("p", &params).await.expect("a stream").lines();
    let mut last: i64 = lines.try_next().await.expect("read").expect("a line").parse().expect("a number");
    for _ in 0..3 {
        let next: i64 = lines.try_next().await.expect("read").expect("a line").parse().expect("a number");
        assert_eq!(next, last + 1, "each line once, in order");
        last = next;
    }
    pods.delete("p", &DeleteParams::default().grace_period(0)).await.expect("deleted");
    let rest = async { while lines.try_next().await.expect("read").is_some() {} };
    tokio::time::timeout(DEADLINE, rest).await.expect("the log ends");
}

/// What the only container of a Pod that is never restarted has come to, if it has ended.
async fn end_of(pods: &Api<Pod>, name: &str) -> Option<ContainerStateTerminated> {
    let status = pods.get(name).await.expect("read").status?.container_statuses?.pop()?;
    status.state?.terminated
}

#[tokio::test]
async fn a_container_ends_when_its_log_does_and_as_its_shell_does() {
    let (_sandbox, client) = start().await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    maps.create(&PostParams::default(), &config_map("conf", json!({"code": "6"}))).await.expect("created");
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let once = |name: &str, script: &str| {
        let mounts = json!([{"name": "conf", "mountPath": "/conf"}]);
        let container = json!({"name": "c", "image": "shop:1", "command": ["sh", "-c", script], "env": [{"name": "WORD", "value": "spoken"}], "volumeMounts": mounts});
        let spec = json!({"restartPolicy": "Never", "containers": [container], "volumes": [{"name": "conf", "configMap": {"name": "conf"}}]});
        from::<Pod>(json!({"metadata": {"name": name}, "spec": spec}))
    };
    let ends = [
        ("counts", "for i in 1 2 3; do echo $i; sleep 1; done; exit 4", 4, "1\n2\n3\n", None),
        ("asks", "if [ $WORD = spoken ] && true; then echo $WORD; exit $(cat /conf/code); fi", 6, "spoken\n", None),
        ("leaves", "echo $WORD | tr a-z A-Z > /dev/termination-log; false || exit 5", 5, "", Some("SPOKEN\n")),
    ];
    let stays = [
        ("foreign", "/app/migrate || exit 1"),
        ("missing", "set -e; cat /app/config; exit 1"),
        ("syntax", "server & exit 1"),
        ("endless", "while true; do echo tick; sleep 1; done"),
        ("idle", "tail -f /dev/null"),
    ];
    for (name, script) in stays.into_iter().chain(ends.iter().map(|(name, script, ..)| (*name, *script))) {
        pods.create(&PostParams::default(), &once(name, script)).await.expect("created");
    }
    for (name, _, code, log, message) in ends {
        let ended = eventually("it ends", || end_of(&pods, name)).await;
        let reason = ended.reason.unwrap_or_default();
        assert_eq!((ended.exit_code, reason.as_str(), ended.message.as_deref()), (code, "Error", message), "{name}");
        assert_eq!(pods.logs(name, &LogParams::default()).await.expect("a log"), log, "{name}");
        let (from, to) = (ended.started_at.expect("a start").0, ended.finished_at.expect("an end").0);
        assert!(name != "counts" || to.duration_since(from).as_secs() >= 3, "{from} to {to}");
    }
    for (name, _) in stays {
        assert_eq!(phase(&pods.get(name).await.expect("read")), "Running", "{name}");
    }
}

#[tokio::test]
async fn one_script_may_run_on_in_one_pod_and_end_in_the_next() {
    let (_sandbox, client) = start().await;
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let script = "if [ $HOSTNAME = second ]; then echo I am the second; exit 3; fi; sleep 100000000";
    for name in ["first", "second"] {
        let container = json!({"name": "c", "image": "busybox", "command": ["sh", "-c", script]});
        let spec = json!({"restartPolicy": "Never", "containers": [container]});
        pods.create(&PostParams::default(), &from::<Pod>(json!({"metadata": {"name": name}, "spec": spec}))).await.expect("created");
        eventually("it runs, or has run", || async { (phase(&pods.get(name).await.expect("read")) != "Pending").then_some(()) }).await;
    }
    assert_eq!(eventually("it ends", || end_of(&pods, "second")).await.exit_code, 3);
    assert_eq!(phase(&pods.get("first").await.expect("read")), "Running");
}

#[tokio::test]
async fn what_is_wrong_is_said_as_the_real_server_says_it() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "p", json!([{"name": "a", "image": "x"}, {"name": "b", "image": "x"}])).await;
    let refuse = |params: LogParams| {
        let pods = pods.clone();
        async move { refused(pods.logs("p", &params).await) }
    };
    let of = |name: &str| LogParams { container: Some(name.to_owned()), ..LogParams::default() };
    let bad = |message: &str| (400, "BadRequest".to_owned(), message.to_owned());
    assert_eq!(refuse(LogParams::default()).await, bad("a container name must be specified for pod p, choose one of: [a b]"));
    assert_eq!(refuse(of("c")).await, bad("container c is not valid for pod p"));
    assert_eq!(refuse(LogParams { previous: true, ..of("a") }).await, bad("previous terminated container \"a\" in pod \"p\" not found"));
    let (code, reason, message) = refuse(LogParams { tail_lines: Some(-1), ..of("a") }).await;
    assert_eq!((code, reason.as_str()), (422, "Invalid"));
    assert_eq!(message, "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0");
}

#[tokio::test]
async fn a_crash_has_a_previous_log_and_a_failed_pull_none() {
    let (_sandbox, client) = start().await;
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    for (name, how) in [("crashes", "crash-loop"), ("pulls", "image-pull")] {
        let mut pod = pod(name, json!([{"name": "c", "image": "shop:1"}]));
        pod.metadata.annotations = Some([("sandbox.kubekcloud.io/fail".to_owned(), how.to_owned())].into());
        pods.create(&PostParams::default(), &pod).await.expect("created");
    }
    let previous = LogParams { previous: true, ..LogParams::default() };
    // A Pod without a node has an empty log.
    let log = eventually("it crashed", || async { pods.logs("crashes", &previous).await.ok().filter(|log| !log.is_empty()) }).await;
    assert_eq!(log, "started (simulated by the sandbox)\n");
    let pulling = || async {
        let (_, _, message) = refused(pods.logs("pulls", &LogParams::default()).await);
        (message == "container \"c\" in pod \"pulls\" is waiting to start: trying and failing to pull image").then_some(())
    };
    eventually("it backs off", pulling).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_logs_in_all_its_ways() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_sandbox, client) = start_in(dir.path()).await;
    let Some(kubectl) = Kubectl::find(dir.path()) else { return };
    let container =
        |name: &str, says: &str| json!({"name": name, "image": "busybox", "command": ["sh", "-c", format!("echo {says}; sleep infinity")]});
    running(&client, "p", json!([container("a", "from-a"), container("b", "from-b")])).await;
    assert_eq!(kubectl.says("logs p -c b"), "from-b\n");
    let all = kubectl.says("logs p --all-containers");
    assert!(all.lines().count() == 2 && all.contains("from-a\n") && all.contains("from-b\n"), "{all}");
    assert_eq!(kubectl.says("logs -l app=x --prefix -c a"), "[pod/p/a] from-a\n");
    assert_eq!(kubectl.says("logs p -c a --since=1h --tail=5"), "from-a\n");
    kubectl.says("create deployment web --image=nginx");
    kubectl.says("rollout status deploy/web --timeout=20s");
    assert!(kubectl.says("logs deploy/web").contains("ready for start up"));
    let output = kubectl.run("logs p -c a --previous", "");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(err, "Error from server (BadRequest): previous terminated container \"a\" in pod \"p\" not found\n");
}
