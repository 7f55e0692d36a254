//! Creating a cluster: what a request may say, admission, and requests that are sent twice.

use std::time::Duration;

use sha2::{Digest, Sha256};
use store::{Fact, Inserted, NewCluster, Remembered, Tx, Usage};
use tokio::time::Instant;
use types::{Bytes, ClusterId, Error, InstanceType, Result, Subject, text};
use wire::cluster::{ClusterDetail, CreateCluster};

use crate::{
    Action, App, Caller, placement,
    quota::{admit, one_instance, times},
    validate::Fields,
};

/// Longest `Idempotency-Key`, in characters of printable ASCII.
pub const IDEMPOTENCY_KEY_MAX: usize = 200;

/// Longest cloud-init user data, in bytes: what a TEXT column of MySQL holds.
const CLOUD_INIT_MAX: usize = 65_535;

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

/// A request that may be sent twice.
struct Repeat<'a> {
    key: &'a str,
    /// Of the body.
    digest: String,
}

impl App {
    /// Creates a cluster within the caller's quota. Answers at once, or after at most `wait` when it has settled.
    pub async fn cluster_create(&self, caller: &Caller, request: CreateCluster, body: &[u8], key: Option<&str>, wait: Duration) -> Result<Created> {
        let permit = caller.may(Action::ClusterCreate)?;
        let deadline = Instant::now() + wait;
        let validated = &self.validate(caller, request)?;
        let repeat = &key.map(|key| Repeat { key, digest: Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect() });
        let admitted =
            self.transact(&permit, Some(caller.user.id), |tx| async move { admit_cluster(&tx, caller, validated, repeat.as_ref()).await }).await;
        let (id, replayed) = admitted.map_err(|error| match error {
            Error::Contended => {
                Error::Unavailable { message: "Others are creating or changing the same; nothing was created".into(), retry_after_seconds: 1 }
            }
            other => other,
        })?;
        if !wait.is_zero() {
            self.until(id, deadline, <[_]>::is_empty).await;
        }
        Ok(Created { cluster: self.cluster_get(caller, id).await?, replayed })
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
        self.policy.check_size(&mut fields, cpu, memory);
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
        let size = one_instance(cpu, memory, disk);
        let hides_names = self.policy.hides_names;
        let new =
            NewCluster { owner: caller.user.id, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init, hides_names };
        Ok(Validated { new, size, count })
    }
}

/// What the one transaction of a create does: quota, cluster, instances, allocations, audit. A repeat with the same key answers what the
/// first has created, read through the same transaction: while one is open, nothing waits for another connection.
async fn admit_cluster(tx: &Tx, caller: &Caller, validated: &Validated, repeat: Option<&Repeat<'_>>) -> Result<(ClusterId, bool)> {
    let Validated { new, size, count } = validated;
    let owner = caller.user.id;
    let row = tx.owner_lock(owner).await?.filter(|row| !row.disabled);
    let row = row.ok_or(Error::Unauthenticated("Invalid or expired credentials"))?;
    if let Some(Repeat { key, digest }) = repeat
        && let Some(earlier) = tx.remembered(owner, key).await?
    {
        return replay(tx, caller, &earlier, digest).await.map(|id| (id, true));
    }
    admit(&row, tx.usage(owner).await?, Usage { clusters: 1, ..times(*size, i64::from(*count))? })?;
    let id = match tx.cluster_insert(new).await? {
        Inserted::Id(id) => id,
        Inserted::NameTaken => return Err(Error::conflict(format!("You have a cluster named '{}' already", new.name))),
    };
    tx.instances_insert(id, &new.name, 1..=*count).await?;
    tx.allocate(owner, id, *size).await?;
    if let Some(Repeat { key, digest }) = repeat {
        tx.remember(owner, key, digest, Subject::Cluster(id)).await?;
    }
    let summary = format!("{count} x {} cpu={} memory={}", new.instance_type, new.cpu, new.memory);
    tx.record(&caller.by, Fact::ClusterCreated { cluster: id, owner, name: new.name.to_string(), summary }).await?;
    Ok((id, false))
}

/// The cluster that an earlier request with the same key created.
async fn replay(tx: &Tx, caller: &Caller, earlier: &Remembered, digest: &str) -> Result<ClusterId> {
    let Some(Subject::Cluster(id)) = earlier.subject().filter(|_| earlier.request_digest == digest) else {
        return Err(Error::field("Idempotency-Key", "was used for a different request"));
    };
    if tx.cluster_exists(caller.sees(), id).await? {
        return Ok(id);
    }
    Err(Error::conflict(format!("The request with this Idempotency-Key created cluster {id}, which has been deleted since")))
}
