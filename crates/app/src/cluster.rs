//! Clusters: look, scale, delete.

use store::{Fact, Whose};
use types::{ClusterId, ClusterStatus, Error, Result, UserId};
use wire::cluster::{Cluster, ClusterAbandoned, ClusterDeleted, ClusterDetail, UpdateCluster};

use crate::{
    Action, App, Caller,
    find::{cluster_not_found, lock_cluster},
    quota::{admit, one_instance, times},
    show,
    validate::Fields,
};

/// Most instances that a cluster's own answer carries; the others are behind its list of instances.
pub const DETAIL_INSTANCES: u64 = 500;

impl App {
    /// The caller's clusters with ids above `after`, lowest first; an admin's are everybody's, or those of `owner`.
    pub async fn cluster_list(&self, caller: &Caller, owner: Option<UserId>, after: i64, limit: u64) -> Result<Vec<Cluster>> {
        caller.may(Action::ClusterList)?;
        let whose = match (caller.sees(), owner) {
            (Whose::Everybodys, Some(owner)) => Whose::Of(owner),
            (whose, _) => whose,
        };
        let _turn = self.reads.of(caller.user.id).await?;
        let rows = self.intents.clusters(whose, after, limit).await?;
        Ok(rows.into_iter().map(show::cluster).collect())
    }

    /// A cluster with its first [`DETAIL_INSTANCES`] instances, lowest number first.
    pub async fn cluster_get(&self, caller: &Caller, id: ClusterId) -> Result<ClusterDetail> {
        caller.may(Action::ClusterGet)?;
        let row = self.find_cluster(caller, id).await?;
        let _turn = self.reads.of(caller.user.id).await?;
        let instances = self.intents.instances(caller.sees(), id, 0, DETAIL_INSTANCES).await?;
        Ok(ClusterDetail { cluster: show::cluster(row), instances: instances.into_iter().map(show::instance).collect() })
    }

    /// Changes how many instances a cluster has: adds at the end, within the owner's quota, and removes from the end.
    pub async fn cluster_scale(&self, caller: &Caller, id: ClusterId, request: UpdateCluster) -> Result<ClusterDetail> {
        let permit = caller.may(Action::ClusterScale)?;
        let mut fields = Fields::default();
        let wanted = fields.instance_count(request.instance_count);
        let wanted = fields.finish_with(wanted)?;
        let owner = self.find_cluster(caller, id).await?.owner;
        self.transact(&permit, Some(owner), |tx| async move {
            let owner_row = tx.owner_lock(owner).await?.ok_or_else(cluster_not_found)?;
            let cluster = lock_cluster(&tx, caller, id).await?;
            let instances = tx.instances_of(id).await?;
            let present = instances.iter().filter(|row| !row.intent.deleting).count();
            let present = i32::try_from(present).map_err(Error::internal)?;
            if wanted > present {
                if instances.iter().any(|row| row.intent.deleting && row.intent.ordinal <= wanted) {
                    return Err(Error::conflict("Instances of this cluster are still being removed; try again when they are gone"));
                }
                let size = one_instance(cluster.cpu, cluster.memory, cluster.disk);
                admit(&owner_row, tx.usage(owner).await?, times(size, i64::from(wanted - present))?)?;
                tx.instances_insert(id, &cluster.name, present + 1..=wanted).await?;
                tx.allocate(owner, id, size).await?;
            } else if wanted < present {
                tx.instances_scale_away(id, wanted).await?;
            } else {
                return Ok(());
            }
            tx.cluster_touch(id, &cluster).await?;
            tx.record(&caller.by, Fact::ClusterScaled { cluster: id, owner, from: present, to: wanted }).await
        })
        .await?;
        self.cluster_get(caller, id).await
    }

    /// Marks a cluster for deletion. Its row stays until everything outside is confirmed gone; a repeat says the same.
    pub async fn cluster_delete(&self, caller: &Caller, id: ClusterId) -> Result<ClusterDeleted> {
        let permit = caller.may(Action::ClusterDelete)?;
        let owner = self.find_cluster(caller, id).await?.owner;
        let name = self
            .transact(&permit, Some(owner), |tx| async move {
                let cluster = tx.cluster_lock(caller.sees(), id).await?.ok_or_else(cluster_not_found)?;
                tx.cluster_delete(id, &cluster).await?;
                if !cluster.deleting {
                    tx.record(&caller.by, Fact::ClusterDeleted { cluster: id, owner, name: cluster.name.to_string() }).await?;
                }
                Ok(cluster.name)
            })
            .await?;
        Ok(ClusterDeleted { message: format!("Cluster '{name}' is being deleted"), status: ClusterStatus::Deleting.into() })
    }

    /// Drops a cluster and what it took at once, though nothing confirms that it is gone: for what never can be. Admins only. A record
    /// says where its remains may be; nothing looks after them any more.
    pub async fn cluster_abandon(&self, caller: &Caller, id: ClusterId) -> Result<ClusterAbandoned> {
        let permit = caller.may(Action::ClusterDelete)?;
        if !caller.is_admin() {
            return Err(Error::Forbidden("Only an admin may give up a cluster that is not confirmed gone"));
        }
        let row = &self.find_cluster(caller, id).await?;
        self.transact(&permit, Some(row.owner), |tx| async move {
            tx.cluster_lock(caller.sees(), id).await?.ok_or_else(cluster_not_found)?;
            tx.cluster_abandon(id, caller.user.id).await?;
            tx.record(&caller.by, Fact::ClusterAbandoned { cluster: id, owner: row.owner, name: row.name.clone() }).await
        })
        .await?;
        let message =
            format!("Cluster '{}' is given up. What is left of it is in namespace '{}' of member '{}'", row.name, row.namespace, row.member_name);
        Ok(ClusterAbandoned { message, namespace: row.namespace.clone(), member: row.member_name.clone() })
    }
}
