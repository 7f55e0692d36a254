//! Who is asking.

use store::{By, UserRow, Whose};
use types::{Error, Result, Role, Secret};

use crate::{
    App,
    action::{Action, Permit},
};

/// Longest token that is looked up at all, in bytes.
const TOKEN_MAX: usize = 512;

/// What somebody has shown to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// A token without an end.
    Token,
}

/// An authenticated user, for the length of one request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As they were when they came in. What must not be stale, as a quota, is read again under a lock.
    pub user: UserRow,
    /// What they have shown.
    pub via: Credential,
    /// What is written down of them beside what they do.
    pub(crate) by: By,
}

impl Caller {
    /// The same caller, in the request of this id from this address.
    #[must_use]
    pub fn asking(mut self, request_id: Option<String>, address: Option<String>) -> Self {
        self.by.request_id = request_id;
        self.by.address = address;
        self
    }

    /// Whether the caller may do this at all.
    pub fn may(&self, action: Action) -> Result<Permit> {
        action.permit(self.user.role)
    }

    /// Whose rows this caller sees: their own, or everybody's for an admin.
    pub fn sees(&self) -> Whose {
        if self.is_admin() { Whose::Everybodys } else { Whose::Of(self.user.id) }
    }

    /// Whether the caller is an admin.
    pub fn is_admin(&self) -> bool {
        self.user.role == Role::Admin
    }
}

impl App {
    /// Whether somebody may create users: an admin always, anybody where sign-up is open.
    pub fn may_sign_up(&self, caller: Option<&Caller>) -> Result<Permit> {
        match caller {
            _ if self.policy.open_sign_up => Ok(Permit::of_sign_up()),
            Some(caller) => caller.may(Action::UserCreate),
            None => Err(Error::Unauthenticated("Creating users needs an admin's token")),
        }
    }

    /// The user behind a bearer token. An unknown token and a disabled user are told apart by nobody.
    pub async fn authenticate(&self, token: &Secret) -> Result<Caller> {
        const REFUSED: Error = Error::Unauthenticated("Invalid or expired credentials");
        if token.expose().len() > TOKEN_MAX {
            return Err(REFUSED);
        }
        let user = self.intents.user_by_digest(&self.token_key.digest(token)).await?.ok_or(REFUSED)?;
        if user.disabled {
            return Err(REFUSED);
        }
        let by = By { actor: Some(user.id), ..By::default() };
        Ok(Caller { user, via: Credential::Token, by })
    }
}
