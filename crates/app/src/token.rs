//! Bearer tokens: rotation, the first admin's, and the one that `dev` needs.

use rand::{Rng, distr::Alphanumeric};
use store::{AuditEntry, NewUser, Usage};
use types::{Bytes, Error, MilliCpu, Result, Role, Secret, UserId};
use wire::user::{NewToken, RotateToken};

use crate::{App, Caller, audit::user_target, find::user_not_found, validate::Fields};

/// Characters of a token made here: 238 bits of chance.
const TOKEN_LENGTH: usize = 40;

/// The first admin, as `serve` makes it.
#[derive(Debug)]
pub enum Bootstrap {
    /// There is an admin already.
    Present,
    /// One was created. The token was made here and exists nowhere else.
    Created(Secret),
    /// One was created with the token that was given.
    CreatedWithGiven,
}

impl App {
    /// Gives a user a new token; the former one is worth nothing from then on. Admins, and users for themselves.
    pub async fn token_rotate(&self, caller: &Caller, id: UserId, request: RotateToken) -> Result<NewToken> {
        if !caller.is_admin() && caller.user.id != id {
            return Err(user_not_found());
        }
        let mut fields = Fields::default();
        let given = request.token.map(|token| fields.token("token", token));
        fields.finish()?;
        let token = given.flatten().unwrap_or_else(random_token);
        let tx = self.store.begin().await?;
        tx.owner_lock(id).await?.ok_or_else(user_not_found)?;
        if !tx.token_replace(id, &store::digest(&token)).await? {
            return Err(token_taken());
        }
        tx.audit(AuditEntry { actor: caller.user.id, action: "user.token", target: user_target(id), detail: None }).await?;
        tx.commit().await?;
        Ok(NewToken { token: token.expose().to_owned() })
    }

    /// Makes sure that there is an admin: on the first start one named `admin`, with `given` or a random token.
    pub async fn bootstrap(&self, given: Option<Secret>) -> Result<Bootstrap> {
        if self.store.first_admin().await?.is_some() {
            return Ok(Bootstrap::Present);
        }
        let (token, generated) = match given {
            Some(given) => {
                let mut fields = Fields::default();
                let token = fields.token("KUBEKCLOUD_BOOTSTRAP_TOKEN", given.expose().to_owned());
                (fields.finish_with(token)?, false)
            }
            None => (random_token(), true),
        };
        let tx = self.store.begin().await?;
        let quota = Usage { cpu: MilliCpu(1_000_000), memory: Bytes(4000 << 30), storage: Bytes(10_000 << 30) };
        let new = NewUser { username: "admin".into(), role: Role::Admin, quota };
        // The other replica may have been first: then its token is the one.
        let Some(user) = tx.user_insert(new).await? else { return Ok(Bootstrap::Present) };
        if !tx.token_replace(user.id, &store::digest(&token)).await? {
            return Err(token_taken());
        }
        tx.audit(AuditEntry { actor: user.id, action: "user.bootstrap", target: user_target(user.id), detail: None }).await?;
        tx.commit().await?;
        Ok(if generated { Bootstrap::Created(token) } else { Bootstrap::CreatedWithGiven })
    }

    /// Gives the first admin a new token, without anybody's credential: for `dev`, whose data directory is the credential.
    pub async fn admin_token_reset(&self) -> Result<Secret> {
        let admin = self.store.first_admin().await?.ok_or_else(user_not_found)?;
        let token = random_token();
        let tx = self.store.begin().await?;
        tx.token_replace(admin.id, &store::digest(&token)).await?;
        tx.audit(AuditEntry { actor: admin.id, action: "user.token", target: user_target(admin.id), detail: Some("reset by dev".into()) }).await?;
        tx.commit().await?;
        Ok(token)
    }
}

pub(crate) fn random_token() -> Secret {
    Secret::new(rand::rng().sample_iter(Alphanumeric).map(char::from).take(TOKEN_LENGTH).collect::<String>())
}

/// Also says that a token exists; that is the price of tokens chosen by users, and why 40 random characters are better.
pub(crate) fn token_taken() -> Error {
    Error::field("token", "cannot be used; choose another, or leave it out and one is made")
}
