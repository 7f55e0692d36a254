//! Which replica reconciles a member: a row with an epoch that fences every write of status.
//!
//! Time is the database's, so that replicas with different clocks agree on when a lease ended.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Value};
use types::{Error, MemberId, Result};

use crate::{
    Store, Tx,
    error::{db, is_duplicate},
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

impl Store {
    /// Takes the lease if it is free, expired, or `holder`'s already. `None`: somebody else has it.
    pub async fn lease_acquire(&self, member: MemberId, holder: &str, ttl: Duration) -> Result<Option<Lease>> {
        let clock = self.clock();
        let ttl = micros(ttl);
        let insert = format!("INSERT INTO leases (member_id, holder, epoch, expires_at) VALUES (?, ?, 1, {clock} + ?)");
        let lease = |epoch| Lease { member, epoch, holder: holder.to_owned() };
        if self.lease_row(member).await?.is_none() {
            return match self.writer().execute_raw(self.sql(&insert, [member.0.into(), holder.into(), ttl.into()])).await {
                Ok(_) => Ok(Some(lease(1))),
                Err(e) if is_duplicate(&e) => Ok(None),
                Err(e) => Err(db(e)),
            };
        }
        let take = format!(
            "UPDATE leases SET epoch = epoch + 1, holder = ?, expires_at = {clock} + ? WHERE member_id = ? AND (expires_at < {clock} OR holder = ?)"
        );
        let values: [Value; 4] = [holder.into(), ttl.into(), member.0.into(), holder.into()];
        let taken = self.writer().execute_raw(self.sql(&take, values)).await.map_err(db)?.rows_affected() == 1;
        if !taken {
            return Ok(None);
        }
        // Between the two statements another replica can only take it if the new expiry passed: then the epoch differs and every write is fenced.
        let row = self.lease_row(member).await?;
        Ok(row.filter(|(_, owner)| owner == holder).map(|(epoch, _)| lease(epoch)))
    }

    /// Extends a lease. `false`: it is lost.
    pub async fn lease_renew(&self, lease: &Lease, ttl: Duration) -> Result<bool> {
        let sql = format!("UPDATE leases SET expires_at = {} + ? WHERE member_id = ? AND epoch = ? AND holder = ?", self.clock());
        let values: [Value; 4] = [micros(ttl).into(), lease.member.0.into(), lease.epoch.into(), lease.holder.as_str().into()];
        Ok(self.writer().execute_raw(self.sql(&sql, values)).await.map_err(db)?.rows_affected() == 1)
    }

    /// Lets go of a lease, so that another replica need not wait for its end.
    pub async fn lease_release(&self, lease: &Lease) -> Result<()> {
        let sql = "UPDATE leases SET expires_at = 0 WHERE member_id = ? AND epoch = ? AND holder = ?";
        let values: [Value; 3] = [lease.member.0.into(), lease.epoch.into(), lease.holder.as_str().into()];
        self.writer().execute_raw(self.sql(sql, values)).await.map_err(db)?;
        Ok(())
    }

    /// A transaction that fails unless `lease` is still the current one.
    pub(crate) async fn begin_fenced(&self, lease: &Lease) -> Result<Tx> {
        let tx = self.begin().await?;
        let sql = format!("SELECT epoch FROM leases WHERE member_id = ? AND epoch = ? AND holder = ?{}", tx.for_share());
        let values: [Value; 3] = [lease.member.0.into(), lease.epoch.into(), lease.holder.as_str().into()];
        if tx.tx.query_one_raw(tx.sql(&sql, values)).await.map_err(db)?.is_none() {
            return Err(Error::Unavailable { message: "another replica has taken this member over".into(), retry_after_seconds: 1 });
        }
        Ok(tx)
    }

    async fn lease_row(&self, member: MemberId) -> Result<Option<(i64, String)>> {
        let statement = self.sql("SELECT epoch, holder FROM leases WHERE member_id = ?", [member.0.into()]);
        let row = self.writer().query_one_raw(statement).await.map_err(db)?;
        row.map(|row| Ok((row.try_get("", "epoch").map_err(db)?, row.try_get("", "holder").map_err(db)?))).transpose()
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
