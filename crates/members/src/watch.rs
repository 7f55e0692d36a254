//! Keeps a [`Cache`] in step with a member: one cluster-wide watch per kind, selected by our installation's label.
//!
//! Not one watch per cluster, and no polling. KubeVirt's kinds are watched while the member serves them, which is
//! asked once a minute.

use std::{fmt::Debug, sync::Arc, time::Duration};

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::BoxFuture};
use http::Method;
use kube::{
    Api, Resource as _,
    api::ApiResource,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event},
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::task::JoinSet;
use types::{Subject, labels};

use crate::{
    Cache, Kind, KubeVirt, Member,
    cache::{Cached, KindCaches},
    call::{Call, chain},
    member::REQUEST_DEADLINE,
    view::{NamespaceView, ObjectRef, PodView, VmView, VmiView},
};

/// How often a member is asked whether it serves KubeVirt.
const KUBEVIRT_RECHECK: Duration = Duration::from_secs(60);
/// The same while it gave no answer.
const KUBEVIRT_RETRY: Duration = Duration::from_secs(2);
/// After how long the server ends a watch; a dead connection is noticed 5 s later.
const WATCH_SECONDS: u32 = 290;

type OnChange = Arc<dyn Fn(Subject) + Send + Sync>;

/// A kind that can be watched.
#[derive(Clone, Copy)]
pub struct Watch {
    kind: Kind,
    run: fn(Follower) -> BoxFuture<'static, ()>,
    clear: fn(&mut KindCaches) -> Vec<Subject>,
}

impl Watch {
    /// Namespaces.
    pub const NAMESPACES: Self = Self::of::<NamespaceView>();
    /// Pods.
    pub const PODS: Self = Self::of::<PodView>();
    /// VirtualMachines, while the member serves them.
    pub const VMS: Self = Self::of::<VmView>();
    /// VirtualMachineInstances, while the member serves them.
    pub const VMIS: Self = Self::of::<VmiView>();

    const fn of<V: Cached<Object: Watched>>() -> Self {
        Self { kind: V::KIND, run: |follower| follower.run::<V>().boxed(), clear: |kinds| V::views(kinds).clear() }
    }
}

/// Running watches. Dropping it ends them.
pub struct Watches {
    cache: Arc<Cache>,
    tasks: JoinSet<()>,
}

impl Watches {
    /// Starts watching these kinds; one that is named twice is watched once. `on_change` is told which subject to look
    /// at again, often several times for one change.
    pub fn start(member: Arc<Member>, installation: &str, kinds: &[Watch], on_change: impl Fn(Subject) + Send + Sync + 'static) -> Self {
        let cache = Arc::new(Cache::default());
        let selector = format!("{}={installation}", labels::INSTALLATION);
        let follower = Follower { member, cache: cache.clone(), on_change: Arc::new(on_change), selector };
        let once = kinds.iter().enumerate().filter(|(at, watch)| !kinds[..*at].iter().any(|earlier| earlier.kind == watch.kind));
        let (kubevirt, always): (Vec<_>, Vec<_>) = once.map(|(_, watch)| *watch).partition(|watch| watch.kind.is_kubevirt());
        let mut tasks = JoinSet::new();
        for watch in always {
            tasks.spawn((watch.run)(follower.clone()));
        }
        tasks.spawn(follower.follow_kubevirt(kubevirt));
        Self { cache, tasks }
    }

    /// What they know.
    pub fn cache(&self) -> &Arc<Cache> {
        &self.cache
    }

    /// Waits until one of them has ended, or panicked: what the cache says from then on is out of date.
    pub async fn ended(&mut self) {
        self.tasks.join_next().await;
    }
}

/// Waits until one of these tasks has ended; for ever if there are none.
async fn any_ended(tasks: &mut Option<JoinSet<()>>) {
    match tasks {
        Some(tasks) if !tasks.is_empty() => _ = tasks.join_next().await,
        _ => std::future::pending().await,
    }
}

/// What can be watched: the parts of an object that we use.
trait Watched: kube::Resource<DynamicType = ApiResource> + Clone + Debug + DeserializeOwned + Send + Sync + 'static {}

impl<K> Watched for K where K: kube::Resource<DynamicType = ApiResource> + Clone + Debug + DeserializeOwned + Send + Sync + 'static {}

#[derive(Clone)]
struct Follower {
    member: Arc<Member>,
    cache: Arc<Cache>,
    on_change: OnChange,
    selector: String,
}

impl Follower {
    /// Follows one kind for ever.
    async fn run<V: Cached<Object: Watched>>(self) {
        let kind = V::KIND;
        let api: Api<V::Object> = Api::all_with(self.member.client.clone(), &kind.api_resource());
        let config = watcher::Config::default().labels(&self.selector).timeout(WATCH_SECONDS);
        let mut events = watcher::watcher(api, config).default_backoff().boxed();
        let mut failing = false;
        loop {
            match events.try_next().await {
                Ok(Some(event)) => {
                    if std::mem::take(&mut failing) && !matches!(event, Event::Init) {
                        tracing::info!(member = self.member.name(), kind = kind.as_str(), "the watch works again");
                    }
                    self.apply::<V>(event);
                }
                Ok(None) => return,
                Err(error) => {
                    let text = chain(&error);
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(member = self.member.name(), kind = kind.as_str(), error = %text, "the watch fails");
                    }
                    V::views(&mut self.cache.lock()).fail(text);
                }
            }
        }
    }

    /// Brings an event into the cache, then tells which subjects it touches.
    fn apply<V: Cached<Object: Watched>>(&self, event: Event<V::Object>) {
        let touched = {
            let mut kinds = self.cache.lock();
            let views = V::views(&mut kinds);
            match event {
                Event::Init => {
                    views.relist_begin();
                    Vec::new()
                }
                Event::InitApply(object) => {
                    views.relist_add(ObjectRef::of(object.meta()), object.into());
                    Vec::new()
                }
                Event::InitDone => {
                    let touched = views.relist_end();
                    self.cache.relisted();
                    touched
                }
                Event::Apply(object) => {
                    let named = ObjectRef::of(object.meta());
                    let subject = named.subject;
                    views.apply(named, object.into());
                    subject.into_iter().collect()
                }
                Event::Delete(object) => {
                    let named = ObjectRef::of(object.meta());
                    views.delete(&named);
                    named.subject.into_iter().collect()
                }
            }
        };
        touched.into_iter().for_each(|subject| (self.on_change)(subject));
    }

    /// Watches KubeVirt's kinds while they are served.
    async fn follow_kubevirt(self, kinds: Vec<Watch>) {
        let mut watching: Option<JoinSet<()>> = None;
        loop {
            let state = self.kubevirt_state().await;
            match state {
                KubeVirt::Served if watching.is_none() => {
                    tracing::info!(member = self.member.name(), "KubeVirt is served: watching VMs");
                    let mut tasks = JoinSet::new();
                    for watch in &kinds {
                        tasks.spawn((watch.run)(self.clone()));
                    }
                    watching = Some(tasks);
                    self.cache.lock().kubevirt = state;
                }
                KubeVirt::Absent => {
                    watching = None;
                    let touched = {
                        let mut caches = self.cache.lock();
                        caches.kubevirt = state;
                        kinds.iter().flat_map(|watch| (watch.clear)(&mut caches)).collect::<Vec<_>>()
                    };
                    touched.into_iter().for_each(|subject| (self.on_change)(subject));
                }
                KubeVirt::Served | KubeVirt::Unknown => {}
            }
            let pause = if self.cache.kubevirt() == KubeVirt::Unknown { KUBEVIRT_RETRY } else { KUBEVIRT_RECHECK };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = any_ended(&mut watching) => return,
            }
        }
    }

    async fn kubevirt_state(&self) -> KubeVirt {
        #[derive(Deserialize)]
        struct Resources {
            #[serde(default)]
            resources: Vec<Resource>,
        }
        #[derive(Deserialize)]
        struct Resource {
            name: String,
        }
        let call = Call::new(Method::GET, "/apis/kubevirt.io/v1".to_owned());
        match self.member.call::<Resources>(call, REQUEST_DEADLINE).await {
            Ok(list) if list.resources.iter().any(|r| r.name == "virtualmachines") => KubeVirt::Served,
            Ok(_) => KubeVirt::Absent,
            Err(error) if error.is_not_found() => KubeVirt::Absent,
            Err(error) => {
                tracing::debug!(member = self.member.name(), %error, "cannot tell whether KubeVirt is served");
                KubeVirt::Unknown
            }
        }
    }
}
