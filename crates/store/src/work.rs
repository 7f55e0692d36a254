//! What is due: a row for each subject whose intent was not carried out yet.
//!
//! Written in the transaction that changes the intent, dropped in the one that writes down that it was carried out; so the
//! poll for lost wakes reads what is due and nothing else, for all members at once.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{MemberId, Result, Subject};

use crate::{Observations, Tx, Woken, dialect::upsert, sql};

struct Due(MemberId, Option<Subject>);

impl FromQueryResult for Due {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let kind: String = row.try_get(prefix, "subject_kind")?;
        Ok(Self(MemberId(row.try_get(prefix, "member_id")?), Subject::of(&kind, row.try_get(prefix, "subject_id")?)))
    }
}

impl Observations {
    /// What is due on all members: whoever holds one takes its own. Kinds that a later version knows are left to it.
    pub async fn work_due(&self) -> Result<Vec<Woken>> {
        let due: Vec<Due> = sql::rows(self.pool().reader(), "SELECT member_id, subject_kind, subject_id FROM work ORDER BY id", []).await?;
        Ok(due.into_iter().filter_map(|Due(member, subject)| Some((member, subject?))).collect())
    }
}

impl Tx {
    /// Notes that a subject's intent is at `generation` now: it is due, and whoever reconciles it is woken after the commit.
    pub(crate) async fn work_add(&self, member: MemberId, subject: Subject, generation: i64) -> Result<()> {
        let sql = format!(
            "INSERT INTO work (member_id, subject_kind, subject_id, generation) VALUES (?, ?, ?, ?){}",
            upsert(self.backend(), "member_id, subject_kind, subject_id", "generation")
        );
        self.defer(sql, [member.0.into(), subject.kind().into(), subject.id().into(), generation.into()]).await?;
        self.wakes(member, subject);
        Ok(())
    }

    /// Notes that it was carried out up to `generation`; what is newer stays due.
    pub(crate) async fn work_done(&self, member: MemberId, subject: Subject, generation: i64) -> Result<()> {
        let sql = "DELETE FROM work WHERE member_id = ? AND subject_kind = ? AND subject_id = ? AND generation <= ?";
        self.defer(sql, [member.0.into(), subject.kind().into(), subject.id().into(), generation.into()]).await?;
        Ok(())
    }

    /// Notes that it is no more.
    pub(crate) async fn work_drop(&self, member: MemberId, subject: Subject) -> Result<()> {
        self.work_done(member, subject, i64::MAX).await
    }
}
