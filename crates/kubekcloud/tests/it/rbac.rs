//! `deploy/kubernetes/rbac.yaml` is enough, and a server with exactly that account does everything.

use std::path::{Path, PathBuf};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::{Namespace, ServiceAccount},
};
use kube::{
    Api, Discovery,
    api::{Patch, PatchParams, PostParams},
    core::DynamicObject,
};
use serde_json::json;

use crate::harness::{Kubernetes, Server, ServerOptions, TestDatabase, instance_ids, is_real, skip, unique};

const NAMESPACE: &str = "kubekcloud-system";

/// Applies the checked-in file as an admin and makes a kubeconfig for its account.
async fn least_rights(kubernetes: &Kubernetes, dir: &Path) -> PathBuf {
    let params = PatchParams::apply("tests").force();
    let system = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    kubernetes
        .namespaces()
        .patch(NAMESPACE, &params, &Patch::Apply(serde_json::from_value::<Namespace>(system).expect("a namespace")))
        .await
        .expect("applies");
    let discovery = Discovery::new(kubernetes.client.clone()).run().await.expect("discovers");
    let file = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/kubernetes/rbac.yaml")).expect("rbac.yaml");
    for document in serde_saphyr::from_multiple::<serde_json::Value>(&file).expect("YAML") {
        assert!(!document.to_string().contains("\"*\""), "a wildcard is not the least right");
        let object: DynamicObject = serde_json::from_value(document).expect("an object");
        let types = object.types.clone().expect("a kind");
        let gvk = kube::core::GroupVersionKind::try_from(&types).expect("a kind");
        let (resource, capabilities) = discovery.resolve_gvk(&gvk).expect("a known kind");
        let namespaced = capabilities.scope == kube::discovery::Scope::Namespaced;
        let api: Api<DynamicObject> = match namespaced {
            true => Api::namespaced_with(kubernetes.client.clone(), object.metadata.namespace.as_deref().unwrap_or(NAMESPACE), &resource),
            false => Api::all_with(kubernetes.client.clone(), &resource),
        };
        let name = object.metadata.name.clone().expect("a name");
        api.patch(&name, &params, &Patch::Apply(&object)).await.expect("applies");
    }
    let accounts = Api::<ServiceAccount>::namespaced(kubernetes.client.clone(), NAMESPACE);
    let request =
        TokenRequest { spec: TokenRequestSpec { expiration_seconds: Some(3600), ..TokenRequestSpec::default() }, ..TokenRequest::default() };
    let token = accounts.create_token_request("kubekcloud", &PostParams::default(), &request).await.expect("a token").status.expect("a status").token;

    let admin: serde_json::Value = serde_saphyr::from_str(&std::fs::read_to_string(&kubernetes.kubeconfig).expect("reads")).expect("YAML");
    let least = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "least",
        "clusters": [{"name": "least", "cluster": admin["clusters"][0]["cluster"]}],
        "users": [{"name": "least", "user": {"token": token}}],
        "contexts": [{"name": "least", "context": {"cluster": "least", "user": "least"}}],
    });
    let path = dir.join("kubeconfig");
    std::fs::write(&path, least.to_string()).expect("writes");
    path
}

#[tokio::test]
async fn the_least_rights_are_enough_for_everything() {
    if !is_real() {
        skip("the sandbox judges no roles; set KUBEKCLOUD_TEST_KUBECONFIG");
        return;
    }
    let (database, kubernetes) = (TestDatabase::fresh().await, Kubernetes::connect().await);
    let dir = tempfile::tempdir().expect("temporary directory");
    let kubeconfig = least_rights(&kubernetes, dir.path()).await;
    let options = ServerOptions { kubeconfig: Some(kubeconfig), ..ServerOptions::default() };
    let server = Server::start(&database, &kubernetes, options).await;
    let user = server.user().await;
    for kind in ["container", "vm"] {
        let mut body = json!({"name": unique("least"), "instance_type": kind, "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 2});
        body["ssh_public_key"] = json!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ann@host");
        let cluster = user.post("/api/v1/clusters?wait=60", &body).await.expect(201);
        let (id, instance) = (cluster["id"].as_i64().expect("id"), instance_ids(&cluster)[0]);
        user.settled(id, "running").await;
        for (operation, state) in [("suspend", "suspended"), ("resume", "running"), ("stop", "stopped"), ("start", "running")] {
            assert_eq!(user.operate(instance, operation).await.expect(200)["status"], state);
        }
        user.get(&format!("/api/v1/instances/{instance}/events")).await.expect(200);
        let logs = user.get(&format!("/api/v1/instances/{instance}/logs")).await;
        assert!(!logs.text.contains("forbidden"), "{}", logs.text);
        user.patch(&format!("/api/v1/clusters/{id}"), &json!({"instance_count": 1})).await.expect(200);
        user.settled(id, "running").await;
        user.delete_cluster(id).await;
    }
    let log = server.log();
    assert!(!log.to_lowercase().contains("forbidden"), "a right is missing:\n{log}");
    assert_eq!(user.used().await, (0.0, 0.0));
}
