//! Where a cluster is placed.

use std::sync::Arc;

use members::Member;
use types::{Error, MemberId, Result};

use crate::App;

/// Name of the member that the control plane was started with.
pub(crate) const LOCAL: &str = "local";

impl App {
    /// The member that a tenant names, `local` by default.
    pub(crate) fn member_named(&self, name: Option<&str>) -> Result<MemberId> {
        match name {
            None | Some(LOCAL) if self.local.is_some() => Ok(MemberId::LOCAL),
            None | Some(LOCAL) => Err(Error::Unavailable {
                message: "No Kubernetes is configured: set K8S_CONFIG_PATH, or run inside a cluster".into(),
                retry_after_seconds: 60,
            }),
            Some(_) => Err(Error::field("member", "is not known; the only member is 'local'")),
        }
    }

    /// The member behind a row.
    pub(crate) fn member(&self, id: MemberId) -> Result<&Arc<Member>> {
        self.local
            .as_ref()
            .filter(|_| id == MemberId::LOCAL)
            .ok_or_else(|| Error::Unavailable { message: "No Kubernetes is configured for this cluster's member".into(), retry_after_seconds: 60 })
    }
}

/// A member's name for the wire.
pub(crate) fn member_name(id: MemberId) -> String {
    if id == MemberId::LOCAL { LOCAL.to_owned() } else { id.to_string() }
}
