//! Creates that may be sent twice: the second answers as the first did.

use sea_orm::FromQueryResult;
use types::{ClusterId, Result, Timestamp, UserId};

use crate::{Tx, sql};

/// An earlier request with the same key.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Remembered {
    /// Digest of its body.
    pub request_digest: String,
    cluster_id: i64,
}

impl Remembered {
    /// What it created.
    pub const fn cluster(&self) -> ClusterId {
        ClusterId(self.cluster_id)
    }
}

/// How long a key is remembered: a day, in microseconds.
const LIFETIME: i64 = 24 * 3600 * 1_000_000;

impl Tx {
    /// What was created with `key` before. Call after [`Tx::owner_lock`]: a request in flight is waited for there.
    pub async fn remembered(&self, owner: UserId, key: &str) -> Result<Option<Remembered>> {
        let sql = "SELECT request_digest, cluster_id FROM idempotency WHERE owner_id = ? AND idempotency_key = ? AND created_at > ?";
        sql::row(&self.tx, sql, [owner.0.into(), key.into(), (Timestamp::now().0 - LIFETIME).into()]).await
    }

    /// Remembers `key`, and forgets this owner's old ones.
    pub async fn remember(&self, owner: UserId, key: &str, request_digest: &str, cluster: ClusterId) -> Result<()> {
        let now = Timestamp::now().0;
        let old = [owner.0.into(), (now - LIFETIME).into()];
        sql::execute(&self.tx, "DELETE FROM idempotency WHERE owner_id = ? AND created_at <= ?", old).await?;
        sql::execute(
            &self.tx,
            "INSERT INTO idempotency (owner_id, idempotency_key, request_digest, cluster_id, created_at) VALUES (?, ?, ?, ?, ?)",
            [owner.0.into(), key.into(), request_digest.into(), cluster.0.into(), now.into()],
        )
        .await?;
        Ok(())
    }
}
