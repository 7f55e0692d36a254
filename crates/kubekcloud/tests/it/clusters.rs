//! Clusters in the member: what is created, scaled, healed.

use kube::api::ListParams;
use serde_json::{Value, json};

use crate::harness::{Server, eventually, instance_ids, unique};

#[tokio::test]
async fn an_instance_is_the_pod_that_the_seeds_describe() {
    let (server, database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let name = unique("shape");
    let body = json!({"name": name, "instance_type": "container", "cpu_per_instance": 0.5, "memory_per_instance": "512Mi", "instance_count": 1, "image": "nginx:1.29"});
    let cluster = user.post("/api/v1/clusters?wait=60", &body).await.expect(201);
    let namespace = cluster["namespace"].as_str().expect("a namespace");
    assert_eq!(namespace, format!("{name}-ns"));
    let pod = kubernetes.pods(namespace).get(&format!("{name}-instance-1")).await.expect("the Pod");
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    assert_eq!(labels.get("managed-by").map(String::as_str), Some("cmp"));
    assert_eq!(labels.get("instance-type").map(String::as_str), Some("container"));
    assert_eq!(labels.get("kubekcloud.io/installation"), Some(&server.installation(&database).await));
    let spec = pod.spec.expect("a spec");
    let main = &spec.containers[0];
    assert_eq!((main.name.as_str(), main.image.as_deref()), ("main", Some("nginx:1.29")));
    let resources = main.resources.clone().expect("resources");
    let (requests, limits) = (resources.requests.expect("requests"), resources.limits.expect("limits"));
    assert!(["cpu", "memory"].iter().all(|name| requests[*name] == limits[*name]), "guaranteed: {requests:?} {limits:?}");
    assert_eq!((requests["ephemeral-storage"].0.as_str(), limits["ephemeral-storage"].0.as_str()), ("128Mi", "2Gi"));
    assert_eq!((limits["cpu"].0.as_str(), limits["memory"].0.as_str()), ("500m", "512Mi"));
    assert_eq!(spec.automount_service_account_token, Some(false));

    let instance = &cluster["instances"][0];
    assert_eq!(instance["status"], "running", "{instance}");
    assert!(instance["ip"].is_string() && instance["node"].is_string(), "{instance}");
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
}

#[tokio::test]
async fn a_namespace_is_guarded() {
    use k8s_openapi::api::{
        core::v1::{LimitRange, ResourceQuota},
        networking::v1::NetworkPolicy,
    };
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("guarded"), "container", 2).await;
    let namespace = cluster["namespace"].as_str().expect("a namespace");
    let object = kubernetes.namespaces().get(namespace).await.expect("the namespace");
    let labels = object.metadata.labels.unwrap_or_default();
    assert_eq!(labels.get("pod-security.kubernetes.io/enforce").map(String::as_str), Some("baseline"));
    let quotas = kube::Api::<ResourceQuota>::namespaced(kubernetes.client.clone(), namespace).list(&ListParams::default()).await.expect("lists");
    let hard = quotas.items[0].spec.clone().and_then(|spec| spec.hard).expect("limits");
    assert_eq!((hard["limits.cpu"].0.as_str(), hard["pods"].0.as_str()), ("2", "2"));
    let ranges = kube::Api::<LimitRange>::namespaced(kubernetes.client.clone(), namespace).list(&ListParams::default()).await.expect("lists");
    assert_eq!(ranges.items.len(), 1);
    let policies = kube::Api::<NetworkPolicy>::namespaced(kubernetes.client.clone(), namespace).list(&ListParams::default()).await.expect("lists");
    let denies_all = |policy: &NetworkPolicy| {
        policy.spec.as_ref().is_some_and(|spec| spec.ingress.as_ref().is_none_or(Vec::is_empty) && spec.egress.as_ref().is_none_or(Vec::is_empty))
    };
    assert!(policies.items.iter().any(denies_all), "no policy denies everything by default");

    // The quota of the namespace follows the cluster's size.
    let id = cluster["id"].as_i64().expect("id");
    user.patch(&format!("/api/v1/clusters/{id}"), &json!({"instance_count": 3})).await.expect(200);
    let api = kube::Api::<ResourceQuota>::namespaced(kubernetes.client.clone(), namespace);
    eventually("the namespace's quota grows", 30, || async {
        let quotas = api.list(&ListParams::default()).await.expect("lists");
        let hard = quotas.items[0].spec.clone().and_then(|spec| spec.hard).expect("limits");
        (hard["pods"].0 == "3").then_some(())
    })
    .await;
    user.settled(id, "running").await;
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn scaling_adds_at_the_end_and_removes_from_the_end() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let name = unique("scale");
    let cluster = user.cluster(&name, "container", 2).await;
    let id = cluster["id"].as_i64().expect("id");
    let first_two = instance_ids(&cluster);
    user.patch(&format!("/api/v1/clusters/{id}"), &json!({"instance_count": 4})).await.expect(200);
    let grown = user.settled(id, "running").await;
    assert_eq!((grown["instance_count"].as_i64(), &instance_ids(&grown)[..2]), (Some(4), &first_two[..]));
    assert_eq!(user.used().await, (4.0, 4.0));

    user.patch(&format!("/api/v1/clusters/{id}"), &json!({"instance_count": 1})).await.expect(200);
    eventually("the quota of the removed is free", 60, || async { (user.used().await == (1.0, 1.0)).then_some(()) }).await;
    let detail = user.detail(id).await;
    assert_eq!(instance_ids(&detail), first_two[..1]);
    let namespace = cluster["namespace"].as_str().expect("a namespace");
    let pods = kubernetes.pods(namespace).list(&ListParams::default()).await.expect("lists");
    let names: Vec<_> = pods.items.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    assert_eq!(names, [format!("{name}-instance-1")]);
    // Numbers can be used again, ids are not.
    user.patch(&format!("/api/v1/clusters/{id}"), &json!({"instance_count": 2})).await.expect(200);
    let again = user.settled(id, "running").await;
    assert!(instance_ids(&again)[1] > first_two[1]);
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn a_pod_that_vanishes_is_made_again() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("heal"), "container", 1).await;
    let (id, namespace) = (cluster["id"].as_i64().expect("id"), cluster["namespace"].as_str().expect("a namespace"));
    let name = cluster["instances"][0]["k8s_resource_name"].as_str().expect("a name").to_owned();
    let before = kubernetes.pods(namespace).get(&name).await.expect("the Pod").metadata.uid;
    kubernetes.kill_pod(namespace, &name).await;
    eventually("another Pod of that name runs", 60, || async {
        let pod = kubernetes.pods(namespace).get_opt(&name).await.expect("asks")?;
        let running = pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        (pod.metadata.uid != before && running).then_some(())
    })
    .await;
    user.settled(id, "running").await;
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn a_namespace_that_vanishes_is_made_again() {
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let cluster = user.cluster(&unique("heal-ns"), "container", 2).await;
    let (id, namespace) = (cluster["id"].as_i64().expect("id"), cluster["namespace"].as_str().expect("a namespace").to_owned());
    let before = kubernetes.namespaces().get(&namespace).await.expect("there").metadata.uid;
    kubernetes.namespaces().delete(&namespace, &kube::api::DeleteParams::default()).await.expect("deletes");
    eventually("namespace and Pods are back", 90, || async {
        let found = kubernetes.namespaces().get_opt(&namespace).await.expect("asks")?;
        let detail = user.detail(id).await;
        (found.metadata.uid != before && found.metadata.deletion_timestamp.is_none() && detail["status"] == "running").then_some(())
    })
    .await;
    user.delete_cluster(id).await;
}

#[tokio::test]
async fn somebody_elses_namespace_is_never_adopted() {
    use k8s_openapi::api::core::v1::Namespace;
    let (server, _database, kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let name = unique("taken");
    // A thief's namespace: our name, even our public labels, but not our claim.
    let theirs: Namespace = serde_json::from_value(json!({
        "metadata": {"name": format!("{name}-ns"), "labels": {"managed-by": "cmp", "kubekcloud.io/cluster-id": "1"}}
    }))
    .expect("a namespace");
    let theirs = kubernetes.namespaces().create(&kube::api::PostParams::default(), &theirs).await.expect("creates");
    let cluster = user.cluster(&name, "container", 1).await;
    let namespace = cluster["namespace"].as_str().expect("a namespace");
    assert_ne!(namespace, format!("{name}-ns"));
    assert!(namespace.starts_with(&name) && namespace.ends_with("-ns"), "{namespace}");
    assert_eq!(cluster["status"], "running");
    user.delete_cluster(cluster["id"].as_i64().expect("id")).await;
    let still = kubernetes.namespaces().get(&format!("{name}-ns")).await.expect("still there");
    assert_eq!((still.metadata.uid, still.metadata.deletion_timestamp.is_none()), (theirs.metadata.uid, true));
    let pods = kubernetes.pods(&format!("{name}-ns")).list(&ListParams::default()).await.expect("lists");
    assert!(pods.items.is_empty());
    kubernetes.namespaces().delete(&format!("{name}-ns"), &kube::api::DeleteParams::default()).await.expect("deletes");
}

#[tokio::test]
async fn two_tenants_may_use_one_name() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let (ann, bob) = (server.user().await, server.user().await);
    let name = unique("same");
    let (a, b) = (ann.cluster(&name, "container", 1).await, bob.cluster(&name, "container", 1).await);
    assert_ne!(a["namespace"], b["namespace"]);
    assert_eq!((a["status"].as_str(), b["status"].as_str()), (Some("running"), Some("running")));
    let body = json!({"name": name, "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
    ann.post("/api/v1/clusters", &body).await.expect_problem(409, "conflict", None);
    ann.delete_cluster(a["id"].as_i64().expect("id")).await;
    bob.delete_cluster(b["id"].as_i64().expect("id")).await;
}

#[tokio::test]
async fn a_repeat_with_the_same_key_answers_with_the_same_cluster() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let body = |count: u32, name: &str| {
        json!({"name": name, "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": count})
            .to_string()
            .into_bytes()
    };
    let name = unique("once");
    let headers = [("content-type", "application/json"), ("idempotency-key", "key-1")];
    let send = |body: Vec<u8>| user.send(reqwest::Method::POST, "/api/v1/clusters", &headers, Some(body));
    let answers = futures::future::join_all((0..5).map(|_| send(body(1, &name)))).await;
    let ids: Vec<Value> = answers.into_iter().map(|answer| answer.expect(201)["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(user.get("/api/v1/clusters").await.expect(200).as_array().map(Vec::len), Some(1));
    send(body(2, &name)).await.expect_problem(422, "invalid", Some("Idempotency-Key"));
    // Where it would promise nothing, it is refused.
    let headers = [("idempotency-key", "mine"), ("content-type", "application/json")];
    let elsewhere = user.send(reqwest::Method::POST, &format!("/api/v1/clusters/{}/stop", ids[0]), &headers, None).await;
    elsewhere.expect_problem(422, "invalid", Some("Idempotency-Key"));
    assert_eq!(user.used().await.0, 1.0);
    user.delete_cluster(ids[0].as_i64().expect("id")).await;
    send(body(1, &name)).await.expect_problem(409, "conflict", None);
    assert_eq!(user.used().await.0, 0.0, "a late repeat does not create it again");
}

#[tokio::test]
async fn lists_have_pages() {
    let (server, _database, _kubernetes) = Server::fresh().await;
    let user = server.user().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let body = json!({"name": unique(&format!("page{n}")), "instance_type": "container", "cpu_per_instance": 1, "memory_per_instance": 1, "instance_count": 1});
        let answer = user.post("/api/v1/clusters", &body).await;
        let location = answer.headers.get("location").and_then(|v| v.to_str().ok()).expect("a location").to_owned();
        let id = answer.expect(201)["id"].as_i64().expect("id");
        assert_eq!(location, format!("/api/v1/clusters/{id}"));
        ids.push(id);
    }
    let mut seen = Vec::new();
    let mut next = Some("/api/v1/clusters?limit=2".to_owned());
    while let Some(path) = next {
        let answer = user.get(&path).await;
        next = answer.headers.get("link").and_then(|link| link.to_str().ok()).map(|link| {
            assert!(link.ends_with("; rel=\"next\""), "{link}");
            link.trim_start_matches('<').split('>').next().expect("a target").to_owned()
        });
        seen.extend(answer.expect(200).as_array().expect("an array").iter().map(|c| c["id"].as_i64().expect("id")));
    }
    assert_eq!(seen, ids);
    for id in ids {
        user.delete(&format!("/api/v1/clusters/{id}")).await.expect(202);
    }
}
