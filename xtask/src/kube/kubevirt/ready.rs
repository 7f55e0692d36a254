//! What KubeVirt must have reached before a VirtualMachine can run; each is `Some` once it has.

use super::{NAMESPACE, api, manifests};
use anyhow::Result;
use kube::{
    Client,
    api::{ListParams, PostParams},
};

pub(super) async fn subresources(client: &Client) -> Result<Option<()>> {
    let mut available = true;
    for version in ["v1", "v1alpha3"] {
        let name = format!("{version}.subresources.kubevirt.io");
        let services = api(client, "apiregistration.k8s.io", "v1", "APIService", None);
        let service = services.get(&name).await?;
        let conditions = service.data["status"]["conditions"].as_array();
        available &= conditions.into_iter().flatten().any(|condition| condition["type"] == "Available" && condition["status"] == "True");
    }
    Ok(available.then_some(()))
}

pub(super) async fn leads(client: &Client) -> Result<Option<()>> {
    let leases = api(client, "coordination.k8s.io", "v1", "Lease", Some(NAMESPACE));
    let lease = leases.get_opt("virt-controller").await?;
    let leads = lease.is_some_and(|lease| lease.data["spec"]["holderIdentity"].as_str().is_some_and(|holder| !holder.is_empty()));
    Ok(leads.then_some(()))
}

/// The apiserver learns of webhooks a moment after they are created: a machine without a template
/// is refused by the definition's schema either way, one without a strategy by virt-api alone.
pub(super) async fn admits(client: &Client) -> Result<Option<()>> {
    let machine = serde_json::from_value(manifests::refused_machine())?;
    let machines = api(client, "kubevirt.io", "v1", "VirtualMachine", Some("default"));
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    match machines.create(&dry_run, &machine).await {
        Err(kube::Error::Api(status)) if status.message.contains("virtualmachine-validator") => Ok(Some(())),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(None),
    }
}

/// virt-api looks for virt-handler's Pod on the node of a machine.
pub(super) async fn nodes_held(client: &Client) -> Result<Option<()>> {
    let nodes = api(client, "", "v1", "Node", None).list(&ListParams::default()).await?;
    let schedulable =
        nodes.iter().all(|node| node.metadata.labels.as_ref().and_then(|labels| labels.get("kubevirt.io/schedulable")) == Some(&"true".to_owned()));
    let sets = api(client, "apps", "v1", "DaemonSet", Some(NAMESPACE));
    let ready = sets.get("virt-handler").await?.data["status"]["numberReady"].as_u64();
    let everywhere = ready == u64::try_from(nodes.items.len()).ok();
    Ok((schedulable && everywhere).then_some(()))
}
