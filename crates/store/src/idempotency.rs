//! Creates that may be sent twice: the second answers as the first did.

use sea_orm::FromQueryResult;
use types::{Result, Subject, Timestamp, UserId};

use crate::{Tx, sql};

/// An earlier request with the same key.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Remembered {
    /// Digest of its body.
    pub request_digest: String,
    resource_kind: String,
    resource_id: i64,
}

impl Remembered {
    /// What it created; `None`: something of another kind.
    pub fn subject(&self) -> Option<Subject> {
        Subject::of(&self.resource_kind, self.resource_id)
    }
}

/// How long a key is remembered: a day, in microseconds.
const LIFETIME: i64 = 24 * 3600 * 1_000_000;

impl Tx {
    /// What was created with `key` before. Call after [`Tx::owner_lock`]: a request in flight is waited for there.
    pub async fn remembered(&self, owner: UserId, key: &str) -> Result<Option<Remembered>> {
        let sql = "SELECT request_digest, resource_kind, resource_id FROM idempotency WHERE owner_id = ? AND idempotency_key = ? AND created_at > ?";
        sql::row(self.connection().await?, sql, [owner.0.into(), key.into(), (Timestamp::now().0 - LIFETIME).into()]).await
    }

    /// Remembers `key`, and forgets this owner's old ones.
    pub async fn remember(&self, owner: UserId, key: &str, request_digest: &str, created: Subject) -> Result<()> {
        let now = Timestamp::now().0;
        let old = [owner.0.into(), (now - LIFETIME).into()];
        self.defer("DELETE FROM idempotency WHERE owner_id = ? AND created_at <= ?", old).await?;
        self.defer(
            "INSERT INTO idempotency (owner_id, idempotency_key, request_digest, resource_kind, resource_id, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            [owner.0.into(), key.into(), request_digest.into(), created.kind().into(), created.id().into(), now.into()],
        )
        .await?;
        Ok(())
    }
}
