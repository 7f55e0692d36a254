//! Where a cluster is placed.

use std::sync::Arc;

use members::Member;
use types::{Error, MemberId, Result, name::LOCAL_MEMBER};

use crate::App;

impl App {
    /// Where a cluster goes whose request [`known`] has accepted.
    pub(crate) fn place(&self) -> Result<MemberId> {
        if self.fleet.get(MemberId::LOCAL).is_some() {
            return Ok(MemberId::LOCAL);
        }
        let message = "No Kubernetes is configured: set K8S_CONFIG_PATH, or run inside a cluster";
        Err(Error::Unavailable { message: message.into(), retry_after_seconds: 60 })
    }

    /// The member behind a row.
    pub(crate) fn member(&self, id: MemberId) -> Result<Arc<Member>> {
        self.fleet
            .get(id)
            .ok_or_else(|| Error::Unavailable { message: "No Kubernetes is configured for this cluster's member".into(), retry_after_seconds: 60 })
    }
}

/// Whether a tenant may name this member; the error is a sentence for them.
pub(crate) fn known(name: &str) -> Result<(), String> {
    match name {
        LOCAL_MEMBER => Ok(()),
        "" => Err("must not be empty".into()),
        _ => Err(format!("is not known; the only member is '{LOCAL_MEMBER}'")),
    }
}
