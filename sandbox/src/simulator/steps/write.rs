//! How steps write: always through the verbs, as the component that the stage names, and only what says something new.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::scene::{Scene, settle};
use super::super::stage::Stage;
use crate::machinery::notation::value::{prune, set, text};
use crate::machinery::{fields::strategic, registry::Kind, status::Refusal};
use crate::server::cluster::{Patch, Write};
use crate::server::store::{Entry, Key};

/// Attempts at a write that others are in the way of.
const TRIES: usize = 20;

/// Creates an object that this one owns. One that is there already is fine, and not returned.
pub(super) fn create(scene: &Scene<'_>, stage: &Stage, table: &str, mut object: Value, free: bool) -> Result<Option<Arc<Entry>>, Refusal> {
    prune(&mut object);
    if !free {
        set(&mut object, "metadata.ownerReferences", json!([owner_reference(&scene.object)]));
    }
    let kind = scene.cluster.kind(table)?;
    let namespace = text(&object, "metadata.namespace").to_owned();
    match scene.cluster.create(&kind, &namespace, object, &Write::by(&stage.writer)) {
        Err(refusal) if refusal.reason == "AlreadyExists" => Ok(None),
        made => made.map(Some),
    }
}

fn owner_reference(owner: &Value) -> Value {
    json!({"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true})
}

/// Writes a status, if it says anything new.
pub(super) fn write_status(scene: &Scene<'_>, kind: &Kind, stage: &Stage, status: Value) -> Result<(), Refusal> {
    let live = scene.cluster.get(kind, &Key::of(&scene.object))?.value();
    let mut object = merged(kind, &live, &json!({"status": status}))?;
    settle(&live, &mut object);
    if object == live {
        return Ok(());
    }
    scene.cluster.update(kind, &Key::of(&live), object, &Write::by(&stage.writer).to("status")).map(drop)
}

/// Patches another object than the scene's.
pub(super) fn patch(scene: &Scene<'_>, table: &str, key: &Key, stage: &Stage, patch: Value) -> Result<(), Refusal> {
    let kind = scene.cluster.kind(table)?;
    scene.cluster.patch(&kind, key, &Patch::Merge(patch), &Write::by(&stage.writer)).map(drop)
}

/// Merges a patch strategically into any object. It is done here and sent as an update, as the server takes no such patch of
/// a custom object.
pub(in crate::simulator) fn merge(scene: &Scene<'_>, table: &str, key: &Key, patch: &Value, write: &Write) -> Result<(), Refusal> {
    let kind = scene.cluster.kind(table)?;
    for _ in 0..TRIES {
        let live = scene.cluster.get(&kind, key)?.value();
        let object = merged(&kind, &live, patch)?;
        match scene.cluster.update(&kind, key, object, write) {
            // Somebody else wrote meanwhile.
            Err(refusal) if refusal.reason == "Conflict" => {}
            done => return done.map(drop),
        }
    }
    Err(Refusal::modified(&kind, &key.name))
}

fn merged(kind: &Kind, live: &Value, patch: &Value) -> Result<Value, Refusal> {
    let mut object = live.clone();
    strategic::merge(&kind.shape, &mut object, patch).map_err(|e| Refusal::internal(format!("a stage's patch: {e:?}")))?;
    Ok(object)
}
