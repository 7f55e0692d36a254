//! What kinds there are. One line per kind in [`builtin`]; a CustomResourceDefinition adds one at run time ([`custom`]).
//!
//! Everything that differs between kinds is data here: paths, verbs, subresources, selectable fields, table columns
//! ([`columns`]) and the fields of its objects ([`schema`]). Code for one kind stands where the real server has it, too: defaults
//! and checks ([`crate::machinery::admit`]), computed cells and subresources of the HTTP side, the verbs' own rules for
//! Namespaces and CustomResourceDefinitions, and the simulator's stages.

pub(crate) mod builtin;
pub(crate) mod columns;
pub(crate) mod custom;
mod jsonpath;
mod kind;
pub(crate) mod schema;
pub(crate) mod structural;
pub(crate) mod types;
pub(crate) mod view;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use columns::Column;
pub(crate) use kind::Kind;

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
