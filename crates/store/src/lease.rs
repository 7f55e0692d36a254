//! Which replica reconciles a member: a row with an epoch that fences every write of status.
//!
//! Time is the database's, so that replicas with different clocks agree on when a lease ended.

use std::{iter, time::Duration};

use sea_orm::{FromQueryResult, Value};
use types::{Error, MemberId, Result};

use crate::{
    Store, Tx,
    dialect::{clock, for_share},
    sql,
};

/// A lease that was held when it was last looked at.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Of which member.
    pub member: MemberId,
    /// Grows with each change of holder.
    pub epoch: i64,
    holder: String,
}

/// Who has a lease, as its row says.
#[derive(FromQueryResult)]
struct Holding {
    epoch: i64,
    holder: String,
}

impl Store {
    /// Takes the lease if it is free, expired, or `holder`'s already. `None`: somebody else has it.
    pub async fn lease_acquire(&self, member: MemberId, holder: &str, ttl: Duration) -> Result<Option<Lease>> {
        let clock = clock(self.backend());
        let ttl = micros(ttl);
        let lease = |epoch| Lease { member, epoch, holder: holder.to_owned() };
        if self.lease_holding(member).await?.is_none() {
            let insert = format!("INSERT INTO leases (member_id, holder, epoch, expires_at) VALUES (?, ?, 1, {clock} + ?)");
            let inserted = sql::execute_unless_taken(self.writer(), &insert, [member.0.into(), holder.into(), ttl.into()]).await?;
            return Ok(inserted.map(|_| lease(1)));
        }
        let take = format!(
            "UPDATE leases SET epoch = epoch + 1, holder = ?, expires_at = {clock} + ? WHERE member_id = ? AND (expires_at < {clock} OR holder = ?)"
        );
        let taken = sql::execute(self.writer(), &take, [holder.into(), ttl.into(), member.0.into(), holder.into()]).await? == 1;
        if !taken {
            return Ok(None);
        }
        // Between the two statements another replica can only take it if the new expiry passed: then the epoch differs and every write is fenced.
        let now = self.lease_holding(member).await?;
        Ok(now.filter(|now| now.holder == holder).map(|now| lease(now.epoch)))
    }

    /// Extends a lease. `false`: it is lost.
    pub async fn lease_renew(&self, lease: &Lease, ttl: Duration) -> Result<bool> {
        let clock = clock(self.backend());
        let sql = format!("UPDATE leases SET expires_at = {clock} + ? WHERE member_id = ? AND epoch = ? AND holder = ?");
        let values = iter::once(micros(ttl).into()).chain(lease.key());
        Ok(sql::execute(self.writer(), &sql, values).await? == 1)
    }

    /// Lets go of a lease, so that another replica need not wait for its end.
    pub async fn lease_release(&self, lease: &Lease) -> Result<()> {
        let sql = "UPDATE leases SET expires_at = 0 WHERE member_id = ? AND epoch = ? AND holder = ?";
        sql::execute(self.writer(), sql, lease.key()).await?;
        Ok(())
    }

    /// A transaction that fails unless `lease` is still the current one.
    pub(crate) async fn begin_fenced(&self, lease: &Lease) -> Result<Tx> {
        let tx = self.begin().await?;
        let sql = format!("SELECT epoch FROM leases WHERE member_id = ? AND epoch = ? AND holder = ?{}", for_share(tx.backend()));
        let current: Option<i64> = sql::scalar(&tx.tx, &sql, lease.key()).await?;
        if current.is_none() {
            return Err(Error::Unavailable { message: "another replica has taken this member over".into(), retry_after_seconds: 1 });
        }
        Ok(tx)
    }

    async fn lease_holding(&self, member: MemberId) -> Result<Option<Holding>> {
        sql::row(self.writer(), "SELECT epoch, holder FROM leases WHERE member_id = ?", [member.0.into()]).await
    }
}

impl Lease {
    /// Values for `member_id = ? AND epoch = ? AND holder = ?`.
    fn key(&self) -> [Value; 3] {
        [self.member.0.into(), self.epoch.into(), self.holder.as_str().into()]
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
