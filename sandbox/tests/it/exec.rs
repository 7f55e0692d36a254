//! `exec` and `cp`: with kube-rs over its WebSocket, and with a real kubectl when `KUBECTL_PATH` names one.

use crate::support::kubectl::Kubectl;
use crate::support::{self, DEADLINE, eventually, from, phase, start, start_in};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{AttachParams, DeleteParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A Pod that runs, with one container `app` of this spec.
async fn running(client: &Client, name: &str, container: Value, volumes: Value) -> Api<Pod> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let mut app = json!({"name": "app", "image": "busybox:1.36", "command": ["tail", "-f", "/dev/null"]});
    with_fields(&mut app, container);
    let pod = json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [app], "volumes": volumes}});
    pods.create(&PostParams::default(), &from(pod)).await.expect("created");
    eventually("it runs", || async { (phase(&pods.get(name).await.expect("read")) == "Running").then_some(()) }).await;
    pods
}

fn with_fields(base: &mut Value, more: Value) {
    if let Value::Object(more) = more {
        more.into_iter().for_each(|(key, value)| base[key] = value);
    }
}

/// What a command prints on both streams, and the reason and exit code of its end.
async fn exec(pods: &Api<Pod>, name: &str, command: &[&str]) -> (String, String, Option<String>, Option<String>) {
    let mut attached = pods.exec(name, command.iter().copied(), &AttachParams::default()).await.expect("a connection");
    let status = attached.take_status().expect("a status to come");
    let (mut out, mut err) = (String::new(), String::new());
    let (mut stdout, mut stderr) = (attached.stdout().expect("stdout"), attached.stderr().expect("stderr"));
    let (o, e) = futures::join!(stdout.read_to_string(&mut out), stderr.read_to_string(&mut err));
    o.and(e).expect("read");
    let status = status.await.expect("a status");
    let code = status.details.and_then(|d| d.causes).and_then(|c| c.into_iter().find(|c| c.reason.as_deref() == Some("ExitCode")));
    (out, err, status.reason, code.and_then(|c| c.message))
}

#[tokio::test]
async fn streams_and_exit_codes_reach_the_client() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "p", json!({}), json!([])).await;
    assert_eq!(exec(&pods, "p", &["echo", "a  b"]).await, ("a  b\n".to_owned(), String::new(), None, None));
    let (out, err, reason, code) = exec(&pods, "p", &["sh", "-c", "echo out; echo err >&2; exit 7"]).await;
    assert_eq!((out.as_str(), err.as_str(), reason.as_deref(), code.as_deref()), ("out\n", "err\n", Some("NonZeroExitCode"), Some("7")));
    let (_, _, reason, code) = exec(&pods, "p", &["/no/such"]).await;
    assert_eq!((reason.as_deref(), code), (Some("InternalError"), None));
    let mut attached = pods.exec("p", ["cat"], &AttachParams::default().stdin(true).stderr(false)).await.expect("a connection");
    let mut stdin = attached.stdin().expect("stdin");
    let mut stdout = attached.stdout().expect("stdout");
    for word in ["one\n", "two\n"] {
        stdin.write_all(word.as_bytes()).await.expect("written");
        let mut echoed = vec![0; word.len()];
        stdout.read_exact(&mut echoed).await.expect("read");
        assert_eq!(echoed, word.as_bytes());
    }
    let only_stdin = AttachParams::default().stdin(true).stdout(false).stderr(false);
    let mut attached = pods.exec("p", ["sh", "-c", "read line; echo $line; echo $line >&2; exit 5"], &only_stdin).await.expect("a connection");
    let status = attached.take_status().expect("a status to come");
    attached.stdin().expect("stdin").write_all(b"x\n").await.expect("written");
    let status = tokio::time::timeout(DEADLINE, status).await.expect("an end, whichever streams are wanted").expect("a status");
    assert_eq!(status.reason.as_deref(), Some("NonZeroExitCode"));
    let (out, ..) = exec(&pods, "p", &["sh", "-c", "seq 1 200000 | tail -n 1"]).await;
    assert_eq!(out, "200000\n");
}

#[tokio::test]
async fn a_process_ends_with_its_container() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "ends", json!({"command": ["sh", "-c", "sleep 3; exit 5"]}), json!([])).await;
    running(&client, "goes", json!({}), json!([])).await;
    let deleting = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        pods.delete("goes", &DeleteParams::default().grace_period(0)).await.expect("deleted");
    };
    let both = async { futures::join!(exec(&pods, "ends", &["sleep", "600"]), exec(&pods, "goes", &["sleep", "600"]), deleting) };
    let (ended, gone, ()) = tokio::time::timeout(DEADLINE, both).await.expect("an end");
    assert_eq!((ended.3.as_deref(), gone.3.as_deref()), (Some("137"), Some("137")));
}

#[tokio::test]
async fn a_container_sees_its_environment_and_its_volumes() {
    let (_sandbox, client) = start().await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "default");
    maps.create(&PostParams::default(), &support::config_map("conf", json!({"key": "from a map"}))).await.expect("created");
    let secrets: Api<Secret> = Api::namespaced(client.clone(), "default");
    let secret = json!({"metadata": {"name": "hidden"}, "stringData": {"word": "xyzzy"}});
    secrets.create(&PostParams::default(), &from(secret)).await.expect("created");
    let env = json!([
        {"name": "PLAIN", "value": "1"}, {"name": "BOTH", "value": "$(PLAIN)$(PLAIN)"},
        {"name": "MAP", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "key"}}},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "word"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}}]);
    let mounts =
        json!([{"name": "c", "mountPath": "/conf"}, {"name": "s", "mountPath": "/etc/word", "subPath": "word"}, {"name": "e", "mountPath": "/data"}]);
    let volumes =
        json!([{"name": "c", "configMap": {"name": "conf"}}, {"name": "s", "secret": {"secretName": "hidden"}}, {"name": "e", "emptyDir": {}}]);
    let pods = running(&client, "p", json!({"env": env, "volumeMounts": mounts}), volumes).await;
    let say = "echo $PLAIN $BOTH $MAP $SECRET $NAME $HOSTNAME; cat /conf/key; echo; cat /etc/word; echo; hostname; cat /etc/hostname";
    assert_eq!(exec(&pods, "p", &["sh", "-c", say]).await.0, "1 11 from a map xyzzy p p\nfrom a map\nxyzzy\np\np\n");
    assert_eq!(exec(&pods, "p", &["cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace"]).await.0, "default");
    assert!(exec(&pods, "p", &["touch", "/conf/x"]).await.1.contains("Read-only file system"));
    exec(&pods, "p", &["sh", "-c", "echo kept > /data/f"]).await;
    assert_eq!(exec(&pods, "p", &["cat", "/data/f"]).await.0, "kept\n");
    let change = kube::api::Patch::Merge(json!({"data": {"key": "new"}}));
    maps.patch("conf", &kube::api::PatchParams::default(), &change).await.expect("changed");
    assert_eq!(exec(&pods, "p", &["cat", "/conf/key"]).await.0, "new");
}

#[tokio::test]
async fn nothing_of_the_host_can_be_seen() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "p", json!({}), json!([])).await;
    let here = std::env::current_dir().expect("a directory");
    let (_, err, ..) = exec(&pods, "p", &["ls", here.to_str().expect("a path")]).await;
    assert!(err.contains("No such file or directory"), "{err}");
    assert_eq!(exec(&pods, "p", &["cat", "../../../../../../etc/hostname"]).await.0, "p\n");
    let env = exec(&pods, "p", &["env"]).await.0;
    assert!(!env.contains("CARGO") && env.contains("HOSTNAME=p"), "{env}");
}

#[tokio::test]
async fn the_end_of_an_attached_process_is_that_of_its_container() {
    let (_sandbox, client) = start().await;
    let pods = running(&client, "p", json!({"command": ["sh"], "stdin": true}), json!([])).await;
    let mut attached = pods.attach("p", &AttachParams::default().stdin(true).stderr(false)).await.expect("a connection");
    attached.stdin().expect("stdin").write_all(b"echo in; exit 3\n").await.expect("written");
    let mut out = String::new();
    attached.stdout().expect("stdout").read_to_string(&mut out).await.expect("read");
    assert_eq!(out, "in\n");
    let ended = || async {
        let status = pods.get("p").await.expect("read").status?.container_statuses?.pop()?;
        // One that ends is started anew.
        status.state?.terminated.or(status.last_state?.terminated)
    };
    let ended = eventually("it ends", ended).await;
    assert_eq!((ended.exit_code, ended.reason.as_deref()), (3, Some("Error")));
}

/// Standard output, standard error and the exit code.
fn all(output: std::process::Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().expect("a code"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_execs_and_copies() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_sandbox, client) = start_in(dir.path()).await;
    let Some(kubectl) = Kubectl::find(dir.path()) else { return };
    running(&client, "p", json!({}), json!([])).await;
    let sh = |script: &str| all(kubectl.run_with(&["exec", "p", "--", "sh", "-c", script], ""));
    assert_eq!(sh("echo $HOSTNAME"), ("p\n".to_owned(), String::new(), 0));
    assert_eq!(sh("echo e >&2; exit 3"), (String::new(), "e\ncommand terminated with exit code 3\n".to_owned(), 3));
    assert_eq!(kubectl.says_to("exec -i p -- cat", "one\ntwo\n"), "one\ntwo\n");
    assert_eq!(all(kubectl.run("exec -i p -- sh", "echo in\nexit 4\n")).0, "in\n");
    let (_, err, code) = all(kubectl.run("exec p -- nope", ""));
    assert!(code == 1 && err.contains("exec: \"nope\": executable file not found in $PATH"), "{err}");
    let (_, err, _) = all(kubectl.run("exec p -c other -- ls", ""));
    assert_eq!(err, "error: container other is not valid for pod p out of: app\n");
    let (_, err, _) = all(kubectl.run("exec none -- ls", ""));
    assert_eq!(err, "Error from server (NotFound): pods \"none\" not found\n");
    let (_, err, _) = all(kubectl.run("port-forward p 0:80", ""));
    assert!(err.contains("portforward") && err.contains("sandbox"), "{err}");

    let (up, down) = (dir.path().join("up"), dir.path().join("down"));
    std::fs::create_dir_all(up.join("sub")).expect("made");
    let big: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let long = "n".repeat(120);
    for (name, content) in [("a", b"x".to_vec()), ("sub/big", big), (&format!("sub/{long}"), b"y".to_vec())] {
        std::fs::write(up.join(name), content).expect("written");
    }
    let path = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    kubectl.says(&format!("cp {} p:/tmp/up", path(&up)));
    kubectl.says(&format!("cp p:/tmp/up {}", path(&down)));
    for name in ["a", "sub/big", &format!("sub/{long}")] {
        assert_eq!(std::fs::read(up.join(name)).expect("read"), std::fs::read(down.join(name)).expect("read"), "{name}");
    }
    kubectl.says(&format!("cp {} p:/tmp/one", path(&up.join("a"))));
    assert_eq!(kubectl.says("exec p -- cat /tmp/one"), "x");
    assert!(!kubectl.run(&format!("cp {} p:/no/such/dir", path(&up.join("a"))), "").status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_does_not_run_has_no_exec() {
    let dir = tempfile::tempdir().expect("a directory");
    let (_sandbox, client) = start_in(dir.path()).await;
    let Some(kubectl) = Kubectl::find(dir.path()) else { return };
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let failing = |name: &str, how: &str| json!({"metadata": {"name": name, "annotations": {"sandbox.kubekcloud.io/fail": how}}, "spec": {"containers": [{"name": "app", "image": "x"}]}});
    for (name, how) in [("pulls", "image-pull"), ("waits", "unschedulable")] {
        pods.create(&PostParams::default(), &from(failing(name, how))).await.expect("created");
    }
    let waiting = || async { pods.get("pulls").await.expect("read").status.and_then(|s| s.container_statuses).map(drop) };
    eventually("its pull fails", waiting).await;
    let (_, err, _) = all(kubectl.run("exec pulls -- ls", ""));
    assert_eq!(err, "error: unable to upgrade connection: container not found (\"app\")\n");
    let (_, err, _) = all(kubectl.run("exec waits -- ls", ""));
    assert!(err.contains("pod waits does not have a host assigned"), "{err}");
}
