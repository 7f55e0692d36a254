//! Events, in the two styles that real components write. What happens again to the same object in the same words is
//! counted on the first Event. Its name ends in the time, as real ones do, but for the last bits: they follow from what
//! it says, so that it is found again without being remembered.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::made::NODE;
use super::scene::Scene;
use super::stage::EventTemplate;
use crate::machinery::notation::clock;
use crate::machinery::notation::value::{at, number, text};
use crate::server::cluster::{Patch, Write};
use crate::server::store::{Entry, Key};

/// The bits of a name that say what an event is about. The rest is the time to four microseconds.
const MARK: u64 = 0xfff;

/// Writes an event about the object of a scene, or one for each container at hand. A namespace that is going takes none;
/// that is nobody's fault.
pub(crate) fn write(scene: &Scene<'_>, template: &EventTemplate) {
    if template.container {
        scene.each_container(|container| write_one(scene, template, text(container, "field")));
    } else {
        write_one(scene, template, "");
    }
}

/// An event of a controller, in its own words.
pub(crate) fn say(scene: &Scene<'_>, from: &str, kind: &str, reason: &str, message: &str) {
    let template = EventTemplate {
        reason: reason.to_owned(),
        message: message.replace("${", "$ {"),
        kind: kind.to_owned(),
        from: from.to_owned(),
        action: None,
        container: false,
    };
    write_one(scene, &template, "");
}

fn write_one(scene: &Scene<'_>, template: &EventTemplate, field: &str) {
    let object = &scene.object;
    let namespace = match text(object, "metadata.namespace") {
        "" => "default",
        namespace => namespace,
    };
    let Ok(kind) = scene.cluster.kind("events") else { return };
    let message = scene.words(&template.message);
    let mut hash = DefaultHasher::new();
    (scene.uid(), &template.reason, &message, &template.from, field).hash(&mut hash);
    let (prefix, mark) = (format!("{}.", text(object, "metadata.name")), hash.finish() & MARK);
    let same = |e: &Arc<Entry>| {
        let last = e.key.name.rsplit('.').next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
        last.is_some_and(|n| n & MARK == mark) && e.field("reason") == template.reason && e.field("involvedObject.uid") == scene.uid()
    };
    let known = scene.cluster.lister().beginning("events", namespace, &prefix).into_iter().find(same);
    let write = Write::by(&template.from);
    let written = match known {
        Some(entry) => scene.cluster.patch(&kind, &entry.key, &Patch::Merge(again(&entry.value())), &write).map(drop),
        None => {
            let key = Key::new(namespace, &format!("{prefix}{:016x}", clock::nanos() & !MARK | mark));
            scene.cluster.create(&kind, namespace, event(scene, template, &key, &message, field), &write).map(drop)
        }
    };
    if let Err(refusal) = written {
        tracing::trace!(reason = refusal.reason, "an event was not written");
    }
}

/// Whether an event was counted more than once.
pub(super) fn is_repeated(json: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Counted {
        count: Option<u64>,
        series: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_slice::<Counted>(json).is_ok_and(|event| event.series.is_some() || event.count.is_some_and(|n| n > 1))
}

/// The patch for an event that happened once more.
fn again(event: &Value) -> Value {
    match number(event, "count") {
        Some(count) => json!({"count": count + 1, "lastTimestamp": clock::now()}),
        None => {
            let count = number(event, "series.count").unwrap_or(1) + 1;
            json!({"series": {"count": count, "lastObservedTime": clock::now_micro()}})
        }
    }
}

fn event(scene: &Scene<'_>, template: &EventTemplate, key: &Key, message: &str, field: &str) -> Value {
    let object = &scene.object;
    let now = clock::now();
    let mut involved = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "name": object["metadata"]["name"], "uid": scene.uid(),
        "resourceVersion": object["metadata"]["resourceVersion"]});
    if at(object, "metadata.namespace").is_some() {
        involved["namespace"] = json!(key.namespace);
    }
    if !field.is_empty() {
        involved["fieldPath"] = json!(field);
    }
    let mut event = json!({"metadata": {"name": key.name, "namespace": key.namespace}, "involvedObject": involved, "reason": template.reason,
        "message": message, "type": template.kind, "reportingComponent": template.from});
    let rest = match &template.action {
        Some(action) => json!({"action": action, "eventTime": clock::now_micro(), "firstTimestamp": null, "lastTimestamp": null, "source": {},
            "reportingInstance": format!("{}-sandbox", template.from)}),
        None => {
            let host = match text(object, "spec.nodeName") {
                "" => NODE,
                node => node,
            };
            let on_node = template.from == "kubelet";
            let source = if on_node { json!({"component": template.from, "host": host}) } else { json!({"component": template.from}) };
            json!({"eventTime": null, "firstTimestamp": now, "lastTimestamp": now, "count": 1, "source": source,
                "reportingInstance": if on_node { host } else { "" }})
        }
    };
    for (key, value) in rest.as_object().into_iter().flatten() {
        event[key] = value.clone();
    }
    event
}
