//! Users: sign-up and administration.

use store::{AuditEntry, NewUser, Tx, Usage, UserChange, UserRow};
use types::{Bytes, Error, Result, Role, UserId, Username};
use wire::user::{CreateUser, CreatedUser, UpdateUser, User};

use crate::{
    App, Caller,
    audit::user_target,
    find::user_not_found,
    show,
    token::{random_token, token_taken},
    validate::Fields,
};

impl App {
    /// Creates a user: an admin may always, anybody where sign-up is open (`caller` is `None`, and the role is `user`).
    pub async fn user_create(&self, caller: Option<&Caller>, request: CreateUser) -> Result<CreatedUser> {
        let admin = caller.is_some_and(Caller::is_admin);
        self.require_sign_up(caller)?;
        let CreateUser { username, token, quota_cpu, quota_memory, quota_storage, role } = request;
        let mut fields = Fields::default();
        let username = fields.check("username", Username::parse(&username));
        let given = token.map(|token| fields.token("token", token));
        let cpu = fields.cpu("quota_cpu", &quota_cpu);
        let memory = fields.bytes("quota_memory", &quota_memory);
        let storage = quota_storage.map_or(Some(Bytes(0)), |q| fields.bytes("quota_storage", &q));
        let role = role.unwrap_or(Role::User);
        if role != Role::User && !admin {
            fields.refuse("role", "only an admin may give another role than 'user'");
        }
        let quota = cpu.zip(memory).zip(storage).map(|((cpu, memory), storage)| Usage { cpu, memory, storage });
        let (username, quota) = fields.finish_with(username.zip(quota))?;

        let generated = given.is_none();
        let token = given.flatten().unwrap_or_else(random_token);
        let tx = self.store.begin().await?;
        let new = NewUser { username: username.as_str().to_owned(), role, quota };
        let user = tx.user_insert(new).await?.ok_or_else(name_taken)?;
        if !tx.token_replace(user.id, &store::digest(&token)).await? {
            return Err(token_taken());
        }
        let actor = caller.map_or(user.id, |caller| caller.user.id);
        tx.audit(AuditEntry { actor, action: "user.create", target: user_target(user.id), detail: Some(user.username.clone()) }).await?;
        tx.commit().await?;
        Ok(CreatedUser { user: show::user(user, Usage::default()), token: generated.then(|| token.expose().to_owned()) })
    }

    /// Users with ids above `after`, lowest first, with what they take. Admins only.
    pub async fn user_list(&self, caller: &Caller, after: i64, limit: u64) -> Result<Vec<User>> {
        caller.require_admin()?;
        let users = self.store.users(after, limit).await?;
        Ok(users.into_iter().map(|(row, used)| show::user(row, used)).collect())
    }

    /// A user: oneself, or anybody for an admin.
    pub async fn user_get(&self, caller: &Caller, id: UserId) -> Result<User> {
        if !caller.is_admin() && caller.user.id != id {
            return Err(user_not_found());
        }
        let row = self.store.user(id).await?.ok_or_else(user_not_found)?;
        Ok(show::user(row, self.store.usage(id).await?))
    }

    /// Changes a user's quota, role or access, from their next request on; what they run goes on running. Admins only.
    pub async fn user_update(&self, caller: &Caller, id: UserId, request: UpdateUser) -> Result<User> {
        caller.require_admin()?;
        let UpdateUser { quota_cpu, quota_memory, quota_storage, role, disabled } = request;
        let mut fields = Fields::default();
        let change = UserChange {
            role,
            disabled,
            cpu: quota_cpu.and_then(|q| fields.cpu("quota_cpu", &q)),
            memory: quota_memory.and_then(|q| fields.bytes("quota_memory", &q)),
            storage: quota_storage.and_then(|q| fields.bytes("quota_storage", &q)),
        };
        fields.finish()?;
        let loses_admin = disabled == Some(true) || role.is_some_and(|role| role != Role::Admin);
        let detail = describe(&change);

        let tx = self.store.begin().await?;
        if loses_admin {
            lock_unless_last_admin(&tx, id).await?;
        } else {
            tx.owner_lock(id).await?.ok_or_else(user_not_found)?;
        }
        tx.user_update(id, change).await?;
        tx.audit(AuditEntry { actor: caller.user.id, action: "user.update", target: user_target(id), detail: Some(detail) }).await?;
        tx.commit().await?;
        self.user_get(caller, id).await
    }

    /// Removes a user who has no clusters. Admins only.
    pub async fn user_delete(&self, caller: &Caller, id: UserId) -> Result<()> {
        caller.require_admin()?;
        let tx = self.store.begin().await?;
        let user = lock_unless_last_admin(&tx, id).await?;
        let clusters = tx.cluster_count(id).await?;
        if clusters > 0 {
            return Err(Error::conflict(format!("The user still has {clusters} cluster(s); delete them first")));
        }
        tx.user_delete(id).await?;
        tx.audit(AuditEntry { actor: caller.user.id, action: "user.delete", target: user_target(id), detail: Some(user.username) }).await?;
        tx.commit().await
    }
}

fn name_taken() -> Error {
    Error::conflict("A user with this name exists already")
}

/// The user, locked; refuses to take the last enabled admin away. Holds the admins' rows, so that two at once can't do it either.
async fn lock_unless_last_admin(tx: &Tx, id: UserId) -> Result<UserRow> {
    let admins = tx.enabled_admins_lock().await?;
    let user = tx.owner_lock(id).await?.ok_or_else(user_not_found)?;
    let is_one_of_them = user.role == Role::Admin && !user.disabled;
    if is_one_of_them && admins <= 1 {
        return Err(Error::conflict("This is the last admin; make another first"));
    }
    Ok(user)
}

fn describe(change: &UserChange) -> String {
    let UserChange { role, disabled, cpu, memory, storage } = change;
    let mut parts = Vec::new();
    parts.extend(role.map(|v| format!("role={v}")));
    parts.extend(disabled.map(|v| format!("disabled={v}")));
    parts.extend(cpu.map(|v| format!("quota_cpu={v}")));
    parts.extend(memory.map(|v| format!("quota_memory={v}")));
    parts.extend(storage.map(|v| format!("quota_storage={v}")));
    parts.join(" ")
}
