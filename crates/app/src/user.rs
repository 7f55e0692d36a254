//! Users: sign-up and administration.

use store::{By, Fact, NewUser, Tx, Usage, UserChange, UserRow};
use types::{Bytes, Error, Result, Role, UserId, Username};
use wire::user::{CreateUser, CreatedUser, UpdateUser, User};

use crate::{
    Action, App, Caller,
    find::user_not_found,
    show,
    token::{random_token, token_taken},
    validate::Fields,
};

impl App {
    /// Creates a user: an admin may always, anybody where sign-up is open (`caller` is `None`, and the role is `user`).
    pub async fn user_create(&self, caller: Option<&Caller>, request: CreateUser) -> Result<CreatedUser> {
        let permit = self.may_sign_up(caller)?;
        let admin = caller.is_some_and(Caller::is_admin);
        let CreateUser { username, token, quota_cpu, quota_memory, quota_storage, quota_clusters, quota_instances, quota_virtual_clusters, role } =
            request;
        let mut fields = Fields::default();
        let username = fields.check("username", Username::parse(&username));
        let given = token.map(|token| fields.token("token", token, self.policy.token_min));
        let cpu = fields.cpu("quota_cpu", &quota_cpu);
        let memory = fields.bytes("quota_memory", &quota_memory);
        let storage = quota_storage.map_or(Some(Bytes(0)), |q| fields.bytes("quota_storage", &q));
        let clusters = fields.count("quota_clusters", quota_clusters.unwrap_or(self.policy.quota_clusters));
        let instances = fields.count("quota_instances", quota_instances.unwrap_or(self.policy.quota_instances));
        let virtual_clusters = fields.count("quota_virtual_clusters", quota_virtual_clusters.unwrap_or(self.policy.quota_virtual_clusters));
        let role = role.unwrap_or(Role::User);
        if role != Role::User && !admin {
            fields.refuse("role", "only an admin may give another role than 'user'");
        }
        let all = username.zip(cpu).zip(memory).zip(storage);
        let (((username, cpu), memory), storage) = fields.finish_with(all)?;
        let quota = Usage { cpu, memory, storage, clusters, instances };

        let generated = given.is_none();
        let token = given.flatten().unwrap_or_else(random_token);
        let digest = &self.token_key.digest(&token);
        let new = &NewUser { username: username.as_str().to_owned(), role, quota, quota_virtual_clusters: virtual_clusters };
        let user = self
            .transact(&permit, None, |tx| async move {
                let user = tx.user_insert(new).await?.ok_or_else(name_taken)?;
                if !tx.token_replace(user.id, digest).await? {
                    return Err(token_taken());
                }
                let by = caller.map_or_else(|| By { actor: Some(user.id), ..By::default() }, |caller| caller.by.clone());
                tx.record(&by, Fact::UserCreated { user: user.id, username: user.username.clone() }).await?;
                Ok(user)
            })
            .await?;
        Ok(CreatedUser { user: show::user(user, Usage::default()), token: generated.then(|| token.expose().to_owned()) })
    }

    /// Users with ids above `after`, lowest first, with what they take. Admins only.
    pub async fn user_list(&self, caller: &Caller, after: i64, limit: u64) -> Result<Vec<User>> {
        caller.may(Action::UserList)?;
        let _turn = self.reads.of(caller.user.id).await?;
        let users = self.intents.users(after, limit).await?;
        Ok(users.into_iter().map(|(row, used)| show::user(row, used)).collect())
    }

    /// A user: oneself, or anybody for an admin.
    pub async fn user_get(&self, caller: &Caller, id: UserId) -> Result<User> {
        caller.may(Action::UserGet)?;
        if !caller.is_admin() && caller.user.id != id {
            return Err(user_not_found());
        }
        let _turn = self.reads.of(caller.user.id).await?;
        let row = self.intents.user(id).await?.ok_or_else(user_not_found)?;
        Ok(show::user(row, self.intents.usage(id).await?))
    }

    /// Changes a user's quota, role or access, from their next request on; what they run goes on running. Admins only.
    pub async fn user_update(&self, caller: &Caller, id: UserId, request: UpdateUser) -> Result<User> {
        let permit = caller.may(Action::UserUpdate)?;
        let UpdateUser { quota_cpu, quota_memory, quota_storage, quota_clusters, quota_instances, quota_virtual_clusters, role, disabled } = request;
        let mut fields = Fields::default();
        let change = UserChange {
            role,
            disabled,
            cpu: quota_cpu.and_then(|q| fields.cpu("quota_cpu", &q)),
            memory: quota_memory.and_then(|q| fields.bytes("quota_memory", &q)),
            storage: quota_storage.and_then(|q| fields.bytes("quota_storage", &q)),
            clusters: quota_clusters.map(|q| fields.count("quota_clusters", q)),
            instances: quota_instances.map(|q| fields.count("quota_instances", q)),
            virtual_clusters: quota_virtual_clusters.map(|q| fields.count("quota_virtual_clusters", q)),
        };
        fields.finish()?;
        let loses_admin = disabled == Some(true) || role.is_some_and(|role| role != Role::Admin);
        let (change, changes) = (&change, &describe(&change));
        self.transact(&permit, Some(id), |tx| async move {
            if loses_admin {
                lock_unless_last_admin(&tx, id).await?;
            } else {
                tx.owner_lock(id).await?.ok_or_else(user_not_found)?;
            }
            tx.user_update(id, change).await?;
            tx.record(&caller.by, Fact::UserUpdated { user: id, changes: changes.clone() }).await
        })
        .await?;
        self.user_get(caller, id).await
    }

    /// Removes a user who has no clusters. Admins only.
    pub async fn user_delete(&self, caller: &Caller, id: UserId) -> Result<()> {
        let permit = caller.may(Action::UserDelete)?;
        self.transact(&permit, Some(id), |tx| async move {
            let user = lock_unless_last_admin(&tx, id).await?;
            let clusters = tx.cluster_count(id).await?;
            if clusters > 0 {
                return Err(Error::conflict(format!("The user still has {clusters} cluster(s); delete them first")));
            }
            tx.user_delete(id).await?;
            tx.record(&caller.by, Fact::UserDeleted { user: id, username: user.username }).await
        })
        .await
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
    let UserChange { role, disabled, cpu, memory, storage, clusters, instances, virtual_clusters } = change;
    let mut parts = Vec::new();
    parts.extend(role.map(|v| format!("role={v}")));
    parts.extend(disabled.map(|v| format!("disabled={v}")));
    parts.extend(cpu.map(|v| format!("quota_cpu={v}")));
    parts.extend(memory.map(|v| format!("quota_memory={v}")));
    parts.extend(storage.map(|v| format!("quota_storage={v}")));
    parts.extend(clusters.map(|v| format!("quota_clusters={v}")));
    parts.extend(instances.map(|v| format!("quota_instances={v}")));
    parts.extend(virtual_clusters.map(|v| format!("quota_virtual_clusters={v}")));
    parts.join(" ")
}
