//! Clusters as their owners see them. Every query names the owner: somebody else's cluster is not found.

use std::iter;

use sea_orm::{DbErr, FromQueryResult, QueryResult, Value};
use types::{
    Bytes, ClusterId, ClusterName, ClusterStatus, Error, InstanceStatus, InstanceType, MemberId, MilliCpu, Result, Subject, Timestamp, UserId,
};

use crate::{
    Intents, Tx,
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
    /// The name of where it lives.
    pub member_name: String,
    /// Since when that place has not answered: what was seen last is as old.
    pub stale_since: Option<Timestamp>,
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
    /// Its namespace has a random part also where the plain name is free: a plain one tells that nobody else has a cluster of
    /// that name there.
    pub hides_names: bool,
}

/// What became of a cluster to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is there.
    Id(ClusterId),
    /// Its owner has one of that name.
    NameTaken,
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
            member_name: row.try_get("", "member_name")?,
            stale_since: row.try_get::<Option<i64>>("", "unreachable_since")?.map(Timestamp),
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

/// Whose rows a query may find. There is no default: whoever asks has to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// One owner's; others' are not found, as if they were not there.
    Of(UserId),
    /// Everybody's, for an admin.
    Everybodys,
}

/// A condition on clusters `c` that keeps to those of an owner, where there is one; its values are [`of_owner`]'s.
pub(crate) const OF_OWNER: &str = "(? = 0 OR c.owner_id = ?)";

pub(crate) fn of_owner(whose: Whose) -> [Value; 2] {
    match whose {
        Whose::Of(owner) => [1_i64.into(), owner.0.into()],
        Whose::Everybodys => [0_i64.into(), 0_i64.into()],
    }
}

impl Intents {
    /// A cluster.
    pub async fn cluster(&self, whose: Whose, id: ClusterId) -> Result<Option<ClusterRow>> {
        Ok(self.clusters_where("id = ?", id.0, whose, 1).await?.pop())
    }

    /// Clusters behind `after`, by id.
    pub async fn clusters(&self, whose: Whose, after: i64, limit: u64) -> Result<Vec<ClusterRow>> {
        self.clusters_where("id > ?", after, whose, limit).await
    }

    /// Clusters with the counts of their instances, in one query: a line for each cluster and state.
    async fn clusters_where(&self, condition: &str, id: i64, whose: Whose, limit: u64) -> Result<Vec<ClusterRow>> {
        let (of_owner, owner) = match whose {
            Whose::Of(owner) => (" AND owner_id = ?", Some(Value::from(owner.0))),
            Whose::Everybodys => ("", None),
        };
        let sql = format!(
            "SELECT c.*, m.name AS member_name, m.unreachable_since, n.instance_status, n.instances FROM (\
               SELECT p.id, i.status AS instance_status, COUNT(i.id) AS instances FROM (\
                 SELECT id FROM clusters WHERE {condition}{of_owner} ORDER BY id LIMIT ?) p \
               LEFT JOIN instances i ON i.cluster_id = p.id AND i.deleting = ? GROUP BY p.id, i.status) n \
             JOIN clusters c ON c.id = n.id JOIN members m ON m.id = c.member_id ORDER BY c.id"
        );
        let values = iter::once(id.into()).chain(owner).chain([sql::at_most(limit), false.into()]);
        let lines = sql::raw(self.pool().reader(), &sql, values).await?.into_iter();
        let lines: Result<Vec<_>, DbErr> = lines.map(|row| Ok((StatusCount::from_query_result(&row, "")?, row))).collect();
        let lines = lines.map_err(db)?;
        let clusters = lines.chunk_by(|(a, _), (b, _)| a.id == b.id).filter_map(|lines| Some(ClusterRow::read(&lines.first()?.1, lines)));
        clusters.map(|cluster| cluster.map_err(db)).collect()
    }
}

impl Tx {
    /// Adds a cluster without instances. [`Error::Contended`]: another owner took the namespace's name in this moment; the next
    /// run sees it.
    pub async fn cluster_insert(&self, new: &NewCluster) -> Result<Inserted> {
        let NewCluster { owner, member, name, instance_type, cpu, memory, disk, image, ssh_public_key, cloud_init, hides_names } = new;
        let plain = name.namespace();
        // Asked first: a refused INSERT would spoil the transaction on PostgreSQL.
        let taken = self.names_taken(*owner, name, *member, &plain).await?;
        if taken.same_name > 0 {
            return Ok(Inserted::NameTaken);
        }
        let namespace = if *hides_names || taken.same_namespace > 0 { name.namespace_with(&random_word(6)) } else { plain };
        let now = Timestamp::now().0;
        let id = sql::insert_unless_taken(
            self.connection().await?,
            "INSERT INTO clusters (owner_id, member_id, name, namespace, claim, instance_type, cpu_milli, memory_bytes, disk_bytes, \
             image, created_at, updated_at, generation, observed_generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0)",
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
                image.as_str().into(),
                now.into(),
                now.into(),
            ],
        )
        .await?;
        let id = ClusterId(id.ok_or(Error::Contended)?);
        if ssh_public_key.is_some() || cloud_init.is_some() {
            let sql = "INSERT INTO cluster_payloads (cluster_id, ssh_public_key, cloud_init) VALUES (?, ?, ?)";
            self.defer(sql, [id.0.into(), ssh_public_key.as_deref().into(), cloud_init.as_deref().into()]).await?;
        }
        self.work_add(*member, Subject::Cluster(id), 1).await?;
        Ok(Inserted::Id(id))
    }

    /// Locks a cluster for a change of its intent.
    pub async fn cluster_lock(&self, whose: Whose, id: ClusterId) -> Result<Option<ClusterIntentRow>> {
        // The owner is part of what is locked: waiting for somebody else's row would tell that it is there. MariaDB waits for the row before
        // it looks at its owner; what that could tell is a few milliseconds of somebody's transaction.
        let sql = format!("SELECT * FROM clusters c WHERE c.id = ? AND {OF_OWNER}{}", for_update(self.backend()));
        sql::row(self.connection().await?, &sql, iter::once(id.0.into()).chain(of_owner(whose))).await
    }

    /// Makes a changed intent of a locked cluster a new generation, which is due.
    pub async fn cluster_touch(&self, id: ClusterId, cluster: &ClusterIntentRow) -> Result<()> {
        let sql = "UPDATE clusters SET generation = generation + 1, updated_at = ? WHERE id = ?";
        self.defer(sql, [Timestamp::now().0.into(), id.0.into()]).await?;
        self.work_add(cluster.member, Subject::Cluster(id), cluster.generation + 1).await
    }

    /// Marks a locked cluster for deletion, and has it reconciled; also again, because what held the delete up may be gone.
    pub async fn cluster_delete(&self, id: ClusterId, cluster: &ClusterIntentRow) -> Result<()> {
        if cluster.deleting {
            self.wakes(cluster.member, Subject::Cluster(id));
            return Ok(());
        }
        let now = Timestamp::now().0;
        let sql = "UPDATE clusters SET deleting_at = ?, updated_at = ?, generation = generation + 1 WHERE id = ?";
        self.defer(sql, [now.into(), now.into(), id.0.into()]).await?;
        self.work_add(cluster.member, Subject::Cluster(id), cluster.generation + 1).await
    }

    /// Drops the rows of a cluster and of all that is in it.
    pub(crate) async fn cluster_drop(&self, id: ClusterId) -> Result<()> {
        for sql in [
            "DELETE FROM allocations WHERE cluster_id = ?",
            "DELETE FROM instances WHERE cluster_id = ?",
            "DELETE FROM cluster_payloads WHERE cluster_id = ?",
            "DELETE FROM clusters WHERE id = ?",
        ] {
            self.defer(sql, [id.0.into()]).await?;
        }
        Ok(())
    }

    /// How many clusters a user has.
    pub async fn cluster_count(&self, owner: UserId) -> Result<i64> {
        let count: Option<i64> = sql::scalar(self.connection().await?, "SELECT COUNT(*) FROM clusters WHERE owner_id = ?", [owner.0.into()]).await?;
        Ok(count.unwrap_or_default())
    }

    /// Whether there is such a cluster.
    pub async fn cluster_exists(&self, whose: Whose, id: ClusterId) -> Result<bool> {
        let sql = format!("SELECT c.id FROM clusters c WHERE c.id = ? AND {OF_OWNER}");
        let found: Option<i64> = sql::scalar(self.connection().await?, &sql, iter::once(id.0.into()).chain(of_owner(whose))).await?;
        Ok(found.is_some())
    }

    async fn names_taken(&self, owner: UserId, name: &ClusterName, member: MemberId, namespace: &str) -> Result<Taken> {
        let sql = "SELECT (SELECT COUNT(*) FROM clusters WHERE owner_id = ? AND name = ?) AS same_name, \
                   (SELECT COUNT(*) FROM clusters WHERE member_id = ? AND namespace = ?) AS same_namespace";
        let values = [owner.0.into(), name.as_str().into(), member.0.into(), namespace.into()];
        sql::row(self.connection().await?, sql, values).await?.ok_or_else(|| Error::internal("a SELECT of two counts has no row"))
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
    /// Where it lives.
    pub member: MemberId,
    /// Grows with each change of intent.
    pub generation: i64,
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
            member: MemberId(row.try_get(prefix, "member_id")?),
            generation: row.try_get(prefix, "generation")?,
            name: cluster_name(row, prefix, "name")?,
            cpu: MilliCpu(row.try_get(prefix, "cpu_milli")?),
            memory: Bytes(row.try_get(prefix, "memory_bytes")?),
            disk: row.try_get::<Option<i64>>(prefix, "disk_bytes")?.map(Bytes),
            deleting: row.try_get::<Option<i64>>(prefix, "deleting_at")?.is_some(),
        })
    }
}
