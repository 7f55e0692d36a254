//! Garbage collection by owner references: background, foreground and orphan.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::machinery::notation::value::{at, list};
use crate::machinery::status::Refusal;
use crate::server::cluster::{Cluster, DeleteOptions, Patch, Write};
use crate::server::store::{Entry, Key, Note};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// What a change means for owners and dependents.
pub(super) fn heard(cluster: &Cluster, note: &Note) {
    let entry = &note.entry;
    if note.deleted {
        for (table, key) in cluster.lister().dependents(&entry.uid) {
            drop_if_abandoned(cluster, &table, &key);
        }
        for owner in &entry.owners {
            let found = cluster.lister().by_uid(owner).and_then(|(table, key)| Some((cluster.lister().get(&table, &key)?, table)));
            if let Some((owner, table)) = found {
                finish_foreground(cluster, &table, &owner);
            }
        }
        return;
    }
    if !entry.owners.is_empty() && !entry.deleting {
        drop_if_abandoned(cluster, &note.table, &entry.key);
    }
    if entry.deleting {
        orphan(cluster, &note.table, entry);
        finish_foreground(cluster, &note.table, entry);
    }
}

fn log(what: &str, result: Result<(), Refusal>) {
    if let Err(refusal) = result.or_else(|r| if r.code == 404 { Ok(()) } else { Err(r) }) {
        tracing::debug!(what, message = refusal.message, "garbage collection was refused");
    }
}

/// An object none of whose owners exist goes.
fn drop_if_abandoned(cluster: &Cluster, table: &Arc<str>, key: &Key) {
    let Some(entry) = cluster.lister().get(table, key) else { return };
    if entry.deleting || entry.owners.iter().any(|uid| cluster.lister().by_uid(uid).is_some()) {
        return;
    }
    let options = DeleteOptions { uid: Some(entry.uid.to_string()), ..DeleteOptions::default() };
    log("abandoned", cluster.kind(table).and_then(|kind| cluster.delete(&kind, key, &options)).map(drop));
}

fn holds(entry: &Entry, finalizer: &str) -> bool {
    list(&entry.value(), "metadata.finalizers").iter().any(|f| f == finalizer)
}

/// A foreground delete takes the dependents first; the owner follows when none is left.
fn finish_foreground(cluster: &Cluster, table: &Arc<str>, owner: &Entry) {
    if !owner.deleting || !holds(owner, FOREGROUND) {
        return;
    }
    let left = cluster.lister().dependents(&owner.uid);
    if left.is_empty() {
        log("foreground", without_finalizer(cluster, table, &owner.key, FOREGROUND));
    }
    for (table, key) in left {
        let Some(entry) = cluster.lister().get(&table, &key).filter(|e| !e.deleting) else { continue };
        let options = DeleteOptions { uid: Some(entry.uid.to_string()), ..DeleteOptions::default() };
        log("dependent", cluster.kind(&table).and_then(|kind| cluster.delete(&kind, &key, &options)).map(drop));
    }
}

/// Orphaned dependents lose the reference, then the owner its finalizer.
fn orphan(cluster: &Cluster, table: &Arc<str>, owner: &Entry) {
    if !holds(owner, ORPHAN) {
        return;
    }
    for (table, key) in cluster.lister().dependents(&owner.uid) {
        let Some(entry) = cluster.lister().get(&table, &key) else { continue };
        let rest: Vec<Value> = list(&entry.value(), "metadata.ownerReferences").iter().filter(|o| o["uid"] != *owner.uid).cloned().collect();
        let patch = Patch::Merge(json!({"metadata": {"ownerReferences": if rest.is_empty() { Value::Null } else { json!(rest) }}}));
        let write = Write::by("kube-controller-manager");
        log("orphan", cluster.kind(&table).and_then(|kind| cluster.patch(&kind, &key, &patch, &write)).map(drop));
    }
    log("orphan", without_finalizer(cluster, table, &owner.key, ORPHAN));
}

/// Takes one finalizer away, if it is there.
pub(super) fn without_finalizer(cluster: &Cluster, table: &str, key: &Key, finalizer: &str) -> Result<(), Refusal> {
    let kind = cluster.kind(table)?;
    let object = cluster.get(&kind, key)?.value();
    let all = list(&object, "metadata.finalizers");
    if at(&object, "metadata.finalizers").is_none() || !all.iter().any(|f| f == finalizer) {
        return Ok(());
    }
    let rest: Vec<Value> = all.iter().filter(|f| *f != finalizer).cloned().collect();
    let patch = Patch::Merge(json!({"metadata": {"finalizers": if rest.is_empty() { Value::Null } else { json!(rest) }}}));
    cluster.patch(&kind, key, &patch, &Write::by("kube-controller-manager")).map(drop)
}
