//! Bearer tokens: kept as digests, found by digest.

use sea_orm::{ConnectionTrait, FromQueryResult};
use sha2::{Digest, Sha256};
use types::{Result, Secret, Timestamp, UserId};

use crate::{Store, Tx, UserRow, error::db, user};

/// What is stored of a token: SHA-256, in hex.
pub fn digest(token: &Secret) -> String {
    Sha256::digest(token.expose().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// The enabled or disabled user whose token has this digest.
    pub async fn user_by_digest(&self, digest: &str) -> Result<Option<UserRow>> {
        let statement = self.sql("SELECT u.* FROM credentials c JOIN users u ON u.id = c.user_id WHERE c.digest = ?", [digest.into()]);
        let row = self.reader().query_one_raw(statement).await.map_err(db)?;
        row.map(|row| user::Model::from_query_result(&row, "").map_err(db).and_then(UserRow::try_from)).transpose()
    }
}

impl Tx {
    /// Gives `user` one token in place of all earlier ones. `false`: somebody has this token already.
    pub async fn token_replace(&self, user: UserId, digest: &str) -> Result<bool> {
        self.execute("DELETE FROM credentials WHERE user_id = ?", [user.0.into()]).await?;
        let statement = self
            .sql("INSERT INTO credentials (user_id, digest, created_at) VALUES (?, ?, ?)", [user.0.into(), digest.into(), Timestamp::now().0.into()]);
        match self.tx.execute_raw(statement).await {
            Ok(_) => Ok(true),
            Err(e) if crate::error::is_duplicate(&e) => Ok(false),
            Err(e) => Err(db(e)),
        }
    }
}
