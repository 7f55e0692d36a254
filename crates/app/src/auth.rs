//! Who is asking, and what they may do.

use store::UserRow;
use types::{Error, Result, Role, Secret, UserId};

use crate::App;

/// Longest token that is looked up at all, in bytes.
const TOKEN_MAX: usize = 512;

/// An authenticated user, for the length of one request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// As they were when they came in. What must not be stale, as a quota, is read again under a lock.
    pub user: UserRow,
}

impl Caller {
    /// Whose rows this caller sees: their own, or everybody's (`None`) for an admin.
    pub fn scope(&self) -> Option<UserId> {
        (self.user.role != Role::Admin).then_some(self.user.id)
    }

    /// Whether the caller is an admin.
    pub fn is_admin(&self) -> bool {
        self.user.role == Role::Admin
    }

    /// Refuses everybody but admins.
    pub fn require_admin(&self) -> Result<()> {
        if self.is_admin() { Ok(()) } else { Err(Error::Forbidden("This needs the role admin")) }
    }

    /// Refuses those who may only look.
    pub fn require_write(&self) -> Result<()> {
        if self.user.role == Role::Viewer { Err(Error::Forbidden("The role viewer may only look")) } else { Ok(()) }
    }
}

impl App {
    /// Refuses those who may not create users: an admin may always, anybody where sign-up is open.
    pub fn require_sign_up(&self, caller: Option<&Caller>) -> Result<()> {
        match caller {
            Some(caller) if caller.is_admin() => Ok(()),
            _ if self.policy.open_sign_up => Ok(()),
            Some(_) => Err(Error::Forbidden("Only an admin may create users here")),
            None => Err(Error::Unauthenticated("Creating users needs an admin's token")),
        }
    }

    /// The user behind a bearer token. An unknown token and a disabled user are told apart by nobody.
    pub async fn authenticate(&self, token: &Secret) -> Result<Caller> {
        const REFUSED: Error = Error::Unauthenticated("Invalid or expired credentials");
        if token.expose().len() > TOKEN_MAX {
            return Err(REFUSED);
        }
        let user = self.store.user_by_digest(&store::digest(token)).await?.ok_or(REFUSED)?;
        if user.disabled { Err(REFUSED) } else { Ok(Caller { user }) }
    }
}
