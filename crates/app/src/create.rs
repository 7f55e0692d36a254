//! Creating a cluster: what a request may say, admission, and requests that are sent twice.

use std::time::Duration;

use sha2::{Digest, Sha256};
use store::{AuditEntry, Inserted, NewCluster, Usage};
use tokio::time::Instant;
use types::{Bytes, ClusterId, Error, InstanceType, MilliCpu, Result, text};
use wire::cluster::{ClusterDetail, CreateCluster};

use crate::{
    App, Caller,
    audit::cluster_target,
    placement,
    quota::{admit, times},
    validate::Fields,
};

/// Longest `Idempotency-Key`, in characters of printable ASCII.
pub const IDEMPOTENCY_KEY_MAX: usize = 200;

/// Longest cloud-init user data, in bytes: what a TEXT column of MySQL holds.
const CLOUD_INIT_MAX: usize = 65_535;

/// How often a create is tried again when another one took its namespace's name in the same moment.
const CREATE_TRIES: usize = 5;

/// A create's answer.
#[derive(Debug)]
pub struct Created {
    /// As it is at the end of the wait.
    pub cluster: ClusterDetail,
    /// It was created by an earlier request with the same key.
    pub replayed: bool,
}

struct Validated {
    new: NewCluster,
    /// Of each instance.
    size: Usage,
    /// How many instances.
    count: i32,
}

impl App {
    /// Creates a cluster within the caller's quota. Answers at once, or after at most `wait` when it has settled.
    pub async fn cluster_create(&self, caller: &Caller, request: CreateCluster, body: &[u8], key: Option<&str>, wait: Duration) -> Result<Created> {
        caller.require_write()?;
        let validated = self.validate(caller, request)?;
        let digest = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (id, replayed) = self.admit_with_retries(caller, &validated, &digest, key).await?;
        if !replayed {
            (self.wake)(id);
        }
        if !wait.is_zero() {
            self.instances_settled(caller, id, Instant::now() + wait, |_| true).await?;
        }
        Ok(Created { cluster: self.cluster_get(caller, id).await?, replayed })
    }

    /// Tries again where nothing can have been written; after a lost connection it might.
    async fn admit_with_retries(&self, caller: &Caller, validated: &Validated, digest: &str, key: Option<&str>) -> Result<(ClusterId, bool)> {
        for _ in 0..CREATE_TRIES {
            if let Some(admitted) = self.admit_once(caller, validated, digest, key).await? {
                return Ok(admitted);
            }
        }
        Err(Error::Unavailable { message: "Many clusters of this name are being created at once".into(), retry_after_seconds: 1 })
    }

    /// The one transaction of a create: quota, cluster, instances, allocations, audit. `None`: the namespace's name was
    /// taken in this moment, and nothing is written.
    async fn admit_once(&self, caller: &Caller, validated: &Validated, digest: &str, key: Option<&str>) -> Result<Option<(ClusterId, bool)>> {
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
        admit(&row, tx.usage(owner).await?, times(*size, i64::from(*count))?)?;
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
        tx.audit(AuditEntry { actor: owner, action: "cluster.create", target: cluster_target(id), detail: Some(detail) }).await?;
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
        let name = fields.cluster_name("name", &name);
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
            Some(image) => fields.check("image", text::image(&image)),
            None => Some(if vm { self.policy.vm_image.clone() } else { self.policy.container_image.clone() }),
        };
        let ssh_public_key = ssh_public_key.and_then(|key| fields.check("ssh_public_key", text::ssh_public_key(&key)));
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
        if let Some(member) = &member {
            fields.check("member", placement::known(member));
        }
        let all = name.zip(cpu).zip(memory).zip(count).zip(image);
        let ((((name, cpu), memory), count), image) = fields.finish_with(all)?;
        let member = self.place()?;
        let disk = disk.flatten();
        let size = Usage { cpu, memory, storage: disk.unwrap_or_default() };
        let new = NewCluster { owner: caller.user.id, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init };
        Ok(Validated { new, size, count })
    }
}
