//! virt-handler's sign of life on each node; without it no machine is scheduled.

use super::{
    Agent,
    log::{log, now},
};
use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Node;
use kube::{
    Api, ResourceExt,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::json;
use std::time::Duration;

const PERIOD: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(1);

pub(super) async fn keep(agent: &Agent) {
    loop {
        let pause = match beat(agent).await {
            Ok(()) => PERIOD,
            Err(error) => {
                log(format!("heartbeat: {error:#}"));
                RETRY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn beat(agent: &Agent) -> Result<()> {
    let nodes: Api<Node> = Api::all(agent.handler.clone());
    for node in nodes.list(&ListParams::default()).await.context("list nodes")? {
        let patch = Patch::Strategic(json!({"metadata": {
            "labels": {
                "kubevirt.io/schedulable": "true",
                "cpumanager": "false",
                "kubevirt.io/cpumanager": "false",
            },
            "annotations": {"kubevirt.io/heartbeat": now()},
        }}));
        nodes.patch(&node.name_any(), &PatchParams::default(), &patch).await.context("patch a node")?;
    }
    Ok(())
}
