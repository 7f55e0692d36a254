//! ControllerRevisions: the templates that a StatefulSet or DaemonSet has had, numbered.

use serde_json::{Value, json};

use super::super::{scene::Scene, stage::Stage};
use super::hash::hash;
use super::write::{create, patch};
use crate::machinery::notation::value::{number, set, text};
use crate::machinery::status::Refusal;
use crate::server::{cluster::DeleteOptions, store::Key};

const TABLE: &str = "controllerrevisions.apps";
/// The label by which a Pod says which revision it is of.
pub(super) const HASH: &str = "controller-revision-hash";

/// Makes sure that the present template has the highest number, and returns its name's last part.
pub(super) fn keep(scene: &Scene<'_>, stage: &Stage) -> Result<String, Refusal> {
    let hash = hash(&scene.object["spec"]["template"]);
    let mut all: Vec<Value> = scene.children(TABLE).into_iter().map(|e| e.value()).collect();
    all.sort_by_key(|r| number(r, "revision"));
    let last = all.last().and_then(|r| number(r, "revision")).unwrap_or(0);
    match all.iter().find(|r| r["metadata"]["labels"][HASH] == *hash) {
        None => {
            let mut template = scene.object["spec"]["template"].clone();
            set(&mut template, "$patch", json!("replace"));
            let mut labels = scene.object["spec"]["template"]["metadata"]["labels"].clone();
            set(&mut labels, HASH, json!(hash));
            let revision = json!({"metadata": {"name": format!("{}-{hash}", text(&scene.object, "metadata.name")), "namespace": scene.namespace(), "labels": labels},
                "data": {"spec": {"template": template}}, "revision": last + 1});
            create(scene, stage, TABLE, revision, false)?;
        }
        Some(present) if number(present, "revision") != Some(last) => {
            patch(scene, TABLE, &Key::of(present), stage, json!({"revision": last + 1}))?;
        }
        Some(_) => {}
    }
    let limit = usize::try_from(number(&scene.object, "spec.revisionHistoryLimit").unwrap_or(10)).unwrap_or(0);
    let kind = scene.cluster.kind(TABLE)?;
    let in_use = |r: &&Value| r["metadata"]["labels"][HASH] == *hash || scene.object["status"]["currentRevision"] == r["metadata"]["name"];
    let old: Vec<&Value> = all.iter().filter(|r| !in_use(r)).collect();
    for revision in old.iter().take(old.len().saturating_sub(limit)) {
        scene.cluster.delete(&kind, &Key::of(revision), &DeleteOptions::default())?;
    }
    Ok(hash)
}

/// The template of a revision; the present one, if that is not known.
pub(super) fn template(scene: &Scene<'_>, name: &str) -> Value {
    let found = scene.cluster.lister().get(TABLE, &Key::new(scene.namespace(), name));
    let template = found.map(|r| r.value()["data"]["spec"]["template"].clone());
    let mut template = template.filter(Value::is_object).unwrap_or_else(|| scene.object["spec"]["template"].clone());
    crate::machinery::notation::value::remove(&mut template, "$patch");
    template
}
