//! KubeVirt on the control plane: its real virt-api and virt-controller as plain processes, installed
//! the way its operator would, and our node agent in the place of virt-handler.

mod flags;
mod manifests;
mod ready;

use super::{
    cluster::{self, Cluster},
    objects, pki,
};
use crate::{digest::digest, tools::Tools};
use anyhow::{Context, Result};
use futures::future::try_join_all;
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
    runtime::wait::{await_condition, conditions::is_crd_established},
};
use serde_json::{Value, json};
use std::{env, fs, time::Duration};

const NAMESPACE: &str = "kubevirt";
const VERSION: &str = "v1.8.0";
/// Longer than any cluster of tests lives.
const TOKEN_SECONDS: i64 = 30 * 24 * 3600;
const ESTABLISH_LIMIT: Duration = Duration::from_secs(120);

/// What a running KubeVirt must have been made from to be used again.
pub(crate) fn fingerprint(tools: &Tools) -> Result<String> {
    let mut parts = Vec::new();
    for path in [tools.bin("virt-api")?, tools.bin("virt-controller")?, tools.manifest("cdi-crds.yaml")?] {
        parts.push(path.display().to_string());
    }
    Ok(digest(parts))
}

/// Starts everything and returns when a VirtualMachine can run.
pub(crate) async fn start(cluster: &mut Cluster, tools: &Tools) -> Result<()> {
    pki::kubevirt(&cluster.state)?;
    let ca = fs::read_to_string(cluster.state.pki("kubevirt-ca.crt"))?;
    let client = cluster::client(&cluster.state.kubeconfig()).await?;
    let client = &client;

    objects::create(client, vec![manifests::namespace(NAMESPACE)]).await?;
    // CDI's before virt-api and virt-controller start: these exit when CDI appears later.
    let mut definitions = manifests::read(&tools.manifest("kubevirt-crds.json")?)?;
    definitions.extend(manifests::read(&tools.manifest("cdi-crds.yaml")?)?);
    let roles = manifests::read(&tools.manifest("kubevirt-rbac.json")?)?;
    tokio::try_join!(define(client, definitions), objects::create(client, roles), objects::create(client, manifests::ca_bundles(NAMESPACE, &ca)),)?;
    configure(cluster, client, manifests::read(&tools.manifest("kubevirt-cr.json")?)?).await?;
    try_join_all(["kubevirt-apiserver", "kubevirt-controller", "kubevirt-handler"].map(|account| login(cluster, client, account))).await?;

    cluster.spawn("virt-api", &tools.bin("virt-api")?, &flags::virt_api(cluster))?;
    cluster.spawn("virt-controller", &tools.bin("virt-controller")?, &flags::virt_controller(cluster))?;
    let this = env::current_exe().context("find this executable")?;
    cluster.spawn("node-agent", &this, &flags::node_agent(cluster))?;

    let port = cluster.record.ports.virt_api;
    let mut services = manifests::read(&tools.manifest("kubevirt-apiservices.json")?)?;
    manifests::point_at(&mut services, port, &ca);
    objects::create(client, vec![manifests::virt_handler(NAMESPACE, VERSION)]).await?;
    // The apiserver asks an API that did not answer again only after ever longer pauses.
    cluster.until("virt-api listens", "virt-api", || cluster::healthy(port, "/apis/subresources.kubevirt.io/v1/healthz")).await?;
    objects::create(client, services).await?;
    cluster.until("virt-api answers through the apiserver", "virt-api", || ready::subresources(client)).await?;
    // Only now: while virt-api does not answer, they would refuse every virtual machine.
    let mut webhooks = manifests::read(&tools.manifest("kubevirt-webhooks.json")?)?;
    manifests::point_at(&mut webhooks, port, &ca);
    objects::create(client, webhooks).await?;
    cluster.until("virt-controller leads", "virt-controller", || ready::leads(client)).await?;
    cluster.until("virt-api admits virtual machines", "virt-api", || ready::admits(client)).await?;
    cluster.until("the node agent holds every node", "node-agent", || ready::nodes_held(client)).await
}

/// Creates definitions and waits until each is served.
async fn define(client: &Client, definitions: Vec<Value>) -> Result<()> {
    let names: Vec<String> = definitions
        .iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition")
        .filter_map(|object| object["metadata"]["name"].as_str().map(str::to_owned))
        .collect();
    objects::create(client, definitions).await?;
    let established = names.iter().map(|name| await_condition(Api::all(client.clone()), name, is_crd_established()));
    tokio::time::timeout(ESTABLISH_LIMIT, try_join_all(established))
        .await
        .context("the apiserver did not establish KubeVirt's definitions in time")??;
    Ok(())
}

/// Creates the KubeVirt object and says in its status what the operator would have deployed.
async fn configure(cluster: &Cluster, client: &Client, cr: Vec<Value>) -> Result<()> {
    cluster.until("the KubeVirt object can be created", "kube-apiserver", || async { objects::create(client, cr.clone()).await.map(Some) }).await?;
    let status = json!({"status": {
        "phase": "Deployed",
        "defaultArchitecture": "amd64",
        "observedKubeVirtVersion": VERSION,
        "operatorVersion": VERSION,
        "targetKubeVirtVersion": VERSION,
    }});
    api(client, "kubevirt.io", "v1", "KubeVirt", Some(NAMESPACE))
        .patch_status("kubevirt", &PatchParams::default(), &Patch::Merge(status))
        .await
        .context("set the status of the KubeVirt object")?;
    Ok(())
}

/// Writes a kubeconfig for a service account, so that KubeVirt's own roles are what it may do.
async fn login(cluster: &Cluster, client: &Client, account: &str) -> Result<()> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), NAMESPACE);
    let request =
        TokenRequest { spec: TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() }, ..TokenRequest::default() };
    let answer =
        accounts.create_token_request(account, &PostParams::default(), &request).await.with_context(|| format!("ask a token for {account}"))?;
    let token = answer.status.context("a token request was answered without a token")?.token;
    let path = cluster.state.pki(&format!("{account}.kubeconfig"));
    let apiserver = cluster.record.ports.apiserver;
    pki::kubeconfig(&cluster.state, &path, apiserver, &pki::Login::Token(&token))
}

fn api(client: &Client, group: &str, version: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}
