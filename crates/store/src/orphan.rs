//! What was given up without being confirmed gone: a trace for whoever finds it later.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{ClusterId, MemberId, Result, Subject, Timestamp, UserId};

use crate::{Intents, Tx, sql};

/// Something that may still be there, and that nobody looks after.
#[derive(Debug, Clone)]
pub struct OrphanRow {
    /// Row id.
    pub id: i64,
    /// Since when.
    pub at: Timestamp,
    /// Who gave it up.
    pub actor: UserId,
    /// Where it may be.
    pub member: MemberId,
    /// Whose it was.
    pub owner: UserId,
    /// What it was called.
    pub name: String,
    /// Its namespace in the member.
    pub namespace: String,
}

impl FromQueryResult for OrphanRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.try_get(prefix, "id")?,
            at: Timestamp(row.try_get(prefix, "at")?),
            actor: UserId(row.try_get(prefix, "actor_id")?),
            member: MemberId(row.try_get(prefix, "member_id")?),
            owner: UserId(row.try_get(prefix, "owner_id")?),
            name: row.try_get(prefix, "name")?,
            namespace: row.try_get(prefix, "namespace")?,
        })
    }
}

impl Intents {
    /// Everything that was given up, oldest first.
    pub async fn orphans(&self) -> Result<Vec<OrphanRow>> {
        sql::rows(self.pool().reader(), "SELECT * FROM orphans ORDER BY id", []).await
    }
}

impl Tx {
    /// Drops a cluster, its instances and what they took, whatever is left of them, and leaves a record.
    pub async fn cluster_abandon(&self, id: ClusterId, actor: UserId) -> Result<()> {
        let record = "INSERT INTO orphans (at, actor_id, member_id, subject_kind, subject_id, owner_id, name, namespace, namespace_uid) \
                      SELECT ?, ?, member_id, 'cluster', id, owner_id, name, namespace, namespace_uid FROM clusters WHERE id = ?";
        sql::execute(self.connection().await?, record, [Timestamp::now().0.into(), actor.0.into(), id.0.into()]).await?;
        let member: Option<i64> = sql::scalar(self.connection().await?, "SELECT member_id FROM clusters WHERE id = ?", [id.0.into()]).await?;
        self.cluster_drop(id).await?;
        if let Some(member) = member {
            let subject = Subject::Cluster(id);
            self.work_drop(MemberId(member), subject).await?;
            self.wakes(MemberId(member), subject);
        }
        Ok(())
    }
}
