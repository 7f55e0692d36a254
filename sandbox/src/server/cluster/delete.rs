//! Delete: preconditions, grace, finalizers, propagation.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Cluster, TRIES, define, finalizers, missed};
use crate::machinery::notation::cause::Cause;
use crate::machinery::notation::value::{at, list, number, set, text};
use crate::machinery::registry::builtin::CRDS;
use crate::machinery::status::{Answer, Refusal};
use crate::machinery::{notation::clock, registry::Kind, select::Selector};
use crate::server::store::{Entry, Expect, Key, Miss, Query};

/// What happens to dependents.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Propagation {
    #[default]
    Background,
    Foreground,
    Orphan,
}

/// How to delete.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) grace: Option<i64>,
    pub(crate) uid: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) propagation: Propagation,
    pub(crate) dry_run: bool,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Deleted {
    /// Nothing is left; this was the object.
    Gone(Arc<Entry>),
    /// It waits for its grace period or its finalizers.
    Waits(Arc<Entry>),
}

impl DeleteOptions {
    /// From a DeleteOptions body.
    pub(crate) fn parse(body: &Value) -> Answer<Self> {
        let orphan = at(body, "orphanDependents").and_then(Value::as_bool);
        let propagation = match text(body, "propagationPolicy") {
            said if !said.is_empty() && orphan.is_some() => {
                let cause = Cause::invalid("propagationPolicy", said, "orphanDependents and deletionPropagation cannot be both set");
                return Err(Refusal::options("DeleteOptions", &[cause]));
            }
            "Foreground" => Propagation::Foreground,
            "Orphan" => Propagation::Orphan,
            "" if orphan == Some(true) => Propagation::Orphan,
            "Background" | "" => Propagation::Background,
            other => {
                let cause = Cause::unsupported("propagationPolicy", &json!(other), &["Foreground", "Background", "Orphan", "nil"]);
                return Err(Refusal::options("DeleteOptions", &[cause]));
            }
        };
        let said = |path: &str| at(body, path).and_then(Value::as_str).map(str::to_owned);
        Ok(DeleteOptions {
            grace: number(body, "gracePeriodSeconds"),
            uid: said("preconditions.uid"),
            version: said("preconditions.resourceVersion"),
            propagation,
            dry_run: !list(body, "dryRun").is_empty(),
        })
    }

    fn allow(&self, kind: &Kind, live: &Entry) -> Answer<()> {
        let refuse = |what: &str, wanted: &str, found: &str| Err(unmet(kind, &live.key.name, what, wanted, found));
        match (&self.uid, &self.version) {
            (Some(uid), _) if **uid != *live.uid => refuse("UID", uid, &live.uid),
            (_, Some(version)) if *version != live.version.to_string() => refuse("ResourceVersion", version, &live.version.to_string()),
            _ => Ok(()),
        }
    }
}

/// The words of the real server: Namespaces have their own, all others name the kind where one expects the resource.
fn unmet(kind: &Kind, name: &str, what: &str, wanted: &str, found: &str) -> Refusal {
    if kind.resource() == "namespaces" {
        return Refusal::conflict(kind, name, &format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"));
    }
    let happened = if what == "UID" { "deleted and then recreated" } else { "modified" };
    let named = Kind { plural: kind.kind.clone(), ..kind.clone() };
    let why =
        format!("the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). The object might have been {happened}");
    Refusal::conflict(&named, name, &why)
}

impl Cluster {
    /// Deletes an object, or marks it when something holds it.
    pub(crate) fn delete(&self, kind: &Kind, key: &Key, options: &DeleteOptions) -> Answer<Deleted> {
        for _ in 0..TRIES {
            let live = self.get(kind, key)?;
            options.allow(kind, &live)?;
            crate::machinery::admit::on_delete(kind, &key.name)?;
            let before = live.value();
            let mut object = before.clone();
            mark(kind, &mut object, options);
            let waits = number(&object, "metadata.deletionGracePeriodSeconds").unwrap_or(0) > 0;
            let held = finalizers(&object) || waits || namespace_held(kind, &object);
            if options.dry_run {
                return Ok(if held { Deleted::Waits(live) } else { Deleted::Gone(live) });
            }
            if held && object == before {
                return Ok(Deleted::Waits(live));
            }
            let written = if held {
                self.store.put(&kind.table(), &kind.fields, object, Expect::Version(live.version)).map(Deleted::Waits)
            } else if kind.resource() == "pods" {
                // A Pod's last words are that it was given no time.
                self.store.remove_with(&kind.table(), object, live.version).map(Deleted::Gone)
            } else {
                self.store.remove(&kind.table(), key, live.version).map(Deleted::Gone)
            };
            match written {
                Ok(deleted) => {
                    self.wrote(kind);
                    return Ok(deleted);
                }
                Err(Miss::Changed) => {}
                Err(miss) => return Err(missed(kind, &key.name, miss)),
            }
        }
        Err(Refusal::modified(kind, &key.name))
    }

    /// Deletes what a list would show.
    pub(crate) fn delete_all(&self, kind: &Kind, namespace: &str, selector: &Selector, options: &DeleteOptions) -> Answer<Vec<Arc<Entry>>> {
        let query = Query { namespace, selector: selector.clone(), ..Query::default() };
        let found = self.store.list(&kind.table(), &query).map_or_else(Vec::new, |page| page.entries);
        for entry in &found {
            match self.delete(kind, &entry.key, options) {
                Err(refusal) if refusal.code != 404 => return Err(refusal),
                _ => {}
            }
        }
        Ok(found)
    }
}

fn namespace_held(kind: &Kind, object: &Value) -> bool {
    kind.resource() == "namespaces" && !list(object, "spec.finalizers").is_empty()
}

/// Sets deletion time and grace; asking again can only shorten the grace.
fn mark(kind: &Kind, object: &mut Value, options: &DeleteOptions) {
    if kind.resource() == CRDS && at(object, "metadata.deletionTimestamp").is_none() {
        define::mark(object);
    }
    let grace = grace(kind, object, options);
    let already = number(object, "metadata.deletionGracePeriodSeconds");
    if at(object, "metadata.deletionTimestamp").is_none() || already.is_some_and(|a| grace < a) {
        set(object, "metadata.deletionTimestamp", json!(clock::after(grace)));
        if kind.resource() != "namespaces" {
            set(object, "metadata.deletionGracePeriodSeconds", json!(grace));
        }
        if let Some(generation) = number(object, "metadata.generation") {
            set(object, "metadata.generation", json!(generation + 1));
        }
    }
    if kind.resource() == "namespaces" {
        set(object, "status.phase", json!("Terminating"));
    }
    let finalizer = match options.propagation {
        Propagation::Background => return,
        Propagation::Foreground => "foregroundDeletion",
        Propagation::Orphan => "orphan",
    };
    let mut all = list(object, "metadata.finalizers").to_vec();
    if !all.iter().any(|f| f == finalizer) {
        all.push(json!(finalizer));
        set(object, "metadata.finalizers", Value::Array(all));
    }
}

/// Only a Pod that a node runs is given time.
fn grace(kind: &Kind, object: &Value, options: &DeleteOptions) -> i64 {
    let finished = matches!(text(object, "status.phase"), "Succeeded" | "Failed");
    if kind.resource() != "pods" || text(object, "spec.nodeName").is_empty() || finished {
        return 0;
    }
    options.grace.or_else(|| number(object, "spec.terminationGracePeriodSeconds")).unwrap_or(30).max(0)
}
