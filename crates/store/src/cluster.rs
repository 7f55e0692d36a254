//! Clusters as their owners see them. Every query names the owner: somebody else's cluster is not found.

use std::iter;

use sea_orm::{DbErr, FromQueryResult, QueryResult, Value};
use types::{Bytes, ClusterId, ClusterName, ClusterStatus, Error, InstanceStatus, InstanceType, MemberId, MilliCpu, Result, Timestamp, UserId};

use crate::{
    Store, Tx,
    dialect::for_update,
    error::db,
    random::random_word,
    sql::{self, cluster_name, word},
};

/// A cluster without its instances.
#[derive(Debug, Clone)]
pub struct ClusterRow {
    /// Row id.
    pub id: ClusterId,
    /// Whose it is.
    pub owner: UserId,
    /// Where it lives.
    pub member: MemberId,
    /// The tenant's name for it.
    pub name: String,
    /// Its namespace in the member.
    pub namespace: String,
    /// Pods or VMs.
    pub instance_type: InstanceType,
    /// CPU of each instance.
    pub cpu: MilliCpu,
    /// Memory of each instance.
    pub memory: Bytes,
    /// Persistent disk of each instance, if it has one.
    pub disk: Option<Bytes>,
    /// Container image, or the VM's disk image.
    pub image: String,
    /// How many instances it should have.
    pub instance_count: i64,
    /// Derived from the instances.
    pub status: ClusterStatus,
    /// Why it is not where it should be.
    pub reason: Option<String>,
    /// A sentence for it.
    pub message: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its intent last changed.
    pub updated_at: Timestamp,
}

/// A cluster to be.
#[derive(Debug, Clone)]
pub struct NewCluster {
    /// Whose it will be.
    pub owner: UserId,
    /// Where it will live.
    pub member: MemberId,
    /// The tenant's name for it.
    pub name: ClusterName,
    /// Pods or VMs.
    pub instance_type: InstanceType,
    /// CPU of each instance.
    pub cpu: MilliCpu,
    /// Memory of each instance.
    pub memory: Bytes,
    /// Persistent disk of each instance, if it has one.
    pub disk: Option<Bytes>,
    /// Container image, or the VM's disk image.
    pub image: String,
    /// OpenSSH public key.
    pub ssh_public_key: Option<String>,
    /// Cloud-init user data.
    pub cloud_init: Option<String>,
}

/// What became of a cluster to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there.
    Id(ClusterId),
    /// Its owner has one of that name.
    NameTaken,
    /// Another owner took the namespace's name in this moment. The transaction is spoilt; the next one sees it.
    NamespaceTaken,
}

/// How many instances of a cluster are in one state; without any instances, one line without a state.
#[derive(FromQueryResult)]
struct StatusCount {
    id: i64,
    instance_status: Option<String>,
    instances: i64,
}

impl ClusterRow {
    /// `lines` are one cluster's, and differ in nothing but their counts.
    fn read(row: &QueryResult, lines: &[(StatusCount, QueryResult)]) -> Result<Self, DbErr> {
        let statuses = lines.iter().filter_map(|(count, _)| InstanceStatus::parse(count.instance_status.as_deref()?));
        let deleting = row.try_get::<Option<i64>>("", "deleting_at")?.is_some();
        Ok(Self {
            id: ClusterId(row.try_get("", "id")?),
            owner: UserId(row.try_get("", "owner_id")?),
            member: MemberId(row.try_get("", "member_id")?),
            name: row.try_get("", "name")?,
            namespace: row.try_get("", "namespace")?,
            instance_type: word(row, "", "instance_type", InstanceType::parse)?,
            cpu: MilliCpu(row.try_get("", "cpu_milli")?),
            memory: Bytes(row.try_get("", "memory_bytes")?),
            disk: row.try_get::<Option<i64>>("", "disk_bytes")?.map(Bytes),
            image: row.try_get("", "image")?,
            instance_count: lines.iter().map(|(count, _)| count.instances).sum(),
            status: ClusterStatus::of(deleting, statuses),
            reason: row.try_get("", "reason")?,
            message: row.try_get("", "message")?,
            created_at: Timestamp(row.try_get("", "created_at")?),
            updated_at: Timestamp(row.try_get("", "updated_at")?),
        })
    }
}

/// A condition on clusters `c` that keeps to those of an owner, where there is one; its values are [`of_owner`]'s.
pub(crate) const OF_OWNER: &str = "(? = 0 OR c.owner_id = ?)";

pub(crate) fn of_owner(owner: Option<UserId>) -> [Value; 2] {
    [i64::from(owner.is_some()).into(), owner.map_or(0, |owner| owner.0).into()]
}

impl Store {
    /// A cluster of `owner` (or of anybody, for an admin: `None`).
    pub async fn cluster(&self, owner: Option<UserId>, id: ClusterId) -> Result<Option<ClusterRow>> {
        Ok(self.clusters_where("id = ?", id.0, owner, 1).await?.pop())
    }

    /// Clusters behind `after`, by id.
    pub async fn clusters(&self, owner: Option<UserId>, after: i64, limit: u64) -> Result<Vec<ClusterRow>> {
        self.clusters_where("id > ?", after, owner, limit).await
    }

    /// Clusters with the counts of their instances, in one query: a line for each cluster and state.
    async fn clusters_where(&self, condition: &str, id: i64, owner: Option<UserId>, limit: u64) -> Result<Vec<ClusterRow>> {
        let of_owner = if owner.is_some() { " AND owner_id = ?" } else { "" };
        let sql = format!(
            "SELECT c.*, n.instance_status, n.instances FROM (\
               SELECT p.id, i.status AS instance_status, COUNT(i.id) AS instances FROM (\
                 SELECT id FROM clusters WHERE {condition}{of_owner} ORDER BY id LIMIT ?) p \
               LEFT JOIN instances i ON i.cluster_id = p.id AND i.deleting = ? GROUP BY p.id, i.status) n \
             JOIN clusters c ON c.id = n.id ORDER BY c.id"
        );
        let owner = owner.map(|owner| Value::from(owner.0));
        let values = iter::once(id.into()).chain(owner).chain([sql::at_most(limit), false.into()]);
        let lines = sql::raw(self.reader(), &sql, values).await?.into_iter();
        let lines: Result<Vec<_>, DbErr> = lines.map(|row| Ok((StatusCount::from_query_result(&row, "")?, row))).collect();
        let lines = lines.map_err(db)?;
        let clusters = lines.chunk_by(|(a, _), (b, _)| a.id == b.id).filter_map(|lines| Some(ClusterRow::read(&lines.first()?.1, lines)));
        clusters.map(|cluster| cluster.map_err(db)).collect()
    }
}

impl Tx {
    /// Adds a cluster without instances.
    pub async fn cluster_insert(&self, new: NewCluster) -> Result<Inserted> {
        let NewCluster { owner, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init } = new;
        let plain = name.namespace();
        // Asked first: a refused INSERT would spoil the transaction on PostgreSQL.
        let taken = self.names_taken(owner, &name, member, &plain).await?;
        if taken.same_name > 0 {
            return Ok(Inserted::NameTaken);
        }
        let namespace = if taken.same_namespace > 0 { name.namespace_with(&random_word(6)) } else { plain };
        let now = Timestamp::now().0;
        let id = sql::insert_unless_taken(
            &self.tx,
            "INSERT INTO clusters (owner_id, member_id, name, namespace, claim, instance_type, cpu_milli, memory_bytes, disk_bytes, \
             image, ssh_public_key, cloud_init, created_at, updated_at, generation, observed_generation) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0)",
            [
                owner.0.into(),
                member.0.into(),
                name.as_str().into(),
                namespace.into(),
                random_word(20).into(),
                instance_type.as_str().into(),
                cpu.0.into(),
                memory.0.into(),
                disk.map(|disk| disk.0).into(),
                image.into(),
                ssh_public_key.into(),
                cloud_init.into(),
                now.into(),
                now.into(),
            ],
        )
        .await?;
        Ok(id.map_or(Inserted::NamespaceTaken, |id| Inserted::Id(ClusterId(id))))
    }

    /// Locks a cluster of `owner` for a change of its intent.
    pub async fn cluster_lock(&self, owner: Option<UserId>, id: ClusterId) -> Result<Option<ClusterIntentRow>> {
        // The owner is part of what is locked: waiting for somebody else's row would tell that it is there.
        let sql = format!("SELECT * FROM clusters c WHERE c.id = ? AND {OF_OWNER}{}", for_update(self.backend()));
        sql::row(&self.tx, &sql, iter::once(id.0.into()).chain(of_owner(owner))).await
    }

    /// Notes that a cluster's intent has changed, so that reconciling looks at it.
    pub async fn cluster_touch(&self, id: ClusterId) -> Result<()> {
        let sql = "UPDATE clusters SET generation = generation + 1, updated_at = ? WHERE id = ?";
        sql::execute(&self.tx, sql, [Timestamp::now().0.into(), id.0.into()]).await?;
        Ok(())
    }

    /// Marks a cluster for deletion.
    pub async fn cluster_delete(&self, id: ClusterId) -> Result<()> {
        sql::execute(&self.tx, "UPDATE clusters SET deleting_at = ? WHERE id = ?", [Timestamp::now().0.into(), id.0.into()]).await?;
        self.cluster_touch(id).await
    }

    /// How many clusters a user has, deleting ones included.
    pub async fn cluster_count(&self, owner: UserId) -> Result<i64> {
        let count = sql::scalar(&self.tx, "SELECT COUNT(*) FROM clusters WHERE owner_id = ?", [owner.0.into()]).await?;
        Ok(count.unwrap_or_default())
    }

    async fn names_taken(&self, owner: UserId, name: &ClusterName, member: MemberId, namespace: &str) -> Result<Taken> {
        let sql = "SELECT (SELECT COUNT(*) FROM clusters WHERE owner_id = ? AND name = ?) AS same_name, \
                   (SELECT COUNT(*) FROM clusters WHERE member_id = ? AND namespace = ?) AS same_namespace";
        let values = [owner.0.into(), name.as_str().into(), member.0.into(), namespace.into()];
        sql::row(&self.tx, sql, values).await?.ok_or_else(|| Error::internal("a SELECT of two counts has no row"))
    }
}

/// How many others have a new cluster's names.
#[derive(FromQueryResult)]
struct Taken {
    /// Clusters of its owner.
    same_name: i64,
    /// Clusters of its member.
    same_namespace: i64,
}

/// The part of a locked cluster that decisions are made on.
#[derive(Debug, Clone)]
pub struct ClusterIntentRow {
    /// Whose it is.
    pub owner: UserId,
    /// The tenant's name for it.
    pub name: ClusterName,
    /// CPU of each instance.
    pub cpu: MilliCpu,
    /// Memory of each instance.
    pub memory: Bytes,
    /// Persistent disk of each instance, if it has one.
    pub disk: Option<Bytes>,
    /// On its way out.
    pub deleting: bool,
}

impl FromQueryResult for ClusterIntentRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            owner: UserId(row.try_get(prefix, "owner_id")?),
            name: cluster_name(row, prefix, "name")?,
            cpu: MilliCpu(row.try_get(prefix, "cpu_milli")?),
            memory: Bytes(row.try_get(prefix, "memory_bytes")?),
            disk: row.try_get::<Option<i64>>(prefix, "disk_bytes")?.map(Bytes),
            deleting: row.try_get::<Option<i64>>(prefix, "deleting_at")?.is_some(),
        })
    }
}
