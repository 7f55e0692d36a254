//! The peer: nothing between the Pods and the apiserver.

use super::client;
use ::kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ListParams, PostParams, WatchEvent, WatchParams},
};
use anyhow::{Context, Result, bail};
use futures::{TryStreamExt, future, pin_mut};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        core::v1::{LimitRange, Namespace, Pod, ResourceQuota},
        networking::v1::NetworkPolicy,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    path::Path,
    time::{Duration, Instant},
};

pub(super) const CONNECTIONS: usize = 16;
/// How long a thousand instances may take.
pub(super) const LIMIT: Duration = Duration::from_secs(300);
pub(super) const POLL: Duration = Duration::from_millis(50);

/// Its value is changed, so that the product takes nothing here for its own.
const INSTALLATION: &str = "kubekcloud.io/installation";

/// What a cluster's namespace held, ready to be made again elsewhere.
pub(super) struct Template {
    labels: BTreeMap<String, String>,
    quotas: Vec<ResourceQuota>,
    limits: Vec<LimitRange>,
    policies: Vec<NetworkPolicy>,
    pods: Vec<Pod>,
}

impl Template {
    pub(super) async fn read(client: &Client, namespace: &str) -> Result<Self> {
        let found = Api::<Namespace>::all(client.clone()).get(namespace).await.context("read the cluster's namespace")?;
        let mut pods: Vec<Pod> = objects(client, namespace).await?;
        for pod in &mut pods {
            pod.status = None;
            if let Some(spec) = &mut pod.spec {
                spec.node_name = None;
            }
        }
        Ok(Self {
            labels: theirs(found.labels()),
            quotas: objects(client, namespace).await?,
            limits: objects(client, namespace).await?,
            policies: objects(client, namespace).await?,
            pods,
        })
    }

    /// Seconds from the first POST until all Pods run. The namespace is gone when this returns.
    pub(super) async fn run(&self, kubeconfig: &Path, control: &Client, namespace: &str) -> Result<f64> {
        self.guard(control, namespace).await?;
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(client(kubeconfig).await?);
        }
        let started = Instant::now();
        let posting = future::try_join_all(clients.into_iter().enumerate().map(|(lane, client)| async move {
            let api = Api::<Pod>::namespaced(client, namespace);
            for pod in self.pods.iter().skip(lane).step_by(CONNECTIONS) {
                api.create(&PostParams::default(), pod).await.context("create a Pod")?;
            }
            anyhow::Ok(())
        }));
        let running = all_running(control, namespace, self.pods.len());
        let both = tokio::time::timeout(LIMIT, future::try_join(posting, running)).await;
        both.context("the Pods do not all run")??;
        let seconds = started.elapsed().as_secs_f64();
        gone(control, namespace).await?;
        Ok(seconds)
    }

    /// The namespace and its guards, the quota being in force.
    async fn guard(&self, client: &Client, namespace: &str) -> Result<()> {
        let mut object = Namespace::default();
        object.metadata.name = Some(namespace.to_owned());
        object.metadata.labels = Some(self.labels.clone());
        Api::all(client.clone()).create(&PostParams::default(), &object).await.context("create a namespace")?;
        make(client, namespace, &self.limits).await?;
        make(client, namespace, &self.policies).await?;
        make(client, namespace, &self.quotas).await?;
        let quotas = Api::<ResourceQuota>::namespaced(client.clone(), namespace);
        let deadline = Instant::now() + LIMIT;
        while !quotas.list(&ListParams::default()).await?.iter().all(|quota| quota.status.as_ref().is_some_and(|status| status.hard.is_some())) {
            if Instant::now() >= deadline {
                bail!("the quota does not come into force");
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }
}

/// The labels of what is not the product's.
fn theirs(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let value = |name: &String, value: &String| if name == INSTALLATION { "straight".to_owned() } else { value.clone() };
    labels.iter().map(|(name, old)| (name.clone(), value(name, old))).collect()
}

/// Objects of one kind, without what the server gave them.
async fn objects<K>(client: &Client, namespace: &str) -> Result<Vec<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let mut found = Api::<K>::namespaced(client.clone(), namespace).list(&ListParams::default()).await?.items;
    for object in &mut found {
        let meta = object.meta_mut();
        let fresh = ::kube::core::ObjectMeta {
            name: meta.name.take(),
            labels: Some(theirs(&meta.labels.take().unwrap_or_default())),
            annotations: meta.annotations.take(),
            ..Default::default()
        };
        *meta = fresh;
    }
    Ok(found)
}

async fn make<K>(client: &Client, namespace: &str, objects: &[K]) -> Result<()>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Serialize + Debug,
{
    let api = Api::<K>::namespaced(client.clone(), namespace);
    for object in objects {
        api.create(&PostParams::default(), object).await.with_context(|| format!("create {}", object.name_any()))?;
    }
    Ok(())
}

/// Ends when a watch has seen so many Pods run.
async fn all_running(client: &Client, namespace: &str, count: usize) -> Result<()> {
    let api = Api::<Pod>::namespaced(client.clone(), namespace);
    let events = api.watch(&WatchParams::default().timeout(290), "0").await.context("watch the Pods")?;
    pin_mut!(events);
    let mut running = BTreeSet::new();
    while let Some(event) = events.try_next().await? {
        if let WatchEvent::Added(pod) | WatchEvent::Modified(pod) = event
            && pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
        {
            running.insert(pod.name_any());
        }
        if running.len() == count {
            return Ok(());
        }
    }
    bail!("the watch ended with {} of {count} Pods running", running.len())
}

async fn gone(client: &Client, namespace: &str) -> Result<()> {
    let api = Api::<Namespace>::all(client.clone());
    api.delete(namespace, &DeleteParams::default()).await.context("delete the namespace")?;
    let deadline = Instant::now() + LIMIT;
    while api.get_opt(namespace).await?.is_some() {
        if Instant::now() >= deadline {
            bail!("the namespace does not go away");
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
