//! Objects of the KubeVirt installation: those printed at build time, and the few that are ours.

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// Reads a JSON array of objects, or YAML documents.
pub(crate) fn read(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let json = path.extension().is_some_and(|extension| extension == "json");
    let objects = if json { serde_json::from_str(&text)? } else { serde_saphyr::from_multiple(&text)? };
    Ok(objects)
}

/// Points webhooks and aggregated APIs at virt-api's port and certificate.
pub(crate) fn point_at(objects: &mut [Value], port: u16, ca: &str) {
    let ca = STANDARD.encode(ca);
    let point = |target: &mut Value| {
        target["caBundle"] = json!(ca);
        target["service"]["port"] = json!(port);
    };
    for object in objects {
        if object["kind"] == "APIService" {
            point(&mut object["spec"]);
        }
        let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
        for webhook in webhooks.into_iter().flatten() {
            point(&mut webhook["clientConfig"]);
        }
    }
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The authorities that KubeVirt's parts trust each other by.
pub(crate) fn ca_bundles(namespace: &str, ca: &str) -> Vec<Value> {
    ["kubevirt-ca", "kubevirt-export-ca", "kubevirt-backup-ca"]
        .map(|name| {
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": namespace},
                "data": {"ca-bundle": ca},
            })
        })
        .into()
}

/// Pods that say where the node agent listens: on the node's own address, which is loopback.
pub(crate) fn virt_handler(namespace: &str, version: &str) -> Value {
    let labels = json!({"kubevirt.io": "virt-handler"});
    json!({
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "virt-handler", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": true,
                    "serviceAccountName": "kubevirt-handler",
                    "containers": [{"name": "virt-handler", "image": format!("tools.invalid/virt-handler:{version}")}],
                },
            },
        },
    })
}

/// A machine that the schema lets pass and virt-api refuses: it has no run strategy.
pub(crate) fn refused_machine() -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "refused"},
        "spec": {"template": {"spec": {"domain": {"devices": {}}}}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_and_aggregated_apis_get_port_and_authority() {
        let mut objects = vec![
            json!({"kind": "APIService", "spec": {"service": {"name": "virt-api"}}}),
            json!({"kind": "MutatingWebhookConfiguration", "webhooks": [{"clientConfig": {"service": {}}}]}),
            json!({"kind": "Service", "spec": {"type": "ExternalName"}}),
        ];
        point_at(&mut objects, 20_001, "ca");
        assert_eq!(objects[0]["spec"]["service"], json!({"name": "virt-api", "port": 20_001}));
        assert_eq!(objects[1]["webhooks"][0]["clientConfig"]["caBundle"], "Y2E=");
        assert_eq!(objects[2], json!({"kind": "Service", "spec": {"type": "ExternalName"}}));
    }
}
