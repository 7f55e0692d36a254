//! Clusters: look, scale, delete.

use store::{AuditEntry, Usage};
use types::{ClusterId, ClusterStatus, Error, Result, UserId};
use wire::cluster::{Cluster, ClusterDeleted, ClusterDetail, UpdateCluster};

use crate::{
    App, Caller,
    audit::cluster_target,
    find::{cluster_not_found, lock_cluster},
    quota::{admit, times},
    show,
    validate::{Fields, INSTANCES_MAX},
};

impl App {
    /// The caller's clusters with ids above `after`, lowest first; an admin's are everybody's, or those of `owner`.
    pub async fn cluster_list(&self, caller: &Caller, owner: Option<UserId>, after: i64, limit: u64) -> Result<Vec<Cluster>> {
        let scope = caller.scope().or(owner);
        let rows = self.store.clusters(scope, after, limit).await?;
        Ok(rows.into_iter().map(show::cluster).collect())
    }

    /// A cluster with all its instances, lowest number first.
    pub async fn cluster_get(&self, caller: &Caller, id: ClusterId) -> Result<ClusterDetail> {
        let row = self.find_cluster(caller, id).await?;
        let instances = self.store.instances(caller.scope(), id, 0, INSTANCES_MAX).await?;
        Ok(ClusterDetail { cluster: show::cluster(row), instances: instances.into_iter().map(show::instance).collect() })
    }

    /// Changes how many instances a cluster has: adds at the end, within the owner's quota, and removes from the end.
    pub async fn cluster_scale(&self, caller: &Caller, id: ClusterId, request: UpdateCluster) -> Result<ClusterDetail> {
        caller.require_write()?;
        let mut fields = Fields::default();
        let wanted = fields.instance_count(request.instance_count);
        let wanted = fields.finish_with(wanted)?;
        let owner = self.find_cluster(caller, id).await?.owner;

        let tx = self.store.begin().await?;
        let owner_row = tx.owner_lock(owner).await?.ok_or_else(cluster_not_found)?;
        let cluster = lock_cluster(&tx, caller, id).await?;
        let instances = tx.instances_of(id).await?;
        let present = instances.iter().filter(|row| !row.intent.deleting).count();
        let present = i32::try_from(present).map_err(Error::internal)?;
        if wanted > present {
            if instances.iter().any(|row| row.intent.deleting && row.intent.ordinal <= wanted) {
                return Err(Error::conflict("Instances of this cluster are still being removed; try again when they are gone"));
            }
            let size = Usage { cpu: cluster.cpu, memory: cluster.memory, storage: cluster.disk.unwrap_or_default() };
            admit(&owner_row, tx.usage(owner).await?, times(size, i64::from(wanted - present))?)?;
            tx.instances_insert(id, &cluster.name, present + 1..=wanted).await?;
            tx.allocate(owner, id, size).await?;
        } else if wanted < present {
            tx.instances_scale_away(id, wanted).await?;
        }
        if wanted != present {
            tx.cluster_touch(id).await?;
            let detail = Some(format!("{present} -> {wanted}"));
            tx.audit(AuditEntry { actor: caller.user.id, action: "cluster.scale", target: cluster_target(id), detail }).await?;
            tx.commit().await?;
            (self.wake)(id);
        }
        self.cluster_get(caller, id).await
    }

    /// Marks a cluster for deletion. Its row stays until everything outside is confirmed gone; a repeat says the same.
    pub async fn cluster_delete(&self, caller: &Caller, id: ClusterId) -> Result<ClusterDeleted> {
        caller.require_write()?;
        let tx = self.store.begin().await?;
        let cluster = tx.cluster_lock(caller.scope(), id).await?.ok_or_else(cluster_not_found)?;
        if !cluster.deleting {
            tx.cluster_delete(id).await?;
            let detail = Some(cluster.name.to_string());
            tx.audit(AuditEntry { actor: caller.user.id, action: "cluster.delete", target: cluster_target(id), detail }).await?;
            tx.commit().await?;
        }
        // Also for a repeat: what held the delete up may be gone.
        (self.wake)(id);
        Ok(ClusterDeleted { message: format!("Cluster '{}' is being deleted", cluster.name), status: ClusterStatus::Deleting.into() })
    }
}
