//! What kinds there are. One line per kind in [`builtin`]; a CustomResourceDefinition adds one at run time ([`custom`]).
//!
//! Everything that differs between kinds is data here: paths, verbs, subresources, selectable fields, table columns
//! ([`columns`]) and the fields of its objects ([`schema`]). Nothing else in this crate has code for one kind, except where a kind is
//! part of the API's own rules (Namespaces, CustomResourceDefinitions) or of the simulator's stages.

pub(crate) mod builtin;
pub(crate) mod columns;
pub(crate) mod custom;
mod jsonpath;
pub(crate) mod schema;
pub(crate) mod structural;
pub(crate) mod types;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use columns::Column;

use crate::machinery::crd::Rules;

/// One kind of object in one version of its group.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) short: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) subresources: Vec<String>,
    /// Fields that a field selector may name, beside `metadata.name` and `metadata.namespace`.
    pub(crate) fields: Arc<[String]>,
    pub(crate) columns: Vec<Column>,
    /// From a CRD (or one of those built in): lists are atomic, strategic patches are refused.
    pub(crate) custom: bool,
    /// Answers a POST and stores nothing, like an access review.
    pub(crate) review: bool,
    /// Read only, and made at each request from other objects, like metrics.
    pub(crate) computed: bool,
    /// Metadata carries a generation that a change of the spec raises.
    pub(crate) generation: bool,
    /// The plural under which objects are stored, when another kind holds them (events.k8s.io Events).
    pub(crate) stored_as: Option<&'static str>,
    /// There are other versions of it, in one of which an object may have been written.
    pub(crate) versioned: bool,
    /// What is in its objects.
    pub(crate) shape: schema::Shape,
    /// What its definition demands of its objects, if it has one.
    pub(crate) rules: Option<Arc<Rules>>,
}

const VERBS: [&str; 8] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

impl Kind {
    /// `deployments.apps`, `pods`.
    pub(crate) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `apps/v1`, `v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name of the store's table that holds the objects.
    pub(crate) fn table(&self) -> String {
        self.stored_as.map_or_else(|| self.resource(), str::to_owned)
    }

    /// Whether objects are stored as they are shown.
    pub(crate) fn as_stored(&self) -> bool {
        self.stored_as.is_none() && !self.versioned
    }

    pub(crate) fn verbs(&self) -> Vec<&'static str> {
        let whole = |verb: &&&str| **verb != "deletecollection" || self.deletes_collections();
        match () {
            () if self.review => vec!["create"],
            () if self.computed => vec!["get", "list"],
            () if self.custom => vec!["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"],
            () => VERBS.iter().filter(whole).copied().collect(),
        }
    }

    /// Namespaces are too dear to delete many at once.
    pub(crate) fn deletes_collections(&self) -> bool {
        !(self.group.is_empty() && self.plural == "namespaces")
    }

    pub(crate) fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|s| s == subresource)
    }
}

/// All kinds served now. Cheap to replace as a whole when a CRD comes or goes.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    kinds: Vec<Arc<Kind>>,
    by_path: HashMap<(String, String, String), Arc<Kind>>,
}

impl Registry {
    pub(crate) fn new(kinds: impl IntoIterator<Item = Arc<Kind>>) -> Self {
        let mut registry = Registry::default();
        for kind in kinds {
            let path = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
            if registry.by_path.insert(path, kind.clone()).is_none() {
                registry.kinds.push(kind);
            }
        }
        registry
    }

    pub(crate) fn builtin() -> Self {
        Registry::new(builtin::kinds().into_iter().map(Arc::new))
    }

    pub(crate) fn kinds(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.by_path.get(&(group.to_owned(), version.to_owned(), plural.to_owned())).cloned()
    }

    /// The kind whose objects a table of the store holds.
    pub(crate) fn of_table(&self, table: &str) -> Option<Arc<Kind>> {
        self.kinds.iter().find(|k| k.stored_as.is_none() && k.resource() == table).cloned()
    }

    /// The kind that an owner reference or a manifest names.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        self.kinds.iter().find(|k| k.kind == kind && k.api_version() == api_version).cloned()
    }

    /// The group and version pairs, in the order of the table.
    pub(crate) fn versions(&self) -> Vec<(String, String)> {
        let mut out: Vec<(String, String)> = Vec::new();
        for kind in &self.kinds {
            let pair = (kind.group.clone(), kind.version.clone());
            if !out.contains(&pair) {
                out.push(pair);
            }
        }
        out
    }
}
