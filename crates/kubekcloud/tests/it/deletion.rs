//! Deletes that hang say why, and give back nothing too early.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::harness::{Server, eventually, stays, unique};

#[tokio::test]
async fn a_delete_that_hangs_says_which_finalizer_holds_it_and_ends_when_it_is_freed() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("stuck"), "container", 2).await;
    let (id, namespace) = (cluster["id"].as_i64().expect("id"), cluster["namespace"].as_str().expect("a namespace"));
    let pod = cluster["instances"][0]["k8s_resource_name"].as_str().expect("a name");
    let pods = kubernetes.pods(namespace);
    let finalizers = |list: serde_json::Value| Patch::Merge(json!({"metadata": {"finalizers": list}}));
    pods.patch(pod, &PatchParams::default(), &finalizers(json!(["tests.example/hold"]))).await.expect("patches");

    let path = format!("/api/v1/clusters/{id}");
    let first = user.delete(&path).await.expect(202);
    assert_eq!(user.delete(&path).await.expect(202), first, "a repeat says the same");
    let detail = eventually("the delete says what holds it", 60, || async {
        let detail = user.detail(id).await;
        detail["message"].as_str().is_some_and(|message| message.contains("tests.example/hold")).then_some(detail)
    })
    .await;
    assert_eq!(detail["status"], "deleting");
    assert!(detail["reason"].is_string(), "{detail}");
    assert_eq!(user.used().await.0, 2.0, "quota is given back when compute is confirmed gone, not before");
    let body = json!({"name": cluster["name"], "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
    user.post("/api/v1/clusters", &body).await.expect_problem(409, "conflict", None);
    user.post_empty(&format!("{path}/suspend")).await.expect_problem(409, "conflict", None);
    user.patch(&path, &json!({"instance_count": 3})).await.expect_problem(409, "conflict", None);

    pods.patch(pod, &PatchParams::default(), &finalizers(json!([]))).await.expect("patches");
    eventually("the cluster is gone", 90, || async { (user.get(&path).await.status == 404).then_some(()) }).await;
    assert_eq!(user.used().await, (0.0, 0.0));
    user.delete(&path).await.expect_problem(404, "not_found", None);
    assert!(kubernetes.namespaces().get_opt(namespace).await.expect("asks").is_none());
}

#[tokio::test]
async fn a_cluster_deleted_in_its_first_moment_leaves_nothing() {
    let (server, database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let installation = server.installation(&database).await;
    for round in 0..6 {
        let body =
            json!({"name": unique("brief"), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 3});
        let cluster = user.post("/api/v1/clusters", &body).await.expect(201);
        // Every other one at once, when nothing may be there yet; the others when something surely is.
        if round % 2 == 1 {
            let namespace = cluster["namespace"].as_str().expect("a namespace").to_owned();
            eventually("its namespace is made", 30, || async { kubernetes.namespaces_of(&installation).await.contains(&namespace).then_some(()) })
                .await;
        }
        user.delete(&format!("/api/v1/clusters/{}", cluster["id"])).await.expect(202);
    }
    let nothing = || async {
        let none = user.get("/api/v1/clusters").await.expect(200) == json!([]) && user.used().await == (0.0, 0.0);
        none && kubernetes.namespaces_of(&installation).await.is_empty()
    };
    eventually("no cluster, no namespace, no quota", 90, || async { nothing().await.then_some(()) }).await;
    // A create that was under way when its row went would show only now.
    stays("no cluster, no namespace, no quota", 3, nothing).await;
}
