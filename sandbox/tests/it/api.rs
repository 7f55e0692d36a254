//! The verbs, as kube-rs uses them.

use crate::support::{self, client, config_map, eventually, from, names, namespace, phase, pod, refused, start};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Node, Pod};
use kube::api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy, VersionMatch};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

#[tokio::test]
async fn a_list_comes_in_pages_that_show_one_version() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "a");
    for n in 0..7 {
        api.create(&PostParams::default(), &config_map(&format!("c{n}"), json!({}))).await.expect("created");
    }
    eventually("the namespace is furnished", || async { api.get_opt("kube-root-ca.crt").await.expect("read") }).await;
    let first = api.list(&ListParams::default().limit(3)).await.expect("a page");
    assert_eq!((first.items.len(), first.metadata.remaining_item_count), (3, Some(5)));
    api.delete("c5", &DeleteParams::default()).await.expect("deleted");
    let token = first.metadata.continue_.expect("a token");
    let rest = api.list(&ListParams::default().limit(100).continue_token(&token)).await.expect("the rest");
    assert_eq!(names(rest.items), ["c3", "c4", "c5", "c6", "kube-root-ca.crt"]);
    assert_eq!(rest.metadata.resource_version, first.metadata.resource_version);
    let former = ListParams::default().at(&first.metadata.resource_version.expect("a version")).matching(VersionMatch::Exact);
    assert_eq!(names(api.list(&former).await.expect("a former version").items).len(), 8);
    let (code, reason, _) = refused(api.list(&ListParams::default().continue_token("abc")).await);
    assert_eq!((code, reason.as_str()), (400, "BadRequest"));
}

#[tokio::test]
async fn selectors_look_at_labels_and_declared_fields() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<Pod> = Api::namespaced(client.clone(), "a");
    for (name, tier) in [("p1", "web"), ("p2", "db")] {
        let mut pod = pod(name);
        pod.labels_mut().insert("tier".to_owned(), tier.to_owned());
        api.create(&PostParams::default(), &pod).await.expect("created");
    }
    let by = |params: ListParams| {
        let api = api.clone();
        async move { names(api.list(&params).await.expect("a list").items) }
    };
    assert_eq!(by(ListParams::default().labels("tier in (web, x)")).await, ["p1"]);
    assert_eq!(by(ListParams::default().fields("metadata.name=p2")).await, ["p2"]);
    eventually("both run", || async {
        (by(ListParams::default().fields("status.phase=Running,spec.nodeName=sandbox-node-0")).await.len() == 2).then_some(())
    })
    .await;
    let events: Api<Event> = Api::namespaced(client.clone(), "a");
    let about = ListParams::default().fields("involvedObject.name=p1,reason=Scheduled");
    let found = eventually("an event", || async { events.list(&about).await.expect("a list").items.pop() }).await;
    assert_eq!(found.message.as_deref(), Some("Successfully assigned a/p1 to sandbox-node-0"));
    let (code, _, message) = refused(api.list(&ListParams::default().fields("spec.nonsense=1")).await);
    assert_eq!((code, message.as_str()), (400, "field label not supported: spec.nonsense"));
}

#[tokio::test]
async fn refusals_are_those_of_the_real_server() {
    let (sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), "a");
    let made = api.create(&PostParams::default(), &config_map("c", json!({"k": "1"}))).await.expect("created");
    let again = refused(api.create(&PostParams::default(), &config_map("c", json!({}))).await);
    assert_eq!(again, (409, "AlreadyExists".to_owned(), r#"configmaps "c" already exists"#.to_owned()));
    let mut newer = made.clone();
    newer.data.get_or_insert_default().insert("k".to_owned(), "2".to_owned());
    api.replace("c", &PostParams::default(), &newer).await.expect("replaced");
    let stale = refused(api.replace("c", &PostParams::default(), &made).await);
    assert_eq!((stale.0, stale.1.as_str()), (409, "Conflict"));
    let nowhere: Api<ConfigMap> = Api::namespaced(client.clone(), "nowhere");
    let missing = refused(nowhere.create(&PostParams::default(), &config_map("c", json!({}))).await);
    assert_eq!(missing, (404, "NotFound".to_owned(), r#"namespaces "nowhere" not found"#.to_owned()));
    assert_eq!(refused(api.create(&PostParams::default(), &config_map("Not A Name", json!({}))).await).0, 422);
    let big = config_map("big", json!({"k": "x".repeat(4 << 20)}));
    assert_eq!(refused(api.create(&PostParams::default(), &big).await).0, 413);
    let unknown = support::dynamic(&client, "a", "nobody.example", "v1", "Thing");
    assert_eq!(refused(unknown.list(&ListParams::default()).await).0, 404);
    let broken = http::Request::post("/api/v1/namespaces/a/configmaps").body(b"{\"kind\":".to_vec()).expect("a request");
    assert_eq!(refused(client.request::<Value>(broken).await).0, 400);
    let wrong = sandbox.kubeconfig().replace("token: ", "token: x");
    let stranger: Api<Node> = Api::all(support::client(&wrong).await);
    assert_eq!(refused(stranger.list(&ListParams::default()).await).0, 401);
}

#[tokio::test]
async fn a_delete_obeys_its_preconditions() {
    let (_sandbox, client) = start().await;
    let made = namespace(&client, "a").await;
    let api: Api<Namespace> = Api::all(client.clone());
    let with = |uid: &str| DeleteParams {
        preconditions: Some(Preconditions { uid: Some(uid.to_owned()), resource_version: None }),
        ..DeleteParams::default()
    };
    let (code, reason, message) = refused(api.delete("a", &with("another")).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert!(message.contains("Precondition failed: UID in precondition: another, UID in object meta: "), "{message}");
    let maps: Api<ConfigMap> = Api::namespaced(client, "a");
    maps.create(&PostParams::default(), &config_map("c", json!({}))).await.expect("created");
    let (code, _, message) = refused(maps.delete("c", &with("another")).await);
    assert!(
        code == 409 && message.contains(r#"on ConfigMap "c": the UID in the precondition (another) does not match the UID in record"#),
        "{message}"
    );
    api.delete("a", &with(&made.uid().expect("a uid"))).await.expect("deleted");
    eventually("it is gone", || async { api.get_opt("a").await.expect("read").is_none().then_some(()) }).await;
}

#[tokio::test]
async fn apply_creates_removes_what_is_dropped_and_reports_conflicts() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<Deployment> = Api::namespaced(client, "a");
    let web = |replicas: Value, env: Value| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"team": "x"}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "nginx:1", "env": env}]}}}})
    };
    let params = PatchParams::apply("kubekcloud");
    let full = web(json!(2), json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]));
    let first = api.patch("web", &params, &Patch::Apply(full)).await.expect("applied");
    assert_eq!(first.managed_fields()[0].manager.as_deref(), Some("kubekcloud"));
    let mut less = web(json!(2), json!([{"name": "B", "value": "2"}]));
    less["metadata"]["labels"] = json!({});
    let second = api.patch("web", &params, &Patch::Apply(less.clone())).await.expect("applied");
    let env = second.spec.as_ref().and_then(|s| s.template.spec.as_ref()).and_then(|s| s.containers[0].env.clone()).expect("an environment");
    assert_eq!(env.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["B"]);
    assert!(second.labels().is_empty());
    let (code, reason, message) = refused(api.patch("web", &PatchParams::apply("other"), &Patch::Apply(web(json!(5), json!([])))).await);
    assert_eq!((code, reason.as_str()), (409, "Conflict"));
    assert_eq!(message, "Apply failed with 2 conflicts: conflicts with \"kubekcloud\":\n- .metadata.labels\n- .spec.replicas");
    let forced = api.patch("web", &PatchParams::apply("other").force(), &Patch::Apply(web(json!(5), json!([])))).await.expect("forced");
    assert_eq!(forced.spec.and_then(|s| s.replicas), Some(5));
}

#[tokio::test]
async fn applying_the_same_twice_makes_no_new_version() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "a");
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}});
    let params = PatchParams::apply("kubekcloud").force();
    let first = api.patch("c", &params, &Patch::Apply(&config)).await.expect("applied");
    let second = api.patch("c", &params, &Patch::Apply(&config)).await.expect("applied");
    assert_eq!(first.resource_version(), second.resource_version());
}

#[tokio::test]
async fn a_finalizer_holds_an_object_until_it_is_removed() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<ConfigMap> = Api::namespaced(client, "a");
    let mut map = config_map("c", json!({}));
    map.finalizers_mut().extend(["example.com/one".to_owned(), "example.com/two".to_owned()]);
    api.create(&PostParams::default(), &map).await.expect("created");
    let marked = api.delete("c", &DeleteParams::default()).await.expect("marked").left().expect("still there");
    assert!(marked.metadata.deletion_timestamp.is_some());
    let patch = |list: Value| Patch::<Value>::Json(serde_json::from_value(list).expect("a patch"));
    let first = patch(
        json!([{"op": "test", "path": "/metadata/finalizers/0", "value": "example.com/one"}, {"op": "remove", "path": "/metadata/finalizers/0"}]),
    );
    let left = api.patch("c", &PatchParams::default(), &first).await.expect("patched");
    assert_eq!(left.finalizers(), ["example.com/two"]);
    assert_eq!(refused(api.patch("c", &PatchParams::default(), &first).await).0, 422);
    api.patch("c", &PatchParams::default(), &patch(json!([{"op": "remove", "path": "/metadata/finalizers/0"}]))).await.expect("patched");
    assert!(api.get_opt("c").await.expect("read").is_none());
}

#[tokio::test]
async fn a_namespace_takes_its_contents_along_and_accepts_nothing_new() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "a");
    let mut held = config_map("held", json!({}));
    held.finalizers_mut().push("example.com/held".to_owned());
    maps.create(&PostParams::default(), &held).await.expect("created");
    let pods: Api<Pod> = Api::namespaced(client.clone(), "a");
    pods.create(&PostParams::default(), &pod("p")).await.expect("created");
    let api: Api<Namespace> = Api::all(client);
    let marked = api.delete("a", &DeleteParams::default()).await.expect("marked").left().expect("still there");
    assert_eq!(marked.status.and_then(|s| s.phase).as_deref(), Some("Terminating"));
    let (code, reason, message) = refused(maps.create(&PostParams::default(), &config_map("late", json!({}))).await);
    assert_eq!((code, reason.as_str()), (403, "Forbidden"));
    assert_eq!(message, r#"configmaps "late" is forbidden: unable to create new content in namespace a because it is being terminated"#);
    let why = eventually("the namespace says what holds it", || async {
        let conditions = api.get("a").await.expect("read").status.and_then(|s| s.conditions).unwrap_or_default();
        let only = conditions.iter().any(|c| c.message.as_deref() == Some("Some resources are remaining: configmaps. has 1 resource instances"));
        conditions.into_iter().find(|c| only && c.type_ == "NamespaceFinalizersRemaining")
    })
    .await;
    assert_eq!(why.message.as_deref(), Some("Some content in the namespace has finalizers remaining: example.com/held in 1 resource instances"));
    assert!(pods.get_opt("p").await.expect("read").is_none());
    maps.patch("held", &PatchParams::default(), &Patch::Merge(json!({"metadata": {"finalizers": null}}))).await.expect("released");
    eventually("it is gone", || async { api.get_opt("a").await.expect("read").is_none().then_some(()) }).await;
}

#[tokio::test]
async fn dependents_follow_their_owner_in_the_way_that_was_asked_for() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "a");
    for policy in [PropagationPolicy::Background, PropagationPolicy::Foreground, PropagationPolicy::Orphan] {
        let owner = maps.create(&PostParams::default(), &config_map("owner", json!({}))).await.expect("created");
        let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid()});
        let child: ConfigMap = from(json!({"metadata": {"name": "child", "ownerReferences": [reference]}}));
        maps.create(&PostParams::default(), &child).await.expect("created");
        let params = DeleteParams { propagation_policy: Some(policy.clone()), ..DeleteParams::default() };
        maps.delete("owner", &params).await.expect("deleted");
        eventually("the owner is gone", || async { maps.get_opt("owner").await.expect("read").is_none().then_some(()) }).await;
        if policy == PropagationPolicy::Orphan {
            let child = maps.get("child").await.expect("still there");
            assert!(child.owner_references().is_empty());
        } else {
            eventually("the child is gone", || async { maps.get_opt("child").await.expect("read").is_none().then_some(()) }).await;
        }
    }
}

#[tokio::test]
async fn a_spec_change_is_a_new_generation_and_a_status_change_is_not() {
    let (_sandbox, client) = start().await;
    namespace(&client, "a").await;
    let api: Api<Deployment> = Api::namespaced(client, "a");
    let web = json!({"metadata": {"name": "web"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "nginx:1"}]}}}});
    api.create(&PostParams::default(), &from(web)).await.expect("created");
    let ready = eventually("it is available", || async {
        let found = api.get("web").await.expect("read");
        found.status.as_ref().and_then(|s| s.available_replicas).filter(|n| *n == 1).map(|_| found)
    })
    .await;
    assert_eq!(ready.metadata.generation, Some(1));
    let scale = api.get_scale("web").await.expect("a scale");
    assert_eq!(scale.status.and_then(|s| s.selector).as_deref(), Some("app=web"));
    api.patch_scale("web", &PatchParams::default(), &Patch::Merge(json!({"spec": {"replicas": 2}}))).await.expect("scaled");
    let scaled = eventually("two are ready", || async {
        let found = api.get("web").await.expect("read");
        found.status.as_ref().and_then(|s| s.ready_replicas).filter(|n| *n == 2).map(|_| found)
    })
    .await;
    assert_eq!(scaled.metadata.generation, Some(2));
}

#[tokio::test]
async fn a_definition_brings_its_kind() {
    let (_sandbox, client) = start().await;
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}]}});
    let request = http::Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions").header("content-type", "application/json");
    client.request::<Value>(request.body(crd.to_string().into_bytes()).expect("a request")).await.expect("defined");
    let api = support::dynamic(&client, "default", "example.com", "v1", "Widget");
    let widget = from(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}));
    api.create(&PostParams::default(), &widget).await.expect("created");
    let strategic = api.patch("w", &PatchParams::default(), &Patch::Strategic(json!({"spec": {"size": 2}}))).await;
    assert_eq!(refused(strategic).0, 415);
    assert_eq!(names(api.list(&ListParams::default()).await.expect("a list").items), ["w"]);
}

#[tokio::test]
async fn generated_names_logs_and_dry_runs_work() {
    let (sandbox, client_) = start().await;
    let pods: Api<Pod> = Api::namespaced(client_.clone(), "default");
    let mut template = pod("");
    template.metadata.name = None;
    template.metadata.generate_name = Some("job-".to_owned());
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    pods.create(&dry, &template).await.expect("tried");
    assert!(pods.list(&ListParams::default()).await.expect("a list").items.is_empty());
    let name = pods.create(&PostParams::default(), &template).await.expect("created").name_any();
    assert!(name.starts_with("job-") && name.len() == 9);
    eventually("it runs", || async { (phase(&pods.get(&name).await.expect("read")) == "Running").then_some(()) }).await;
    let log = pods.logs(&name, &LogParams { tail_lines: Some(1), ..LogParams::default() }).await.expect("a log");
    assert_eq!(log.lines().count(), 1);
    assert_eq!(client_.apiserver_version().await.expect("a version").git_version, "v1.36.3+sandbox");
    let anonymous = client(&sandbox.kubeconfig().replace("token: ", "token: x")).await;
    let health = http::Request::get("/readyz").body(Vec::new()).expect("a request");
    assert_eq!(anonymous.request_text(health).await.expect("healthy"), "ok");
}
