//! Commands in containers: their streams and ends, and what is refused before one begins.

use serde_json::json;

use crate::harness::cases;
use crate::harness::pod::{POD, container, create, ended, is_ready, running, sleeper, without_image};

const EXEC: &str = "/api/v1/namespaces/{ns}/pods/a/exec";

/// What opens a WebSocket, or would.
const UPGRADE: [(&str, &str); 5] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-protocol", "v5.channel.k8s.io"),
];

/// Asks for a session that is refused.
macro_rules! refused {
    ($t:ident, $query:expr) => {
        let path = format!("{EXEC}?{}", $query);
        let call = UPGRADE.iter().fold($t.get(&path), |call, (name, value)| call.header(name, value));
        call.await;
    };
}

cases! {
    needs Node;
    prints: |t| {
        running(t).await;
        t.exec(&["echo", "a  b"], None).await;
    }
    prints_on_both_streams: |t| {
        running(t).await;
        t.exec(&["sh", "-c", "echo out; echo err >&2"], None).await;
    }
    says_nothing: |t| {
        running(t).await;
        t.exec(&["true"], None).await;
    }
    ends_with_an_exit_code: |t| {
        running(t).await;
        t.exec(&["sh", "-c", "echo out; exit 7"], None).await;
        t.exec(&["false"], None).await;
    }
    is_killed: |t| {
        running(t).await;
        t.exec(&["sh", "-c", "kill -9 $$"], None).await;
    }
    reads_its_input: |t| {
        running(t).await;
        t.exec(&["cat"], Some("one\ntwo")).await;
        t.exec(&["wc", "-l"], Some("one\ntwo\n")).await;
    }
    without_input_reads_nothing: |t| {
        running(t).await;
        t.exec(&["cat"], None).await;
    }
    program_missing: |t| {
        running(t).await;
        t.exec(&["no-such-program"], None).await;
        t.exec(&["/no/such/program"], None).await;
        t.exec(&["sh", "-c", "no-such-program"], None).await;
    }
    program_is_a_directory: |t| {
        running(t).await;
        t.exec(&["/tmp"], None).await;
    }
    sees_its_environment: |t| {
        let env = json!([{"name": "COLOUR", "value": "blue"}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]);
        create(t, container("c", json!({"command": ["sleep", "3600"], "env": env, "workingDir": "/tmp"})), json!({})).await;
        t.until(POD, is_ready).await;
        t.exec(&["sh", "-c", "echo $COLOUR $POD; pwd; hostname; id -u"], None).await;
    }
    sees_what_is_mounted: |t| {
        t.post("/api/v1/namespaces/{ns}/configmaps", json!({"metadata": {"name": "settings"}, "data": {"k": "v", "l": "w"}})).quiet().await;
        let volumes = json!([{"name": "settings", "configMap": {"name": "settings"}}]);
        let mounts = json!([{"name": "settings", "mountPath": "/settings"}]);
        create(t, container("c", json!({"command": ["sleep", "3600"], "volumeMounts": mounts})), json!({"volumes": volumes})).await;
        t.until(POD, is_ready).await;
        t.exec(&["sh", "-c", "ls /settings; cat /settings/k"], None).await;
        t.exec(&["sh", "-c", "echo x > /settings/k"], None).await;
    }
    keeps_files: |t| {
        running(t).await;
        t.exec(&["sh", "-c", "echo kept > /tmp/file"], None).await;
        t.exec(&["cat", "/tmp/file"], None).await;
        t.exec(&["cat", "/tmp/none"], None).await;
    }
    on_a_terminal: |t| {
        running(t).await;
        t.exec_on_terminal(&["sh", "-c", "test -t 1 && echo yes; echo err >&2; exit 4"]).await;
    }
    in_another_container: |t| {
        create(t, sleeper("c"), json!({"containers": [sleeper("c"), container("other", json!({"command": ["sleep", "3600"], "env": [{"name": "ME", "value": "other"}]}))]})).await;
        t.until(POD, is_ready).await;
        t.exec_in("other", &["sh", "-c", "echo $ME"], None).await;
        refused!(t, "command=true&stdout=true");
    }
    without_upgrade: |t| {
        running(t).await;
        t.get(&format!("{EXEC}?command=true&stdout=true")).only(&["/kind", "/status", "/reason", "/message", "/code"]).await;
    }
    without_command: |t| {
        running(t).await;
        refused!(t, "stdout=true");
    }
    without_streams: |t| {
        running(t).await;
        refused!(t, "command=true");
    }
    in_a_missing_pod: |t| {
        t.get(&format!("{EXEC}?command=true&stdout=true")).await;
    }
    in_a_missing_container: |t| {
        running(t).await;
        t.get(&format!("{EXEC}?command=true&stdout=true&container=x")).await;
    }
    in_a_container_without_image: |t| {
        without_image(t).await;
        refused!(t, "command=true&stdout=true");
    }
    in_a_container_that_ended: |t| {
        ended(t, "true").await;
        refused!(t, "command=true&stdout=true");
    }
    in_a_pod_without_node: |t| {
        create(t, sleeper("c"), json!({"nodeSelector": {"shop.test/disk": "fast"}})).await;
        refused!(t, "command=true&stdout=true");
    }
}
