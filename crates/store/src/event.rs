//! The outbox: events in the order in which they are given out, and how long they are kept.

use types::{Result, Timestamp};

use crate::{Lease, Observations, Tx, sql};

/// Rows that get their numbers in one transaction.
const AT_ONCE: u64 = 1_000;

impl Observations {
    /// Gives new events their sequence numbers, and says how many there were. Only under the lease of the outbox: ids are taken in
    /// another order than they are committed in, so a reader that went by them would miss some; numbers of one giver go up.
    pub async fn events_sequence(&self, lease: &Lease) -> Result<usize> {
        self.under(lease, |tx| async move { tx.sequence().await }).await
    }

    /// Forgets events and audit entries from before these moments, and answers to requests that are remembered no longer.
    pub async fn forget(&self, lease: &Lease, events_before: Timestamp, audit_before: Timestamp) -> Result<()> {
        self.under(lease, |tx| async move {
            // The last one stays: the numbers go on from it.
            let last: Option<Option<i64>> = sql::scalar(tx.connection().await?, "SELECT MAX(sequence) FROM outbox", []).await?;
            let values = [events_before.0.into(), last.flatten().unwrap_or_default().into()];
            sql::execute(tx.connection().await?, "DELETE FROM outbox WHERE at < ? AND sequence < ?", values).await?;
            sql::execute(tx.connection().await?, "DELETE FROM audit WHERE at < ?", [audit_before.0.into()]).await?;
            Ok(())
        })
        .await
    }
}

impl Tx {
    async fn sequence(&self) -> Result<usize> {
        let sql = "SELECT id FROM outbox WHERE sequence IS NULL ORDER BY id LIMIT ?";
        let ids: Vec<i64> = sql::scalars(self.connection().await?, sql, [sql::at_most(AT_ONCE)]).await?;
        if ids.is_empty() {
            return Ok(0);
        }
        let last: Option<Option<i64>> = sql::scalar(self.connection().await?, "SELECT MAX(sequence) FROM outbox", []).await?;
        let mut next = last.flatten().unwrap_or_default();
        for id in &ids {
            next += 1;
            sql::execute(self.connection().await?, "UPDATE outbox SET sequence = ? WHERE id = ?", [next.into(), (*id).into()]).await?;
        }
        Ok(ids.len())
    }
}
