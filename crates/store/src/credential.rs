//! Bearer tokens: kept as keyed digests, found by digest.
//!
//! The key stands outside of the database where the operator gives one; then a stolen database says nothing about a token that
//! somebody chose. Otherwise it was made with the installation, so that `serve` needs nothing but a database.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use types::{Result, Secret, Timestamp, UserId};

use crate::{Intents, Tx, UserRow, sql};

/// The key of all digests.
#[derive(Debug, Clone)]
pub struct TokenKey(Secret);

/// What is stored of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDigest(String);

impl TokenKey {
    /// A key of any length.
    pub const fn new(key: Secret) -> Self {
        Self(key)
    }

    /// HMAC-SHA-256, in hex.
    pub fn digest(&self, token: &Secret) -> TokenDigest {
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.expose().as_bytes()) else { unreachable!("HMAC refused a key") };
        mac.update(token.expose().as_bytes());
        TokenDigest(mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The only kind of credential so far.
const TOKEN: &str = "token";

impl Intents {
    /// The enabled or disabled user whose token has this digest.
    pub async fn user_by_digest(&self, digest: &TokenDigest) -> Result<Option<UserRow>> {
        let sql = "SELECT u.* FROM credentials c JOIN users u ON u.id = c.user_id WHERE c.digest = ? AND c.kind = ?";
        sql::row(self.pool().reader(), sql, [digest.0.as_str().into(), TOKEN.into()]).await
    }
}

impl Tx {
    /// Gives `user` one token in place of the earlier one; credentials of other kinds stay. `false`: somebody has this token already.
    pub async fn token_replace(&self, user: UserId, digest: &TokenDigest) -> Result<bool> {
        self.defer("DELETE FROM credentials WHERE user_id = ? AND kind = ?", [user.0.into(), TOKEN.into()]).await?;
        let sql = "INSERT INTO credentials (user_id, kind, digest, created_at) VALUES (?, ?, ?, ?)";
        let values = [user.0.into(), TOKEN.into(), digest.0.as_str().into(), Timestamp::now().0.into()];
        Ok(sql::execute_unless_taken(self.connection().await?, sql, values).await?.is_some())
    }
}
