//! The node agent: plays what no process without a hypervisor can do for real.
//!
//! It stands in for virt-handler and virt-launcher (a machine boots, pauses, ends), and for the
//! kubelet where launcher Pods are concerned (readiness gates, the end of a deleted Pod). All else
//! of KubeVirt is real. As virt-handler it uses that one's own service account, so that a call its
//! role forbids fails here too: it may list and watch machines, but not get one.
//!
//! It keeps no state: what it knows of a guest stands in the machine's status. Not played: consoles,
//! migration targets, hot plugging.

mod guest;
mod heartbeat;
mod id;
mod launchers;
mod log;
mod machines;
mod server;
mod tasks;

use super::cluster;
use anyhow::{Context, Result};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use log::log;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tasks::Tasks;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Credentials of virt-handler's service account
    #[arg(long)]
    handler_kubeconfig: PathBuf,
    /// Credentials that may do what a kubelet does
    #[arg(long)]
    kubelet_kubeconfig: PathBuf,
    /// Where virt-api reaches the agent, on 127.0.0.1
    #[arg(long)]
    port: u16,
    /// Signs the certificates of those who may call
    #[arg(long)]
    client_ca: PathBuf,
    #[arg(long)]
    certificate: PathBuf,
    #[arg(long)]
    key: PathBuf,
    /// How long a guest takes to boot, in milliseconds
    #[arg(long, default_value_t = 200)]
    boot_ms: u64,
    /// How long a guest takes to shut down, in milliseconds; its grace period is the most
    #[arg(long, default_value_t = 200)]
    stop_ms: u64,
}

/// What every part of the agent works with.
pub(crate) struct Agent {
    handler: Client,
    kubelet: Client,
    boot: Duration,
    stop: Duration,
    tasks: Tasks,
}

pub(crate) async fn run(args: Args) -> Result<()> {
    let agent = Arc::new(Agent {
        handler: cluster::client(&args.handler_kubeconfig).await?,
        kubelet: cluster::client(&args.kubelet_kubeconfig).await?,
        boot: Duration::from_millis(args.boot_ms),
        stop: Duration::from_millis(args.stop_ms),
        tasks: Tasks::default(),
    });
    let server = server::Server::bind(&args).await.context("listen for virt-api")?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    log("ready");
    tokio::select! {
        result = server.serve(agent.clone()) => result,
        () = machines::watch(agent.clone()) => Ok(()),
        () = launchers::watch(agent.clone()) => Ok(()),
        () = heartbeat::keep(&agent) => Ok(()),
        _ = terminate.recv() => Ok(()),
    }
}

impl Agent {
    /// Machine instances, with the rights of virt-handler.
    fn machines(&self, namespace: Option<&str>) -> Api<DynamicObject> {
        dynamic(&self.handler, "kubevirt.io", "VirtualMachineInstance", namespace)
    }

    /// Pods, with the rights of a kubelet.
    fn pods(&self, namespace: Option<&str>) -> Api<DynamicObject> {
        dynamic(&self.kubelet, "", "Pod", namespace)
    }
}

/// Objects are kept as JSON, so that a write gives back every field, known here or not.
fn dynamic(client: &Client, group: &str, kind: &str, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}
