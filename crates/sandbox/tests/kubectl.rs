//! A real kubectl, when `KUBECTL_PATH` names one.

mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::start_in;

struct Kubectl<'d> {
    program: String,
    dir: &'d Path,
}

impl Kubectl<'_> {
    fn run(&self, line: &str, input: &str) -> Output {
        use std::io::Write;
        let mut child = Command::new(&self.program)
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.dir)
            .env("KUBECONFIG", self.dir.join("kubeconfig"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
        child.wait_with_output().expect("an end")
    }

    /// What a command that must succeed prints.
    fn says(&self, line: &str) -> String {
        self.says_to(line, "")
    }

    fn says_to(&self, line: &str, input: &str) -> String {
        let output = self.run(line, input);
        assert!(output.status.success(), "kubectl {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

const MANIFEST: &str = "
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: p}}
spec: {containers: [{name: app, image: 'nginx:1'}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {a: b}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_works_as_a_newcomer_uses_it() {
    let Ok(program) = std::env::var("KUBECTL_PATH") else {
        println!("skipped: KUBECTL_PATH is not set");
        return;
    };
    let dir = tempfile::tempdir().expect("a directory");
    let (_sandbox, _client) = start_in(dir.path()).await;
    let kubectl = Kubectl { program, dir: dir.path() };
    assert!(kubectl.says("version").contains("Server Version: v1.36.3+sandbox"));
    assert!(kubectl.says("api-resources").contains("virtualmachineinstances"));
    assert_eq!(kubectl.says("create ns x").trim(), "namespace/x created");
    kubectl.says("-n x create configmap m --from-literal=a=b");
    kubectl.says("-n x create secret generic s --from-literal=a=b");
    kubectl.says("-n x create deployment d --image=nginx --replicas=2 --port=80");
    kubectl.says("-n x create quota q --hard=cpu=1");
    kubectl.says("-n x create sa bob");
    assert_eq!(kubectl.says("auth can-i create pods").trim(), "yes");
    assert!(kubectl.says("auth whoami").contains("sandbox-admin"));
    kubectl.says_to("-n x apply -f -", MANIFEST);
    assert!(kubectl.says_to("-n x apply -f -", MANIFEST).contains("configmap/c unchanged"));
    kubectl.says("-n x wait --for=condition=Ready pod/p --timeout=10s");
    kubectl.says("-n x rollout status deploy/d --timeout=10s");
    let table = kubectl.says("-n x get pod p");
    assert!(table.starts_with("NAME   READY   STATUS    RESTARTS   AGE") && table.contains("1/1     Running"), "{table}");
    assert!(kubectl.says("-n x get deploy d -o jsonpath={.status.readyReplicas}") == "2");
    assert!(kubectl.says("-n x describe pod p").contains("Successfully assigned x/p to sandbox-node-0"));
    let refused = kubectl.run("-n x apply --server-side -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: z}}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Apply failed with 1 conflict"));
    kubectl.says_to("-n x apply --server-side --force-conflicts -f -", "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: z}}");
    assert_eq!(kubectl.says("-n x get cm c -o jsonpath={.data.a}"), "z");
    assert_eq!(kubectl.says("-n x delete pod p").trim(), r#"pod "p" deleted from x namespace"#);
    assert_eq!(kubectl.says("delete ns x").trim(), r#"namespace "x" deleted"#);
    assert!(!kubectl.says("get ns").contains("x  "));
}
