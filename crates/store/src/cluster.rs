//! Clusters as their owners see them. Every query names the owner: somebody else's cluster is not found.

use std::iter;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ConnectionTrait, EntityTrait, FromQueryResult, Value,
};
use types::{Bytes, ClusterId, ClusterName, ClusterStatus, Error, InstanceStatus, InstanceType, MemberId, MilliCpu, Result, Timestamp, UserId};

use crate::{Store, Tx, entity::cluster, error::db, tx::random_word};

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
    /// Of each instance.
    pub cpu: MilliCpu,
    /// Of each instance.
    pub memory: Bytes,
    /// Of each instance.
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
    /// Of each instance.
    pub cpu: MilliCpu,
    /// Of each instance.
    pub memory: Bytes,
    /// Of each instance.
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

/// How many instances of a cluster are in which state; without any, one line without a state.
#[derive(FromQueryResult)]
struct StatusCount {
    instance_status: Option<String>,
    instances: i64,
}

impl ClusterRow {
    fn new(row: cluster::Model, counts: &[StatusCount]) -> Result<Self> {
        let statuses = counts.iter().filter_map(|count| InstanceStatus::parse(count.instance_status.as_deref()?));
        Ok(Self {
            id: ClusterId(row.id),
            owner: UserId(row.owner_id),
            member: MemberId(row.member_id),
            name: row.name,
            namespace: row.namespace,
            instance_type: parse_type(row.id, &row.instance_type)?,
            cpu: MilliCpu(row.cpu_milli),
            memory: Bytes(row.memory_bytes),
            disk: row.disk_bytes.map(Bytes),
            image: row.image,
            instance_count: counts.iter().map(|count| count.instances).sum(),
            status: ClusterStatus::of(row.deleting_at.is_some(), statuses),
            reason: row.reason,
            message: row.message,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        })
    }
}

pub(crate) fn parse_type(id: i64, word: &str) -> Result<InstanceType> {
    InstanceType::parse(word).ok_or_else(|| Error::internal(format_args!("cluster {id}: unknown instance type")))
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
        let values = iter::once(id.into()).chain(owner).chain([i64::try_from(limit).unwrap_or(i64::MAX).into(), false.into()]);
        let lines = self.reader().query_all_raw(self.sql(&sql, values)).await.map_err(db)?;
        let mut clusters: Vec<(cluster::Model, Vec<StatusCount>)> = Vec::new();
        for line in &lines {
            let count = StatusCount::from_query_result(line, "").map_err(db)?;
            let id: i64 = line.try_get("", "id").map_err(db)?;
            match clusters.last_mut().filter(|(row, _)| row.id == id) {
                Some((_, counts)) => counts.push(count),
                None => clusters.push((cluster::Model::from_query_result(line, "").map_err(db)?, vec![count])),
            }
        }
        clusters.into_iter().map(|(row, counts)| ClusterRow::new(row, &counts)).collect()
    }
}

impl Tx {
    /// Adds a cluster without instances.
    pub async fn cluster_insert(&self, new: NewCluster) -> Result<Inserted> {
        let NewCluster { owner, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init } = new;
        let plain = name.namespace();
        let [same_name, same_namespace] = self.names_taken(owner, &name, member, &plain).await?;
        if same_name {
            return Ok(Inserted::NameTaken);
        }
        let now = Timestamp::now().0;
        let row = cluster::ActiveModel {
            id: NotSet,
            owner_id: Set(owner.0),
            member_id: Set(member.0),
            namespace: Set(if same_namespace { name.namespace_with(&random_word(6)) } else { plain }),
            name: Set(name.as_str().to_owned()),
            namespace_uid: Set(None),
            claim: Set(random_word(20)),
            instance_type: Set(instance_type.as_str().to_owned()),
            cpu_milli: Set(cpu.0),
            memory_bytes: Set(memory.0),
            disk_bytes: Set(disk.map(|d| d.0)),
            image: Set(image),
            ssh_public_key: Set(ssh_public_key),
            cloud_init: Set(cloud_init),
            generation: Set(1),
            deleting_at: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            observed_generation: Set(0),
            reason: Set(None),
            message: Set(None),
        };
        match cluster::Entity::insert(row).exec(&self.tx).await {
            Ok(inserted) => Ok(Inserted::Id(ClusterId(inserted.last_insert_id))),
            Err(e) if crate::error::is_duplicate(&e) => Ok(Inserted::NamespaceTaken),
            Err(e) => Err(db(e)),
        }
    }

    /// Locks a cluster of `owner` for a change of its intent.
    pub async fn cluster_lock(&self, owner: Option<UserId>, id: ClusterId) -> Result<Option<ClusterIntentRow>> {
        // The owner is part of what is locked: waiting for somebody else's row would tell that it is there.
        let sql = format!("SELECT * FROM clusters WHERE id = ? AND (? = 0 OR owner_id = ?){}", self.for_update());
        let values = [id.0.into(), i64::from(owner.is_some()).into(), owner.map_or(0, |owner| owner.0).into()];
        let row = self.tx.query_one_raw(self.sql(&sql, values)).await.map_err(db)?;
        let row = row.map(|row| cluster::Model::from_query_result(&row, "").map_err(db)).transpose()?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ClusterIntentRow {
            owner: UserId(row.owner_id),
            name: ClusterName::parse(&row.name).map_err(Error::Internal)?,
            cpu: MilliCpu(row.cpu_milli),
            memory: Bytes(row.memory_bytes),
            disk: row.disk_bytes.map(Bytes),
            deleting: row.deleting_at.is_some(),
        }))
    }

    /// Notes that a cluster's intent has changed, so that reconciling looks at it.
    pub async fn cluster_touch(&self, id: ClusterId) -> Result<()> {
        self.execute("UPDATE clusters SET generation = generation + 1, updated_at = ? WHERE id = ?", [Timestamp::now().0.into(), id.0.into()])
            .await?;
        Ok(())
    }

    /// Marks a cluster for deletion.
    pub async fn cluster_delete(&self, id: ClusterId) -> Result<()> {
        self.execute("UPDATE clusters SET deleting_at = ? WHERE id = ?", [Timestamp::now().0.into(), id.0.into()]).await?;
        self.cluster_touch(id).await
    }

    /// How many clusters a user has, deleting ones included.
    pub async fn cluster_count(&self, owner: UserId) -> Result<i64> {
        let row = self.tx.query_one_raw(self.sql("SELECT COUNT(*) AS n FROM clusters WHERE owner_id = ?", [owner.0.into()])).await.map_err(db)?;
        row.map_or(Ok(0), |row| row.try_get("", "n").map_err(db))
    }

    /// Whether the owner has a cluster of this name, and whether the member has a namespace of that name for another.
    async fn names_taken(&self, owner: UserId, name: &ClusterName, member: MemberId, namespace: &str) -> Result<[bool; 2]> {
        let sql = "SELECT (SELECT COUNT(*) FROM clusters WHERE owner_id = ? AND name = ?) AS same_name, \
                   (SELECT COUNT(*) FROM clusters WHERE member_id = ? AND namespace = ?) AS same_namespace";
        let values = [owner.0.into(), name.as_str().into(), member.0.into(), namespace.into()];
        let row = self.tx.query_one_raw(self.sql(sql, values)).await.map_err(db)?;
        let row = row.ok_or_else(|| Error::internal("a SELECT of two counts has no row"))?;
        let taken = |column| row.try_get::<i64>("", column).map(|count| count > 0).map_err(db);
        Ok([taken("same_name")?, taken("same_namespace")?])
    }
}

/// The part of a locked cluster that decisions are made on.
#[derive(Debug, Clone)]
pub struct ClusterIntentRow {
    /// Whose it is.
    pub owner: UserId,
    /// The tenant's name for it.
    pub name: ClusterName,
    /// Of each instance.
    pub cpu: MilliCpu,
    /// Of each instance.
    pub memory: Bytes,
    /// Of each instance.
    pub disk: Option<Bytes>,
    /// On its way out.
    pub deleting: bool,
}
