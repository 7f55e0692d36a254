//! Clusters as their owners see them. Every query names the owner: somebody else's cluster is not found.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
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

/// How many instances of a cluster are in which state.
#[derive(FromQueryResult)]
struct StatusCount {
    cluster_id: i64,
    status: String,
    instances: i64,
}

impl ClusterRow {
    fn new(row: cluster::Model, counts: &[StatusCount]) -> Result<Self> {
        let mine = || counts.iter().filter(|count| count.cluster_id == row.id);
        let status = ClusterStatus::of(row.deleting_at.is_some(), mine().filter_map(|count| InstanceStatus::parse(&count.status)));
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
            instance_count: mine().map(|count| count.instances).sum(),
            status,
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

/// Rows of `owner`, or everybody's for an admin (`None`).
fn scope(owner: Option<UserId>) -> Condition {
    owner.map_or_else(Condition::all, |owner| Condition::all().add(cluster::Column::OwnerId.eq(owner.0)))
}

impl Store {
    /// A cluster of `owner` (or of anybody, for an admin: `None`).
    pub async fn cluster(&self, owner: Option<UserId>, id: ClusterId) -> Result<Option<ClusterRow>> {
        let Some(row) = cluster::Entity::find_by_id(id.0).filter(scope(owner)).one(self.reader()).await.map_err(db)? else {
            return Ok(None);
        };
        let counts = self.status_counts(&[row.id]).await?;
        ClusterRow::new(row, &counts).map(Some)
    }

    /// Clusters behind `after`, by id.
    pub async fn clusters(&self, owner: Option<UserId>, after: i64, limit: u64) -> Result<Vec<ClusterRow>> {
        let rows = cluster::Entity::find()
            .filter(scope(owner))
            .filter(cluster::Column::Id.gt(after))
            .order_by_asc(cluster::Column::Id)
            .limit(limit)
            .all(self.reader())
            .await
            .map_err(db)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let counts = self.status_counts(&ids).await?;
        rows.into_iter().map(|row| ClusterRow::new(row, &counts)).collect()
    }

    async fn status_counts(&self, clusters: &[i64]) -> Result<Vec<StatusCount>> {
        if clusters.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT cluster_id, status, COUNT(*) AS instances FROM instances WHERE deleting = ? AND cluster_id IN ({}) GROUP BY cluster_id, status",
            vec!["?"; clusters.len()].join(", ")
        );
        let values = std::iter::once(false.into()).chain(clusters.iter().map(|id| (*id).into()));
        let rows = self.reader().query_all_raw(self.sql(&sql, values)).await.map_err(db)?;
        rows.iter().map(|row| StatusCount::from_query_result(row, "").map_err(db)).collect()
    }
}

impl Tx {
    /// Adds a cluster without instances.
    pub async fn cluster_insert(&self, new: NewCluster) -> Result<Inserted> {
        let NewCluster { owner, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init } = new;
        let same_name = cluster::Entity::find()
            .filter(cluster::Column::OwnerId.eq(owner.0))
            .filter(cluster::Column::Name.eq(name.as_str()))
            .select_only()
            .column(cluster::Column::Id)
            .into_tuple::<i64>()
            .one(&self.tx)
            .await
            .map_err(db)?;
        if same_name.is_some() {
            return Ok(Inserted::NameTaken);
        }
        let now = Timestamp::now().0;
        let row = cluster::ActiveModel {
            id: NotSet,
            owner_id: Set(owner.0),
            member_id: Set(member.0),
            namespace: Set(self.free_namespace(member, &name).await?),
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

    pub(crate) async fn free_namespace(&self, member: MemberId, name: &ClusterName) -> Result<String> {
        let plain = name.namespace();
        let taken =
            self.tx.query_one_raw(self.sql("SELECT 1 FROM clusters WHERE member_id = ? AND namespace = ?", [member.0.into(), plain.as_str().into()]));
        Ok(if taken.await.map_err(db)?.is_some() { name.namespace_with(&random_word(6)) } else { plain })
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
