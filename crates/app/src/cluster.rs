//! Clusters: create, look, scale, delete.

use std::time::Duration;

use sha2::{Digest, Sha256};
use store::{AuditEntry, ClusterRow, Inserted, InstanceRow, NewCluster, Usage};
use tokio::time::Instant;
use types::{Bytes, ClusterId, ClusterName, ClusterStatus, Error, InstanceType, MilliCpu, Result, UserId};
use wire::cluster::{Cluster, ClusterDeleted, ClusterDetail, CreateCluster, UpdateCluster};

use crate::{
    App, Caller,
    quota::{admit, size_of},
    show,
    validate::{self, Fields},
};

/// Longest `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_MAX: usize = 200;

/// How many instances a cluster's detail shows at most; the rest by pages of `/instances`.
const DETAIL_INSTANCES: u64 = 10_000;

/// Longest cloud-init user data, in bytes: what a TEXT column of MySQL holds.
const CLOUD_INIT_MAX: usize = 65_535;

/// How often a create is tried again when another one took its namespace's name in the same moment.
const CREATE_TRIES: usize = 5;

/// A create's answer.
#[derive(Debug)]
pub struct Created {
    /// The cluster.
    pub cluster: ClusterDetail,
    /// It was created by an earlier request with the same key.
    pub replayed: bool,
}

struct Validated {
    new: NewCluster,
    size: Usage,
    count: i32,
}

impl App {
    /// Creates a cluster within the caller's quota. Answers at once, or after at most `wait` when it has settled.
    pub async fn cluster_create(&self, caller: &Caller, request: CreateCluster, body: &[u8], key: Option<&str>, wait: Duration) -> Result<Created> {
        caller.require_write()?;
        let validated = self.validate(caller, request)?;
        let digest = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (id, replayed) = self.cluster_admit_soon(caller, &validated, &digest, key).await?;
        if !replayed {
            (self.wake)(id);
        }
        if !wait.is_zero() {
            self.instances_settled(caller, id, Instant::now() + wait, |_| true).await?;
        }
        Ok(Created { cluster: self.cluster_get(caller, id).await?, replayed })
    }

    /// Tries again where nothing can have been written; after a lost connection it might.
    async fn cluster_admit_soon(&self, caller: &Caller, validated: &Validated, digest: &str, key: Option<&str>) -> Result<(ClusterId, bool)> {
        for _ in 0..CREATE_TRIES {
            if let Some(admitted) = self.cluster_admit(caller, validated, digest, key).await? {
                return Ok(admitted);
            }
        }
        Err(Error::Unavailable { message: "Many clusters of this name are being created at once".into(), retry_after_seconds: 1 })
    }

    /// The one transaction of a create: quota, cluster, instances, allocations, audit. `None`: the namespace's name was
    /// taken in this moment, and nothing is written.
    async fn cluster_admit(&self, caller: &Caller, validated: &Validated, digest: &str, key: Option<&str>) -> Result<Option<(ClusterId, bool)>> {
        let Validated { new, size, count } = validated;
        let owner = caller.user.id;
        let tx = self.store.begin().await?;
        let row = tx.owner_lock(owner).await?.filter(|row| !row.disabled);
        let row = row.ok_or(Error::Unauthenticated("Invalid or expired credentials"))?;
        if let Some(key) = key
            && let Some(earlier) = tx.remembered(owner, key).await?
        {
            if earlier.request_digest != digest {
                return Err(Error::field("Idempotency-Key", "was used for a different request"));
            }
            return self.replay(caller, earlier.cluster()).await.map(|id| Some((id, true)));
        }
        admit(&row, tx.usage(owner).await?, size_of(*size, i64::from(*count))?)?;
        let id = match tx.cluster_insert(new.clone()).await? {
            Inserted::Id(id) => id,
            Inserted::NameTaken => return Err(Error::conflict(format!("You have a cluster named '{}' already", new.name))),
            Inserted::NamespaceTaken => return Ok(None),
        };
        tx.instances_insert(id, &new.name, 1..=*count).await?;
        tx.allocate(owner, id, *size).await?;
        if let Some(key) = key {
            tx.remember(owner, key, digest, id).await?;
        }
        let detail = format!("{} {count} x {} cpu={} memory={}", new.name, new.instance_type, new.cpu, new.memory);
        tx.audit(AuditEntry { actor: owner, action: "cluster.create", target: target(id), detail: Some(detail) }).await?;
        tx.commit().await?;
        Ok(Some((id, false)))
    }

    /// The cluster that an earlier request with the same key created.
    async fn replay(&self, caller: &Caller, id: ClusterId) -> Result<ClusterId> {
        match self.store.cluster(caller.scope(), id).await? {
            Some(_) => Ok(id),
            None => Err(Error::conflict(format!("The request with this Idempotency-Key created cluster {id}, which has been deleted since"))),
        }
    }

    fn validate(&self, caller: &Caller, request: CreateCluster) -> Result<Validated> {
        let CreateCluster {
            name,
            instance_type,
            cpu_per_instance,
            memory_per_instance,
            instance_count,
            image,
            ssh_public_key,
            cloud_init,
            disk_gb,
            member,
        } = request;
        let vm = instance_type == InstanceType::Vm;
        let mut fields = Fields::default();
        let name = fields.take("name", ClusterName::parse(&name));
        let cpu = fields.cpu("cpu_per_instance", &cpu_per_instance);
        let memory = fields.bytes("memory_per_instance", &memory_per_instance);
        if cpu == Some(MilliCpu(0)) {
            fields.refuse("cpu_per_instance", "must be more than zero");
        }
        if memory == Some(Bytes(0)) {
            fields.refuse("memory_per_instance", "must be more than zero");
        }
        if vm && cpu.is_some_and(|cpu| !cpu.is_whole()) {
            fields.refuse("cpu_per_instance", "must be a whole number of cores for a VM");
        }
        let count = fields.instance_count(instance_count);
        let image = match image {
            Some(image) => fields.take("image", validate::image(&image)),
            None => Some(if vm { self.policy.vm_image.clone() } else { self.policy.container_image.clone() }),
        };
        let ssh_public_key = ssh_public_key.and_then(|key| fields.take("ssh_public_key", validate::ssh_public_key(&key)));
        if cloud_init.is_some() && !vm {
            fields.refuse("cloud_init", "is for VMs only");
        }
        if cloud_init.as_ref().is_some_and(|text| text.is_empty() || text.len() > CLOUD_INIT_MAX || text.contains('\0')) {
            fields.refuse("cloud_init", format!("must have 1 to {CLOUD_INIT_MAX} bytes, and no NUL"));
        }
        let disk = disk_gb.map(|disk| fields.bytes("disk_gb", &disk));
        if disk == Some(Some(Bytes(0))) {
            fields.refuse("disk_gb", "must be more than zero");
        }
        if member.as_deref().is_some_and(str::is_empty) {
            fields.refuse("member", "must not be empty");
        }
        let all = name.zip(cpu).zip(memory).zip(count).zip(image);
        let ((((name, cpu), memory), count), image) = fields.finish_with(all)?;
        let member = self.member_named(member.as_deref())?;
        let disk = disk.flatten();
        let size = Usage { cpu, memory, storage: disk.unwrap_or_default() };
        let new = NewCluster { owner: caller.user.id, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init };
        Ok(Validated { new, size, count })
    }

    /// The caller's clusters behind `after`; an admin's are everybody's, or those of `owner`.
    pub async fn cluster_list(&self, caller: &Caller, owner: Option<UserId>, after: i64, limit: u64) -> Result<Vec<Cluster>> {
        let scope = caller.scope().or(owner);
        let rows = self.store.clusters(scope, after, limit).await?;
        Ok(rows.into_iter().map(show::cluster).collect())
    }

    /// A cluster with its instances.
    pub async fn cluster_get(&self, caller: &Caller, id: ClusterId) -> Result<ClusterDetail> {
        let (row, instances) = self.read_detail(caller, id).await?;
        Ok(detail(row, instances))
    }

    /// Changes how many instances a cluster has.
    pub async fn cluster_scale(&self, caller: &Caller, id: ClusterId, request: UpdateCluster) -> Result<ClusterDetail> {
        caller.require_write()?;
        let mut fields = Fields::default();
        let wanted = fields.instance_count(request.instance_count);
        let wanted = fields.finish_with(wanted)?;
        let owner = self.store.cluster(caller.scope(), id).await?.ok_or_else(not_found)?.owner;

        let tx = self.store.begin().await?;
        let owner_row = tx.owner_lock(owner).await?.ok_or_else(not_found)?;
        let cluster = tx.cluster_lock(caller.scope(), id).await?.ok_or_else(not_found)?;
        if cluster.deleting {
            return Err(being_deleted());
        }
        let instances = tx.instances_of(id).await?;
        let present = instances.iter().filter(|row| !row.intent.deleting).count();
        let present = i32::try_from(present).map_err(Error::internal)?;
        if wanted > present {
            if instances.iter().any(|row| row.intent.deleting && row.intent.ordinal <= wanted) {
                return Err(Error::conflict("Instances of this cluster are still being removed; try again when they are gone"));
            }
            let size = Usage { cpu: cluster.cpu, memory: cluster.memory, storage: cluster.disk.unwrap_or_default() };
            admit(&owner_row, tx.usage(owner).await?, size_of(size, i64::from(wanted - present))?)?;
            tx.instances_insert(id, &cluster.name, present + 1..=wanted).await?;
            tx.allocate(owner, id, size).await?;
        } else if wanted < present {
            tx.instances_scale_away(id, wanted).await?;
        }
        if wanted != present {
            tx.cluster_touch(id).await?;
            let detail = Some(format!("{present} -> {wanted}"));
            tx.audit(AuditEntry { actor: caller.user.id, action: "cluster.scale", target: target(id), detail }).await?;
            tx.commit().await?;
            (self.wake)(id);
        }
        self.cluster_get(caller, id).await
    }

    /// Marks a cluster for deletion. Its row stays until everything outside is confirmed gone; a repeat says the same.
    pub async fn cluster_delete(&self, caller: &Caller, id: ClusterId) -> Result<ClusterDeleted> {
        caller.require_write()?;
        let tx = self.store.begin().await?;
        let cluster = tx.cluster_lock(caller.scope(), id).await?.ok_or_else(not_found)?;
        if !cluster.deleting {
            tx.cluster_delete(id).await?;
            let detail = Some(cluster.name.to_string());
            tx.audit(AuditEntry { actor: caller.user.id, action: "cluster.delete", target: target(id), detail }).await?;
            tx.commit().await?;
        }
        // Also for a repeat: what held the delete up may be gone.
        (self.wake)(id);
        Ok(ClusterDeleted { message: format!("Cluster '{}' is being deleted", cluster.name), status: ClusterStatus::Deleting })
    }

    pub(crate) async fn read_detail(&self, caller: &Caller, id: ClusterId) -> Result<(ClusterRow, Vec<InstanceRow>)> {
        let row = self.store.cluster(caller.scope(), id).await?.ok_or_else(not_found)?;
        let instances = self.store.instances(caller.scope(), id, 0, DETAIL_INSTANCES).await?;
        Ok((row, instances))
    }
}

fn detail(row: ClusterRow, instances: Vec<InstanceRow>) -> ClusterDetail {
    ClusterDetail { cluster: show::cluster(row), instances: instances.into_iter().map(show::instance).collect() }
}

pub(crate) fn not_found() -> Error {
    Error::NotFound { what: "Cluster" }
}

pub(crate) fn being_deleted() -> Error {
    Error::conflict("The cluster is being deleted")
}

pub(crate) fn target(id: ClusterId) -> String {
    format!("cluster/{id}")
}
