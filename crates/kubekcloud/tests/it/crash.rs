//! The process is killed before and after every write that reconciling does; the next one converges.

use std::collections::HashSet;

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use types::Step;

use crate::harness::{Client, Kubernetes, Server, ServerOptions, TestDatabase, eventually, skip, unique};

/// A life that meets the steps named in [`steps_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Create, stop, start, scale down, delete; with disk and key.
    Container,
    /// Create, suspend, resume, delete; with cloud-init.
    Vm,
    /// Create where the namespace's name is taken, delete.
    TakenName,
    /// Create, then an object of ours that is no longer wanted appears.
    Leftover,
}

/// In which life a step is met. The match is exhaustive: a new step must be given one.
fn life_of(step: Step) -> Life {
    match step {
        Step::NamespaceCreate
        | Step::NamespaceRecord
        | Step::GuardrailApply
        | Step::SecretApply
        | Step::VolumeApply
        | Step::PodCreate
        | Step::PodDelete
        | Step::VolumeDelete
        | Step::StatusWrite
        | Step::InstanceRelease
        | Step::AllocationRelease
        | Step::NamespaceDelete
        | Step::ClusterRemove => Life::Container,
        Step::VmApply | Step::VmPause | Step::VmUnpause | Step::VmDelete => Life::Vm,
        Step::NamespaceRename => Life::TakenName,
        Step::GuardrailPrune => Life::Leftover,
    }
}

/// The control plane under test: whenever its process has killed itself, another one is started.
struct Phoenix<'a> {
    server: Server,
    database: &'a TestDatabase,
    kubernetes: &'a Kubernetes,
    deaths: usize,
}

impl Phoenix<'_> {
    async fn revive(&mut self) {
        if self.server.has_died() {
            self.deaths += 1;
            self.server = Server::start(self.database, self.kubernetes, ServerOptions::default()).await;
        }
    }

    /// Repeats a request until the process lives long enough to answer it.
    async fn ask(&mut self, user: &Client, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            self.revive().await;
            let client = Client::new(&self.server.url, user.token.as_deref());
            let body = body.map(|body| body.to_string().into_bytes());
            let method = method.parse().expect("a method");
            let headers = [("content-type", "application/json"), ("idempotency-key", "one")];
            // A key is for creates; everything else may be repeated as it is.
            let headers = if path == "/api/v1/clusters" { &headers[..] } else { &headers[..1] };
            if let Ok(answer) = client.try_send(method, path, headers, body).await {
                let value = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
                // Nobody waits here for what a request could not do.
                assert!(matches!(answer.status.as_u16(), 200..300 | 404), "{path}: {answer:?}\n{}", self.server.log());
                return (answer.status.as_u16(), value);
            }
            assert!(tokio::time::Instant::now() < deadline, "no answer to {path}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    async fn until(&mut self, user: &Client, path: &str, what: &str, done: impl Fn(u16, &Value) -> bool) -> Value {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(120);
        loop {
            let (status, value) = self.ask(user, "GET", path, None).await;
            if done(status, &value) {
                return value;
            }
            assert!(tokio::time::Instant::now() < deadline, "not {what}: {value}\n{}", self.server.log());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    async fn running(&mut self, user: &Client, path: &str, instances: usize) -> Value {
        self.until(user, path, "running", |_, value| {
            value["status"] == "running" && value["instances"].as_array().is_some_and(|all| all.len() == instances)
        })
        .await
    }
}

async fn live(phoenix: &mut Phoenix<'_>, user: &Client, life: Life) {
    let name = unique("crash");
    let mut body = json!({"name": name, "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 2});
    match life {
        Life::Container => {
            phoenix.kubernetes.offer_volumes(4).await;
            body["disk_gb"] = json!(1);
            body["ssh_public_key"] = json!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@host");
        }
        Life::Vm => {
            body["instance_type"] = json!("vm");
            body["instance_count"] = json!(1);
            body["cloud_init"] = json!("#cloud-config\n");
        }
        Life::TakenName => {
            let taken = serde_json::from_value(json!({"metadata": {"name": format!("{name}-ns")}})).expect("a namespace");
            phoenix.kubernetes.namespaces().create(&kube::api::PostParams::default(), &taken).await.expect("creates");
        }
        Life::Leftover => {}
    }
    let (status, created) = phoenix.ask(user, "POST", "/api/v1/clusters", Some(&body)).await;
    assert_eq!(status, 201, "{created}");
    let path = format!("/api/v1/clusters/{}", created["id"]);
    let count = usize::try_from(body["instance_count"].as_i64().expect("a number")).expect("small");
    let detail = phoenix.running(user, &path, count).await;
    let namespace = detail["namespace"].as_str().expect("a namespace").to_owned();
    match life {
        Life::Container => {
            for (operation, state) in [("stop", "stopped"), ("start", "running")] {
                phoenix.ask(user, "POST", &format!("{path}/{operation}"), None).await;
                phoenix.until(user, &path, state, |_, value| value["status"] == state).await;
            }
            phoenix.ask(user, "PATCH", &path, Some(&json!({"instance_count": 1}))).await;
            phoenix.running(user, &path, 1).await;
            let freed = |_, quota: &Value| quota["used_cpu"].as_f64() == Some(1.0);
            phoenix.until(user, "/api/v1/users/me/quota", "free of what was scaled away", freed).await;
        }
        Life::Vm => {
            for (operation, state) in [("suspend", "suspended"), ("resume", "running")] {
                phoenix.ask(user, "POST", &format!("{path}/{operation}"), None).await;
                phoenix.until(user, &path, state, |_, value| value["status"] == state).await;
            }
        }
        Life::TakenName => assert_ne!(namespace, format!("{name}-ns")),
        Life::Leftover => leave_over(phoenix, user, &path, &namespace).await,
    }
    phoenix.ask(user, "DELETE", &path, None).await;
    phoenix.until(user, &path, "gone", |status, _| status == 404).await;
    if life == Life::TakenName {
        let theirs = format!("{name}-ns");
        phoenix.kubernetes.namespaces().delete(&theirs, &kube::api::DeleteParams::default()).await.expect("it was left alone");
    }
}

/// Puts an object with our labels there that no cluster wants, and changes the cluster so that a pass looks.
async fn leave_over(phoenix: &mut Phoenix<'_>, user: &Client, path: &str, namespace: &str) {
    use k8s_openapi::api::networking::v1::NetworkPolicy;
    let policies = kube::Api::<NetworkPolicy>::namespaced(phoenix.kubernetes.client.clone(), namespace);
    let ours = policies.list(&kube::api::ListParams::default()).await.expect("lists").items.remove(0);
    let stale = serde_json::from_value(json!({
        "metadata": {"name": "stale", "labels": ours.metadata.labels}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}
    }))
    .expect("a policy");
    policies.create(&kube::api::PostParams::default(), &stale).await.expect("creates");
    phoenix.ask(user, "PATCH", path, Some(&json!({"instance_count": 3}))).await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while policies.get_opt("stale").await.expect("asks").is_some() {
        phoenix.revive().await;
        assert!(tokio::time::Instant::now() < deadline, "the stale policy is not pruned\n{}", phoenix.server.log());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    phoenix.running(user, path, 3).await;
}

async fn killed_at(step: Step, side: &str) -> Result<(), String> {
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let setup = Server::start(&database, &kubernetes, ServerOptions::default()).await;
    let user = setup.user().await;
    let installation = setup.installation(&database).await;
    setup.interrupt().await;

    let options = ServerOptions { kill_at: Some(format!("{}.{side}", step.as_str())), ..ServerOptions::default() };
    let server = Server::start(&database, &kubernetes, options).await;
    let mut phoenix = Phoenix { server, database: &database, kubernetes: &kubernetes, deaths: 0 };
    live(&mut phoenix, &user, life_of(step)).await;
    phoenix.revive().await;
    if phoenix.deaths != 1 {
        return Err(format!("{}.{side}: the process died {} times instead of once", step.as_str(), phoenix.deaths));
    }
    let user = Client::new(&phoenix.server.url, user.token.as_deref());
    eventually("labelled namespaces = rows = none", 60, || async {
        let rows = user.get("/api/v1/clusters").await.expect(200);
        (rows == json!([]) && kubernetes.namespaces_of(&installation).await.is_empty()).then_some(())
    })
    .await;
    let quota = user.get("/api/v1/users/me/quota").await.expect(200);
    let leaked = ["used_cpu", "used_memory", "used_storage"].iter().any(|key| quota[*key].as_f64() != Some(0.0));
    if leaked { Err(format!("{}.{side}: quota leaked: {quota}", step.as_str())) } else { Ok(()) }
}

/// Most of the time goes by waiting for the dead process's lease to end, so many run at once.
/// Against a real Kubernetes every other point is taken, because its namespaces take their time to go.
#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_or_after_any_write_converges() {
    if cfg!(not(feature = "failpoints")) {
        assert!(std::env::var_os("CI").is_none(), "build with the feature 'failpoints'");
        skip("built without the feature 'failpoints'");
        return;
    }
    let points = Step::ALL.iter().flat_map(|step| ["before", "after"].map(|side| (*step, side)));
    let points: Vec<_> = match crate::harness::is_real() {
        true => points.skip(1).step_by(2).collect(),
        false => points.collect(),
    };
    let names: HashSet<_> = Step::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(names.len(), Step::ALL.len());
    let results: Vec<_> = stream::iter(points).map(|(step, side)| killed_at(step, side)).buffer_unordered(10).collect().await;
    let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{failures:#?}");
}
