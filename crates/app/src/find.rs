//! Rows as a caller may find them: somebody else's is not found, exactly like one that does not exist.

use store::{ClusterIntentRow, ClusterRow, InstanceRow, Tx};
use types::{ClusterId, Error, InstanceId, Result};

use crate::{App, Caller};

impl App {
    pub(crate) async fn find_cluster(&self, caller: &Caller, id: ClusterId) -> Result<ClusterRow> {
        let _turn = self.reads.of(caller.user.id).await?;
        self.intents.cluster(caller.sees(), id).await?.ok_or_else(cluster_not_found)
    }

    pub(crate) async fn find_instance(&self, caller: &Caller, id: InstanceId) -> Result<InstanceRow> {
        let _turn = self.reads.of(caller.user.id).await?;
        self.intents.instance(caller.sees(), id).await?.ok_or(Error::NotFound { what: "Instance" })
    }

    /// The instances of a cluster with numbers above `after`, lowest first; those being scaled away are not among them.
    pub(crate) async fn find_instances(&self, caller: &Caller, cluster: ClusterId, after: i32, limit: u64) -> Result<Vec<InstanceRow>> {
        self.find_cluster(caller, cluster).await?;
        let _turn = self.reads.of(caller.user.id).await?;
        self.intents.instances(caller.sees(), cluster, after, limit).await
    }
}

/// Locks a cluster whose intent is to change: operations, scaling and deletion of one cluster take turns here.
pub(crate) async fn lock_cluster(tx: &Tx, caller: &Caller, id: ClusterId) -> Result<ClusterIntentRow> {
    let cluster = tx.cluster_lock(caller.sees(), id).await?.ok_or_else(cluster_not_found)?;
    if cluster.deleting { Err(cluster_deleting()) } else { Ok(cluster) }
}

pub(crate) fn cluster_not_found() -> Error {
    Error::NotFound { what: "Cluster" }
}

pub(crate) fn user_not_found() -> Error {
    Error::NotFound { what: "User" }
}

pub(crate) fn cluster_deleting() -> Error {
    Error::conflict("The cluster is being deleted")
}
