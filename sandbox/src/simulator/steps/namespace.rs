//! The end of a namespace: delete what is in it, say what is left, and let go when nothing is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{scene::Scene, stage::Stage};
use super::write::write_status;
use crate::machinery::notation::value::{set, text};
use crate::machinery::{notation::clock, registry::Kind, status::Refusal};
use crate::server::cluster::{DeleteOptions, Write};
use crate::server::store::Key;

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let namespace = text(&scene.object, "metadata.name");
    for (table, entry) in scene.cluster.lister().in_namespace(namespace) {
        if !entry.deleting {
            let of = scene.cluster.kind(&table)?;
            match scene.cluster.delete(&of, &entry.key, &DeleteOptions::default()) {
                Err(refusal) if refusal.code != 404 => return Err(refusal),
                _ => {}
            }
        }
    }
    let (mut objects, mut finalizers) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    for (table, entry) in scene.cluster.lister().in_namespace(namespace) {
        let dotted = if table.contains('.') { table.to_string() } else { format!("{table}.") };
        *objects.entry(dotted).or_default() += 1;
        for finalizer in &entry.finalizers {
            *finalizers.entry(finalizer.to_string()).or_default() += 1;
        }
    }
    if objects.is_empty() {
        return release(scene, kind, stage);
    }
    write_status(scene, kind, stage, json!({"phase": "Terminating", "conditions": conditions(&objects, &finalizers)}))
}

fn release(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let key = Key::of(&scene.object);
    let mut object = scene.cluster.get(kind, &key)?.value();
    let others: Vec<Value> =
        crate::machinery::notation::value::list(&object, "spec.finalizers").iter().filter(|f| *f != "kubernetes").cloned().collect();
    set(&mut object, "spec.finalizers", json!(others));
    scene.cluster.update(kind, &key, object, &Write::by(&stage.writer).to("finalize")).map(drop)
}

fn conditions(objects: &BTreeMap<String, usize>, finalizers: &BTreeMap<String, usize>) -> Value {
    let now = clock::now();
    let condition = |kind: &str, status: &str, reason: &str, message: String| json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": now});
    let each = |counts: &BTreeMap<String, usize>, words: &str| {
        counts.iter().map(|(n, c)| format!("{n} {words} {c} resource instances")).collect::<Vec<_>>().join(", ")
    };
    let held = if finalizers.is_empty() {
        condition("NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished".to_owned())
    } else {
        let text = format!("Some content in the namespace has finalizers remaining: {}", each(finalizers, "in"));
        condition("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", text)
    };
    json!([
        condition("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered".to_owned()),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed".to_owned()
        ),
        condition(
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization".to_owned()
        ),
        condition("NamespaceContentRemaining", "True", "SomeResourcesRemain", format!("Some resources are remaining: {}", each(objects, "has"))),
        held
    ])
}
