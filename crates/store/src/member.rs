//! Members of the fleet: where tenants' things live.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{MemberId, Result, Step, Timestamp, UserId};

use crate::{Lease, Observations, Tx, sql};

/// A member as reconciling knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// Row id.
    pub id: MemberId,
    /// Its name, unique to its owner.
    pub name: String,
    /// Grows with each new credential: a client made from an older one is replaced.
    pub credential_version: i64,
    /// It is to leave the fleet.
    pub deleting: bool,
}

impl FromQueryResult for MemberRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: MemberId(row.try_get(prefix, "id")?),
            name: row.try_get(prefix, "name")?,
            credential_version: row.try_get(prefix, "credential_version")?,
            deleting: row.try_get::<Option<i64>>(prefix, "deleting_at")?.is_some(),
        })
    }
}

/// Whether a member answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It does.
    Reachable,
    /// It does not, or what it says is not followed; with a word and a sentence for it.
    Unreachable {
        /// A word.
        reason: String,
        /// A sentence.
        message: String,
    },
}

impl Tx {
    /// Adds a member of `owner`'s, without a credential. `None`: they have one of that name.
    pub async fn member_insert(&self, owner: UserId, name: &str) -> Result<Option<MemberId>> {
        let now = Timestamp::now().0;
        let id = sql::insert_unless_taken(
            self.connection().await?,
            "INSERT INTO members (owner_id, name, kind, shared, credential_version, generation, created_at, updated_at, observed_generation) \
             VALUES (?, ?, 'onboarded', ?, 0, 1, ?, ?, 0)",
            [owner.0.into(), name.into(), false.into(), now.into(), now.into()],
        )
        .await?;
        Ok(id.map(MemberId))
    }

    /// Removes a member that nothing stands on.
    pub async fn member_delete(&self, id: MemberId) -> Result<()> {
        sql::execute(self.connection().await?, "DELETE FROM work WHERE member_id = ?", [id.0.into()]).await?;
        sql::execute(self.connection().await?, "DELETE FROM members WHERE id = ?", [id.0.into()]).await?;
        Ok(())
    }
}

impl Observations {
    /// All members.
    pub async fn members(&self) -> Result<Vec<MemberRow>> {
        sql::rows(self.pool().reader(), "SELECT id, name, credential_version, deleting_at FROM members ORDER BY id", []).await
    }

    /// Writes down whether the lease's member answers. Since when stays as it is while that does not change.
    pub async fn member_reach(&self, lease: &Lease, reach: &Reach) -> Result<()> {
        self.fenced(lease, Step::StatusWrite, |tx, member| async move {
            let now = Timestamp::now().0;
            let (up, down, reason, message) = match reach {
                Reach::Reachable => (Some(now), None, None, None),
                Reach::Unreachable { reason, message } => (None, Some(now), Some(reason.as_str()), Some(message.as_str())),
            };
            // Assigned from what is assigned only, so that no database's order of assignments matters.
            let sql = "UPDATE members SET reachable_since = CASE WHEN ? = 1 THEN COALESCE(reachable_since, ?) END, \
                       unreachable_since = CASE WHEN ? = 1 THEN COALESCE(unreachable_since, ?) END, reason = ?, message = ? WHERE id = ?";
            let (is_up, is_down) = (i64::from(up.is_some()), i64::from(down.is_some()));
            let (reason, message) = (sql::storable(reason, 250), sql::storable(message, 4000));
            let values = [is_up.into(), up.into(), is_down.into(), down.into(), reason.into(), message.into(), member.0.into()];
            sql::execute(tx.connection().await?, sql, values).await?;
            Ok(())
        })
        .await
    }
}
