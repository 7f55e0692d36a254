//! Which machine instance is meant.

use kube::{ResourceExt, api::DynamicObject};

/// A restart makes a new one of the same name within milliseconds, so the
/// name alone would hit the wrong one.
#[derive(Clone, Debug)]
pub(super) struct Id {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

impl Id {
    pub(super) fn of(machine: &DynamicObject) -> Self {
        Self { namespace: machine.namespace().unwrap_or_default(), name: machine.name_any(), uid: machine.uid().unwrap_or_default() }
    }
}
