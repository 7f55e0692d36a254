//! Events, in the two styles that real components write.

use serde_json::{Value, json};

use super::made::NODE;
use super::scene::Scene;
use super::stage::EventTemplate;
use crate::clock;
use crate::cluster::Write;
use crate::value::{list, text};

/// Writes an event about the object of a scene. A namespace that is going takes none; that is nobody's fault.
pub(crate) fn write(scene: &Scene<'_>, template: &EventTemplate) {
    let object = &scene.object;
    let namespace = match text(object, "metadata.namespace") {
        "" => "default",
        namespace => namespace,
    };
    let Ok(kind) = scene.cluster.kind("events") else { return };
    let event = event(scene, template, namespace);
    if let Err(refusal) = scene.cluster.create(&kind, namespace, event, &Write::by(&template.from)) {
        tracing::trace!(reason = refusal.reason, "an event was not written");
    }
}

fn event(scene: &Scene<'_>, template: &EventTemplate, namespace: &str) -> Value {
    let object = &scene.object;
    let (name, now) = (text(object, "metadata.name"), clock::now());
    let mut involved = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": name, "uid": scene.uid(),
        "resourceVersion": object["metadata"]["resourceVersion"]});
    if !text(object, "metadata.namespace").is_empty() {
        involved["namespace"] = json!(namespace);
    }
    let first = list(object, "spec.containers").first().map(|c| text(c, "name"));
    if let Some(container) = first.filter(|_| template.container) {
        involved["fieldPath"] = json!(format!("spec.containers{{{container}}}"));
    }
    let mut event = json!({"metadata": {"name": format!("{name}.{:x}", clock::nanos()), "namespace": namespace}, "involvedObject": involved,
        "reason": template.reason, "message": scene.words(&template.message), "type": template.kind, "reportingComponent": template.from});
    let rest = match &template.action {
        Some(action) => json!({"action": action, "eventTime": clock::now_micro(), "firstTimestamp": null, "lastTimestamp": null, "source": {},
            "reportingInstance": format!("{}-sandbox", template.from)}),
        None => {
            let on_node = template.from == "kubelet";
            let source = if on_node { json!({"component": template.from, "host": NODE}) } else { json!({"component": template.from}) };
            json!({"eventTime": null, "firstTimestamp": now, "lastTimestamp": now, "count": 1, "source": source,
                "reportingInstance": if on_node { NODE } else { "" }})
        }
    };
    for (key, value) in rest.as_object().into_iter().flatten() {
        event[key] = value.clone();
    }
    event
}
