//! The end of a definition: its objects go first.

use super::super::{gc, scene::Scene, stage::Stage};
use crate::machinery::notation::value::text;
use crate::machinery::{crd::names, registry::Kind, status::Refusal};
use crate::server::cluster::{CLEANUP, DeleteOptions, Write};
use crate::server::store::Key;

pub(super) fn reconcile(scene: &Scene<'_>, kind: &Kind, stage: &Stage) -> Result<(), Refusal> {
    let (key, table) = (Key::of(&scene.object), text(&scene.object, "metadata.name"));
    let mut left = scene.cluster.lister().list(table, "");
    if !left.is_empty() {
        let mut object = scene.cluster.get(kind, &key)?.value();
        names::condition(&mut object, "Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress");
        scene.cluster.update(kind, &key, object, &Write::by(&stage.writer).to("status"))?;
        let of = scene.cluster.kind(table)?;
        for entry in left.iter().filter(|entry| !entry.deleting) {
            match scene.cluster.delete(&of, &entry.key, &DeleteOptions::default()) {
                Err(refusal) if refusal.code != 404 => return Err(refusal),
                _ => {}
            }
        }
        left = scene.cluster.lister().list(table, "");
    }
    if left.is_empty() { gc::without_finalizer(scene.cluster, &kind.table(), &key, CLEANUP) } else { Ok(()) }
}
