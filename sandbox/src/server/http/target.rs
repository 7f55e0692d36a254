//! What a path means.

use std::sync::Arc;

use crate::machinery::registry::Kind;

/// A place in a resource's path.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) kind: Arc<Kind>,
    /// Empty: all namespaces, or a kind without them.
    pub(crate) namespace: String,
    /// Empty: the collection.
    pub(crate) name: String,
    pub(crate) subresource: String,
}
