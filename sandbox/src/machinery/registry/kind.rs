//! What differs between kinds, as data: names, scope, verbs, subresources, fields, columns.

use std::sync::Arc;

use super::columns::Column;
use super::schema;
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
