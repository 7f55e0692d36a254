//! Bearer tokens: kept as digests, found by digest.

use sha2::{Digest, Sha256};
use types::{Result, Secret, Timestamp, UserId};

use crate::{Store, Tx, UserRow, sql};

/// What is stored of a token: SHA-256, in hex.
pub fn digest(token: &Secret) -> String {
    Sha256::digest(token.expose().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Store {
    /// The enabled or disabled user whose token has this digest.
    pub async fn user_by_digest(&self, digest: &str) -> Result<Option<UserRow>> {
        let sql = "SELECT u.* FROM credentials c JOIN users u ON u.id = c.user_id WHERE c.digest = ?";
        sql::row(self.reader(), sql, [digest.into()]).await
    }
}

impl Tx {
    /// Gives `user` one token in place of all earlier ones. `false`: somebody has this token already.
    pub async fn token_replace(&self, user: UserId, digest: &str) -> Result<bool> {
        sql::execute(&self.tx, "DELETE FROM credentials WHERE user_id = ?", [user.0.into()]).await?;
        let sql = "INSERT INTO credentials (user_id, digest, created_at) VALUES (?, ?, ?)";
        let values = [user.0.into(), digest.into(), Timestamp::now().0.into()];
        Ok(sql::execute_unless_taken(&self.tx, sql, values).await?.is_some())
    }
}
