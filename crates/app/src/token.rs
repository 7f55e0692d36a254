//! Bearer tokens: rotation, the first admin's, and the one that `dev` needs.

use rand::{Rng, distr::Alphanumeric};
use store::{By, Fact, NewUser, Usage};
use types::{Bytes, Error, MilliCpu, Result, Role, Secret, UserId};
use wire::user::{NewToken, RotateToken};

use crate::{Action, App, Caller, action::Permit, find::user_not_found, validate::Fields};

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
        let permit = caller.may(Action::UserRotateToken)?;
        if !caller.is_admin() && caller.user.id != id {
            return Err(user_not_found());
        }
        let mut fields = Fields::default();
        let given = request.token.map(|token| fields.token("token", token, self.policy.token_min));
        fields.finish()?;
        let token = given.flatten().unwrap_or_else(random_token);
        let digest = &self.token_key.digest(&token);
        self.transact(&permit, Some(id), |tx| async move {
            tx.owner_lock(id).await?.ok_or_else(user_not_found)?;
            if !tx.token_replace(id, digest).await? {
                return Err(token_taken());
            }
            tx.record(&caller.by, Fact::TokenReplaced { user: id, how: None }).await
        })
        .await?;
        Ok(NewToken { token: token.expose().to_owned() })
    }

    /// Makes sure that there is an admin: on the first start one named `admin`, with `given` or a random token.
    pub async fn bootstrap(&self, given: Option<Secret>) -> Result<Bootstrap> {
        let given = match given {
            Some(given) => {
                // Also where there is an admin already: a weak one is not to stand in any configuration.
                let mut fields = Fields::default();
                let token = fields.token("KUBEKCLOUD_BOOTSTRAP_TOKEN", given.expose().to_owned(), self.policy.token_min);
                Some(fields.finish_with(token)?)
            }
            None => None,
        };
        if self.intents.first_admin().await?.is_some() {
            return Ok(Bootstrap::Present);
        }
        let generated = given.is_none();
        let token = given.unwrap_or_else(random_token);
        let digest = &self.token_key.digest(&token);
        let quota = Usage { cpu: MilliCpu(1_000_000), memory: Bytes(4000 << 30), storage: Bytes(10_000 << 30), clusters: 20_000, instances: 200_000 };
        let new = &NewUser { username: "admin".into(), role: Role::Admin, quota, quota_virtual_clusters: 1_000 };
        let created = self
            .transact(&Permit::of_the_process(), None, |tx| async move {
                // The other replica may have been first: then its token is the one.
                let Some(user) = tx.user_insert(new).await? else { return Ok(false) };
                if !tx.token_replace(user.id, digest).await? {
                    return Err(token_taken());
                }
                tx.record(&By { actor: Some(user.id), ..By::default() }, Fact::AdminBootstrapped { user: user.id }).await?;
                Ok(true)
            })
            .await?;
        Ok(match (created, generated) {
            (false, _) => Bootstrap::Present,
            (true, true) => Bootstrap::Created(token),
            (true, false) => Bootstrap::CreatedWithGiven,
        })
    }

    /// Gives the first admin a new token, without anybody's credential: for `dev`, whose data directory is the credential.
    pub async fn admin_token_reset(&self) -> Result<Secret> {
        let admin = self.intents.first_admin().await?.ok_or_else(user_not_found)?.id;
        let token = random_token();
        let digest = &self.token_key.digest(&token);
        self.transact(&Permit::of_the_process(), Some(admin), |tx| async move {
            tx.token_replace(admin, digest).await?;
            tx.record(&By { actor: Some(admin), ..By::default() }, Fact::TokenReplaced { user: admin, how: Some("reset by dev") }).await
        })
        .await?;
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
