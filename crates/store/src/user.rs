//! Users: who they are, what they may, how much they may take.

use sea_orm::{DbErr, FromQueryResult, QueryResult};
use types::{
    Bytes, Error, MilliCpu, Result, Role, Timestamp, UserId,
    failpoint::{self, Held},
};

use crate::{
    Intents, Tx, Usage,
    dialect::for_update,
    sql::{self, word},
};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Row id.
    pub id: UserId,
    /// Unique name.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// May not do anything any more.
    pub disabled: bool,
    /// What all their clusters together may take.
    pub quota: Usage,
    /// How many virtual clusters they may have.
    pub quota_virtual_clusters: i64,
    /// When they were created.
    pub created_at: Timestamp,
}

/// A user to be.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Unique name.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// What all their clusters together may take.
    pub quota: Usage,
    /// How many virtual clusters they may have.
    pub quota_virtual_clusters: i64,
}

/// What to change of a user; `None` leaves it.
#[derive(Debug, Clone, Copy, Default)]
pub struct UserChange {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they are shut out.
    pub disabled: Option<bool>,
    /// Quota of CPU. Below what they take, it only stops growth; so do the next two.
    pub cpu: Option<MilliCpu>,
    /// Quota of memory.
    pub memory: Option<Bytes>,
    /// Quota of persistent disk.
    pub storage: Option<Bytes>,
    /// How many clusters.
    pub clusters: Option<i64>,
    /// How many instances.
    pub instances: Option<i64>,
    /// How many virtual clusters.
    pub virtual_clusters: Option<i64>,
}

impl FromQueryResult for UserRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            id: UserId(row.try_get(prefix, "id")?),
            username: row.try_get(prefix, "username")?,
            role: word(row, prefix, "role", Role::parse)?,
            disabled: row.try_get(prefix, "disabled")?,
            quota: Usage {
                cpu: MilliCpu(row.try_get(prefix, "quota_cpu_milli")?),
                memory: Bytes(row.try_get(prefix, "quota_memory_bytes")?),
                storage: Bytes(row.try_get(prefix, "quota_storage_bytes")?),
                clusters: row.try_get(prefix, "quota_clusters")?,
                instances: row.try_get(prefix, "quota_instances")?,
            },
            quota_virtual_clusters: row.try_get(prefix, "quota_virtual_clusters")?,
            created_at: Timestamp(row.try_get(prefix, "created_at")?),
        })
    }
}

impl Intents {
    /// A user by id.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>> {
        sql::row(self.pool().reader(), "SELECT * FROM users WHERE id = ?", [id.0.into()]).await
    }

    /// Users behind `after`, by id, with what each of them takes.
    pub async fn users(&self, after: i64, limit: u64) -> Result<Vec<(UserRow, Usage)>> {
        let sql = "SELECT * FROM users WHERE id > ? ORDER BY id LIMIT ?";
        let users: Vec<UserRow> = sql::rows(self.pool().reader(), sql, [after.into(), sql::at_most(limit)]).await?;
        let Some(last) = users.last() else { return Ok(Vec::new()) };
        let used = self.usage_by_owner(after, last.id).await?;
        let with_usage = |user: UserRow| {
            let used = used.get(&user.id).copied().unwrap_or_default();
            (user, used)
        };
        Ok(users.into_iter().map(with_usage).collect())
    }

    /// The enabled admin who has been there longest.
    pub async fn first_admin(&self) -> Result<Option<UserRow>> {
        let sql = "SELECT * FROM users WHERE role = ? AND disabled = ? ORDER BY id LIMIT 1";
        sql::row(self.pool().reader(), sql, [Role::Admin.as_str().into(), false.into()]).await
    }
}

impl Tx {
    /// Adds a user. `None`: the name is taken.
    pub async fn user_insert(&self, new: &NewUser) -> Result<Option<UserRow>> {
        let NewUser { username, role, quota, quota_virtual_clusters } = new.clone();
        // Asked first: a refused INSERT would spoil the transaction on PostgreSQL, and is left for two at the same moment.
        let taken: Option<i64> = sql::scalar(self.connection().await?, "SELECT id FROM users WHERE username = ?", [username.as_str().into()]).await?;
        if taken.is_some() {
            return Ok(None);
        }
        let created_at = Timestamp::now();
        let principal = sql::insert_unless_taken(self.connection().await?, "INSERT INTO principals (kind) VALUES (?)", ["user".into()]).await?;
        let id = principal.ok_or_else(|| Error::internal("a principal has no unique column but its id"))?;
        let inserted = sql::execute_unless_taken(
            self.connection().await?,
            "INSERT INTO users (id, username, role, disabled, quota_cpu_milli, quota_memory_bytes, quota_storage_bytes, quota_clusters, \
             quota_instances, quota_virtual_clusters, session_epoch, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
            [
                id.into(),
                username.as_str().into(),
                role.as_str().into(),
                false.into(),
                quota.cpu.0.into(),
                quota.memory.0.into(),
                quota.storage.0.into(),
                quota.clusters.into(),
                quota.instances.into(),
                quota_virtual_clusters.into(),
                created_at.0.into(),
                created_at.0.into(),
            ],
        )
        .await?;
        Ok(inserted.map(|_| UserRow { id: UserId(id), username, role, disabled: false, quota, quota_virtual_clusters, created_at }))
    }

    /// Locks a user's row until the end: whoever reserves, scales or changes quota for the same owner waits here.
    pub async fn owner_lock(&self, id: UserId) -> Result<Option<UserRow>> {
        let sql = format!("SELECT * FROM users WHERE id = ?{}", for_update(self.backend()));
        let row = sql::row(self.connection().await?, &sql, [id.0.into()]).await?;
        failpoint::held(Held::Owner);
        Ok(row)
    }

    /// Locks all admins' rows and counts those who are enabled, so that the last one can't be taken away by two at once.
    pub async fn enabled_admins_lock(&self) -> Result<usize> {
        let sql = format!("SELECT id FROM users WHERE role = ? AND disabled = ? ORDER BY id{}", for_update(self.backend()));
        let ids: Vec<i64> = sql::scalars(self.connection().await?, &sql, [Role::Admin.as_str().into(), false.into()]).await?;
        Ok(ids.len())
    }

    /// Changes a user.
    pub async fn user_update(&self, id: UserId, change: &UserChange) -> Result<()> {
        let UserChange { role, disabled, cpu, memory, storage, clusters, instances, virtual_clusters } = *change;
        sql::execute(
            self.connection().await?,
            "UPDATE users SET role = COALESCE(?, role), disabled = COALESCE(?, disabled), \
             quota_cpu_milli = COALESCE(?, quota_cpu_milli), quota_memory_bytes = COALESCE(?, quota_memory_bytes), \
             quota_storage_bytes = COALESCE(?, quota_storage_bytes), quota_clusters = COALESCE(?, quota_clusters), \
             quota_instances = COALESCE(?, quota_instances), quota_virtual_clusters = COALESCE(?, quota_virtual_clusters), updated_at = ? WHERE id = ?",
            [
                role.map(Role::as_str).into(),
                disabled.into(),
                cpu.map(|quota| quota.0).into(),
                memory.map(|quota| quota.0).into(),
                storage.map(|quota| quota.0).into(),
                clusters.into(),
                instances.into(),
                virtual_clusters.into(),
                Timestamp::now().0.into(),
                id.0.into(),
            ],
        )
        .await?;
        Ok(())
    }

    /// Removes a user and their credentials. The caller has seen, under [`Tx::owner_lock`], that no cluster is left.
    pub async fn user_delete(&self, id: UserId) -> Result<()> {
        for sql in [
            "DELETE FROM credentials WHERE user_id = ?",
            "DELETE FROM idempotency WHERE owner_id = ?",
            "DELETE FROM users WHERE id = ?",
            "DELETE FROM principals WHERE id = ?",
        ] {
            sql::execute(self.connection().await?, sql, [id.0.into()]).await?;
        }
        Ok(())
    }
}
