//! What reconciling reads: a cluster as its owner wants it, and what was last seen of it.
//!
//! Intent is written by `app` only, through [`crate::Intents`]; observations in `observe` only.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{Bytes, ClusterId, ClusterName, Desired, InstanceId, InstanceStatus, InstanceType, MemberId, MilliCpu, Result, UserId};

use crate::{
    Lease, LeaseName, Observations,
    dialect::{Column, rows_of},
    sql::{self, cluster_name, word},
};

/// A cluster with all its instances.
#[derive(Debug, Clone)]
pub struct ClusterIntent {
    /// Row id.
    pub id: ClusterId,
    /// Whose it is.
    pub owner: UserId,
    /// Where it lives.
    pub member: MemberId,
    /// The tenant's name for it.
    pub name: ClusterName,
    /// Name of its namespace; [`Observations::namespace_rename`] changes it while it is somebody else's.
    pub namespace: String,
    /// UID of the namespace once it was created by us.
    pub namespace_uid: Option<String>,
    /// Random text stored before the namespace is created; see [`types::labels::CLAIM`].
    pub claim: String,
    /// Pods or VMs.
    pub instance_type: InstanceType,
    /// CPU of each instance.
    pub cpu: MilliCpu,
    /// Memory of each instance.
    pub memory: Bytes,
    /// Persistent disk of each instance.
    pub disk: Option<Bytes>,
    /// Container image, or the VM's container disk image.
    pub image: String,
    /// OpenSSH public key for VMs and containers.
    pub ssh_public_key: Option<String>,
    /// Cloud-init user data for VMs.
    pub cloud_init: Option<String>,
    /// Grows with each change of intent.
    pub generation: i64,
    /// The generation that was last carried out.
    pub observed_generation: i64,
    /// Its owner deleted it.
    pub deleting: bool,
    /// Its instances, lowest ordinal first.
    pub instances: Vec<InstanceIntent>,
}

/// One instance of a cluster.
#[derive(Debug, Clone)]
pub struct InstanceIntent {
    /// Row id.
    pub id: InstanceId,
    /// Counts from 1 within its cluster.
    pub ordinal: i32,
    /// Name of its Pod or VirtualMachine.
    pub name: String,
    /// What it should be.
    pub desired: Desired,
    /// Grows with each change of `desired`.
    pub generation: i64,
    /// Grows with each start and resume: a Pod made for an older one is replaced.
    pub start_generation: i64,
    /// Scaled away (or its cluster deleted).
    pub deleting: bool,
    /// What was last seen.
    pub observed: InstanceObserved,
}

/// What was last seen of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceObserved {
    /// Its state.
    pub status: InstanceStatus,
    /// The intent generation at which it last settled.
    pub generation: i64,
    /// A word for the state's cause, as Kubernetes says it: `ImagePullBackOff`.
    pub reason: Option<String>,
    /// A sentence for it.
    pub message: Option<String>,
    /// Its address within the member.
    pub ip: Option<String>,
    /// The node it runs on.
    pub node: Option<String>,
    /// UID of the VirtualMachineInstance whose memory a suspended VM keeps: another one later means that it was lost.
    pub incarnation: Option<String>,
}

/// What reconciling must know of a cluster to be fair.
struct ClusterTraits {
    id: ClusterId,
    owner: UserId,
    /// `None` for a word of a newer version: it must not keep the others from being found.
    instance_type: Option<InstanceType>,
}

impl FromQueryResult for ClusterTraits {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: ClusterId(row.try_get(prefix, "id")?),
            owner: UserId(row.try_get(prefix, "owner_id")?),
            instance_type: word(row, prefix, "instance_type", InstanceType::parse).ok(),
        })
    }
}

impl FromQueryResult for ClusterIntent {
    /// Without its instances, which have rows of their own.
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: ClusterId(row.try_get(prefix, "id")?),
            owner: UserId(row.try_get(prefix, "owner_id")?),
            member: MemberId(row.try_get(prefix, "member_id")?),
            name: cluster_name(row, prefix, "name")?,
            namespace: row.try_get(prefix, "namespace")?,
            namespace_uid: row.try_get(prefix, "namespace_uid")?,
            claim: row.try_get(prefix, "claim")?,
            instance_type: word(row, prefix, "instance_type", InstanceType::parse)?,
            cpu: MilliCpu(row.try_get(prefix, "cpu_milli")?),
            memory: Bytes(row.try_get(prefix, "memory_bytes")?),
            disk: row.try_get::<Option<i64>>(prefix, "disk_bytes")?.map(Bytes),
            image: row.try_get(prefix, "image")?,
            ssh_public_key: row.try_get(prefix, "ssh_public_key")?,
            cloud_init: row.try_get(prefix, "cloud_init")?,
            generation: row.try_get(prefix, "generation")?,
            observed_generation: row.try_get(prefix, "observed_generation")?,
            deleting: row.try_get::<Option<i64>>(prefix, "deleting_at")?.is_some(),
            instances: Vec::new(),
        })
    }
}

impl FromQueryResult for InstanceIntent {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: InstanceId(row.try_get(prefix, "id")?),
            ordinal: row.try_get(prefix, "ordinal")?,
            name: row.try_get(prefix, "name")?,
            desired: word(row, prefix, "desired", Desired::parse)?,
            generation: row.try_get(prefix, "generation")?,
            start_generation: row.try_get(prefix, "start_generation")?,
            deleting: row.try_get(prefix, "deleting")?,
            observed: InstanceObserved::from_query_result(row, prefix)?,
        })
    }
}

impl FromQueryResult for InstanceObserved {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            status: word(row, prefix, "status", InstanceStatus::parse)?,
            generation: row.try_get(prefix, "observed_generation")?,
            reason: row.try_get(prefix, "reason")?,
            message: row.try_get(prefix, "message")?,
            ip: row.try_get(prefix, "ip")?,
            node: row.try_get(prefix, "node")?,
            incarnation: row.try_get(prefix, "incarnation")?,
        })
    }
}

impl Observations {
    /// All clusters of a member.
    pub async fn clusters_on(&self, member: MemberId) -> Result<Vec<ClusterId>> {
        let ids: Vec<i64> = sql::scalars(self.pool().reader(), "SELECT id FROM clusters WHERE member_id = ? ORDER BY id", [member.0.into()]).await?;
        Ok(ids.into_iter().map(ClusterId).collect())
    }

    /// Whose each of these clusters is, and of what kind, as far as they are on that member.
    pub async fn cluster_traits(&self, member: MemberId, ids: &[ClusterId]) -> Result<Vec<(ClusterId, UserId, InstanceType)>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<_> = ids.iter().map(|id| serde_json::json!({"id": id})).collect();
        let asked = rows_of(self.pool().backend(), &[("id", Column::Number)]);
        let sql = format!("SELECT c.id, c.owner_id, c.instance_type FROM {asked} JOIN clusters c ON c.id = v.id WHERE c.member_id = ?");
        let values = [serde_json::Value::from(rows).to_string().into(), member.0.into()];
        let found: Vec<ClusterTraits> = sql::rows(self.pool().reader(), &sql, values).await?;
        Ok(found.into_iter().filter_map(|ClusterTraits { id, owner, instance_type }| Some((id, owner, instance_type?))).collect())
    }

    /// Everything that reconciling needs to know of a cluster of the lease's member. `None`: it is gone, or never was there: an id that
    /// was read off a member names nothing elsewhere.
    pub async fn cluster_intent(&self, lease: &Lease, id: ClusterId) -> Result<Option<ClusterIntent>> {
        let LeaseName::Member(member) = lease.name else { return Ok(None) };
        self.cluster_intent_on(member, id).await
    }

    /// As [`Self::cluster_intent`], for whoever looks without reconciling.
    pub async fn cluster_intent_on(&self, member: MemberId, id: ClusterId) -> Result<Option<ClusterIntent>> {
        let reader = self.pool().reader();
        let sql = "SELECT c.*, p.ssh_public_key, p.cloud_init FROM clusters c LEFT JOIN cluster_payloads p ON p.cluster_id = c.id \
                   WHERE c.id = ? AND c.member_id = ?";
        let cluster: Option<ClusterIntent> = sql::row(reader, sql, [id.0.into(), member.0.into()]).await?;
        let Some(mut cluster) = cluster else { return Ok(None) };
        cluster.instances = sql::rows(reader, "SELECT * FROM instances WHERE cluster_id = ? ORDER BY ordinal", [id.0.into()]).await?;
        Ok(Some(cluster))
    }
}
