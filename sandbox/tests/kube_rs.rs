//! kube-rs as controllers use it: watchers in all their modes, and a Controller with a finalizer. On a sandbox, or on the
//! cluster that `KUBEKCLOUD_TEST_KUBECONFIG` names, with the same expectations.

mod support;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams};
use kube::core::PartialObjectMeta;
use kube::runtime::controller::Action;
use kube::runtime::finalizer::{self, finalizer};
use kube::runtime::wait::{await_condition, conditions};
use kube::runtime::{Controller, WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use sandbox::Sandbox;
use serde_json::json;
use support::{config_map, eventually, from, namespace, start};

/// A real cluster's garbage collector takes its time.
const DEADLINE: Duration = Duration::from_secs(180);

/// A cluster and a namespace of the test's own.
struct World {
    client: Client,
    namespace: String,
    sandbox: Option<Sandbox>,
}

impl World {
    async fn new(theme: &str) -> Self {
        let (client, sandbox) = match std::env::var_os("KUBEKCLOUD_TEST_KUBECONFIG") {
            Some(path) => (support::client(&std::fs::read_to_string(path).expect("the named kubeconfig")).await, None),
            None => {
                let (sandbox, client) = start().await;
                (client, Some(sandbox))
            }
        };
        let name = format!("kube-rs-{theme}-{:x}", std::process::id());
        namespace(&client, &name).await;
        Self { client, namespace: name, sandbox }
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn end(self) {
        match self.sandbox {
            Some(sandbox) => sandbox.shutdown().await,
            None => {
                let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(self.client);
                namespaces.delete(&self.namespace, &DeleteParams::default()).await.expect("the namespace goes");
            }
        }
    }
}

fn coloured(name: &str) -> ConfigMap {
    let mut map = config_map(name, json!({}));
    map.labels_mut().insert("colour".to_owned(), "red".to_owned());
    map
}

/// Follows a watcher until its view of names and versions is that of a list, through creations, a deletion, a change and
/// an object that leaves the selector.
async fn follow<K: Resource + Debug + Send + 'static>(api: &Api<ConfigMap>, events: impl Stream<Item = watcher::Result<watcher::Event<K>>>) {
    api.create(&PostParams::default(), &coloured("before")).await.expect("created");
    let mut seen = BTreeMap::new();
    let mut initialised = false;
    let mut events = Box::pin(events);
    let run = async {
        while let Some(event) = events.try_next().await.expect("an event") {
            match event {
                watcher::Event::Init => seen.clear(),
                watcher::Event::InitApply(map) | watcher::Event::Apply(map) => {
                    seen.insert(map.name_any(), map.resource_version());
                }
                watcher::Event::Delete(map) => {
                    seen.remove(&map.name_any());
                }
                watcher::Event::InitDone => {
                    // A list of any version, streaming or not, may be too old to hold `before`; it comes later then.
                    initialised = true;
                    for n in 0..20 {
                        api.create(&PostParams::default(), &coloured(&format!("c{n}"))).await.expect("created");
                    }
                    api.delete("c3", &DeleteParams::default()).await.expect("deleted");
                    let uncoloured = Patch::Merge(json!({"metadata": {"labels": null}}));
                    api.patch("c4", &PatchParams::default(), &uncoloured).await.expect("patched");
                    api.patch("c5", &PatchParams::default(), &Patch::Merge(json!({"data": {"a": "b"}}))).await.expect("patched");
                }
            }
            let list = api.list(&ListParams::default().labels("colour")).await.expect("a list");
            let there: BTreeMap<_, _> = list.items.iter().map(|m| (m.name_any(), m.resource_version())).collect();
            if initialised && there.len() == 19 && seen == there {
                return;
            }
        }
    };
    tokio::time::timeout(DEADLINE, run).await.expect("the view becomes the list");
}

async fn objects(theme: &str, config: watcher::Config) {
    let world = World::new(theme).await;
    let api = world.maps();
    follow(&api, watcher(api.clone(), config.labels("colour")).default_backoff()).await;
    world.end().await;
}

async fn metadata(theme: &str, config: watcher::Config) {
    let world = World::new(theme).await;
    let api = world.maps();
    let metadata: Api<PartialObjectMeta<ConfigMap>> = Api::namespaced(world.client.clone(), &world.namespace);
    follow(&api, watcher(metadata, config.labels("colour")).default_backoff()).await;
    world.end().await;
}

#[tokio::test]
async fn a_list_and_watch_sees_what_a_list_sees() {
    objects("pages", watcher::Config::default().page_size(5)).await;
}

#[tokio::test]
async fn a_list_of_any_version_and_a_watch_see_what_a_list_sees() {
    objects("any", watcher::Config::default().any_semantic()).await;
}

#[tokio::test]
async fn a_streaming_list_sees_what_a_list_sees() {
    objects("streaming", watcher::Config::default().streaming_lists()).await;
}

#[tokio::test]
async fn a_watch_of_metadata_sees_what_a_list_sees() {
    metadata("metadata", watcher::Config::default()).await;
}

#[tokio::test]
async fn a_streaming_list_of_metadata_sees_what_a_list_sees() {
    metadata("stream-meta", watcher::Config::default().streaming_lists()).await;
}

const FINALIZER: &str = "tour.example.com/travel";

fn travels(group: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", "Travel"))
}

async fn define(client: &Client, group: &str) -> Api<CustomResourceDefinition> {
    let crds: Api<CustomResourceDefinition> = Api::all(client.clone());
    let name = format!("travels.{group}");
    let crd = json!({"metadata": {"name": name}, "spec": {"group": group, "scope": "Namespaced",
        "names": {"plural": "travels", "singular": "travel", "kind": "Travel"},
        "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}});
    crds.create(&PostParams::default(), &from(crd)).await.expect("a definition");
    let established = await_condition(crds.clone(), &name, conditions::is_crd_established());
    tokio::time::timeout(DEADLINE, established).await.expect("in time").expect("established");
    crds
}

/// What the controller works with.
struct Context {
    client: Client,
    namespace: String,
    resource: ApiResource,
}

impl Context {
    fn travels(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &self.resource)
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}

/// Keeps a ConfigMap of the same name, says so in the status, and leaves a note behind when the Travel goes.
async fn reconcile(travel: Arc<DynamicObject>, context: Arc<Context>) -> Result<Action, finalizer::Error<kube::Error>> {
    let inner = |event: finalizer::Event<DynamicObject>| {
        let context = context.clone();
        async move {
            let apply = PatchParams::apply("travel-agency").force();
            match event {
                finalizer::Event::Apply(travel) => {
                    let owner = travel.controller_owner_ref(&context.resource);
                    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": travel.name_any(), "ownerReferences": [owner]},
                        "data": {"to": travel.data["spec"]["to"]}});
                    context.maps().patch(&travel.name_any(), &apply, &Patch::Apply(map)).await?;
                    let status = json!({"apiVersion": format!("{}/v1", context.resource.group), "kind": "Travel", "status": {"booked": travel.data["spec"]["to"]}});
                    context.travels().patch_status(&travel.name_any(), &apply, &Patch::Apply(status)).await?;
                }
                finalizer::Event::Cleanup(travel) => {
                    let note = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("{}-cancelled", travel.name_any())}});
                    context.maps().patch(&format!("{}-cancelled", travel.name_any()), &apply, &Patch::Apply(note)).await?;
                }
            }
            Ok(Action::await_change())
        }
    };
    finalizer(&context.travels(), FINALIZER, travel, inner).await
}

#[tokio::test]
async fn a_controller_with_a_finalizer_keeps_its_child_and_cleans_up() {
    let world = World::new("controller").await;
    let group = format!("{}.example.com", world.namespace);
    let crds = define(&world.client, &group).await;
    let context = Arc::new(Context { client: world.client.clone(), namespace: world.namespace.clone(), resource: travels(&group) });
    let (api, maps) = (context.travels(), context.maps());
    let controller = Controller::new_with(api.clone(), watcher::Config::default(), context.resource.clone())
        .owns(maps.clone(), watcher::Config::default())
        .run(reconcile, |_, _, _| Action::requeue(Duration::from_millis(100)), context.clone())
        .for_each(|_| std::future::ready(()));
    let controller = tokio::spawn(controller);

    let travel: DynamicObject =
        from(json!({"apiVersion": format!("{group}/v1"), "kind": "Travel", "metadata": {"name": "t"}, "spec": {"to": "rome"}}));
    api.create(&PostParams::default(), &travel).await.expect("created");
    let booked = |to: &'static str| {
        let (api, maps) = (api.clone(), maps.clone());
        eventually("the child and the status", move || {
            let (api, maps) = (api.clone(), maps.clone());
            async move {
                let map = maps.get_opt("t").await.expect("an answer")?;
                let travel = api.get("t").await.expect("the travel");
                (map.data?["to"] == to && travel.data["status"]["booked"] == to).then_some(travel)
            }
        })
    };
    let travel = booked("rome").await;
    assert_eq!(travel.finalizers(), [FINALIZER]);
    api.patch("t", &PatchParams::default(), &Patch::Merge(json!({"spec": {"to": "oslo"}}))).await.expect("patched");
    booked("oslo").await;
    maps.delete("t", &DeleteParams::default()).await.expect("deleted");
    booked("oslo").await;

    api.delete("t", &DeleteParams::default()).await.expect("deleted");
    let uid = travel.uid().expect("a UID");
    let gone = await_condition(api.clone(), "t", conditions::is_deleted(&uid));
    tokio::time::timeout(DEADLINE, gone).await.expect("in time").expect("gone");
    maps.get("t-cancelled").await.expect("the note of the cleanup");
    let collected = await_condition(maps.clone(), "t", |map: Option<&ConfigMap>| map.is_none());
    tokio::time::timeout(DEADLINE, collected).await.expect("in time").expect("the child goes with its owner");

    controller.abort();
    crds.delete(&format!("travels.{group}"), &DeleteParams::default()).await.expect("deleted");
    world.end().await;
}
