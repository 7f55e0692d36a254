//! Users: who they are, what they may, how much they may take.

use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};
use types::{Bytes, Error, MilliCpu, Result, Role, Timestamp, UserId};

pub(crate) use crate::entity::user::Model;
use crate::{Store, Tx, Usage, entity::user, error::db, usage::sum};

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
    /// What they may take.
    pub quota: Usage,
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
    /// What they may take.
    pub quota: Usage,
}

/// What to change of a user; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What they may do.
    pub role: Option<Role>,
    /// Whether they are shut out.
    pub disabled: Option<bool>,
    /// What they may take.
    pub cpu: Option<MilliCpu>,
    /// What they may take.
    pub memory: Option<Bytes>,
    /// What they may take.
    pub storage: Option<Bytes>,
}

impl TryFrom<Model> for UserRow {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        let Model { id, username, role, disabled, quota_cpu_milli, quota_memory_bytes, quota_storage_bytes, created_at, updated_at: _ } = row;
        Ok(Self {
            id: UserId(id),
            username,
            role: Role::parse(&role).ok_or_else(|| Error::internal(format_args!("user {id}: unknown role")))?,
            disabled,
            quota: Usage { cpu: MilliCpu(quota_cpu_milli), memory: Bytes(quota_memory_bytes), storage: Bytes(quota_storage_bytes) },
            created_at: Timestamp(created_at),
        })
    }
}

impl Store {
    /// A user by id.
    pub async fn user(&self, id: UserId) -> Result<Option<UserRow>> {
        user::Entity::find_by_id(id.0).one(self.reader()).await.map_err(db)?.map(UserRow::try_from).transpose()
    }

    /// Users behind `after`, by id, with what each of them takes.
    pub async fn users(&self, after: i64, limit: u64) -> Result<Vec<(UserRow, Usage)>> {
        #[derive(FromQueryResult)]
        struct Sums {
            owner_id: i64,
            cpu: i64,
            memory: i64,
            storage: i64,
        }
        let rows = user::Entity::find().filter(user::Column::Id.gt(after)).order_by_asc(user::Column::Id).limit(limit).all(self.reader()).await;
        let rows = rows.map_err(db)?;
        let Some(last) = rows.last().map(|row| row.id) else { return Ok(Vec::new()) };
        let [cpu, memory, storage] = ["cpu_milli", "memory_bytes", "storage_bytes"].map(|column| sum(column, self.is_mysql()));
        let sql = format!(
            "SELECT owner_id, {cpu} AS cpu, {memory} AS memory, {storage} AS storage FROM allocations \
             WHERE owner_id > ? AND owner_id <= ? GROUP BY owner_id"
        );
        let sums = self.reader().query_all_raw(self.sql(&sql, [after.into(), last.into()])).await.map_err(db)?;
        let mut used = std::collections::HashMap::new();
        for row in &sums {
            let Sums { owner_id, cpu, memory, storage } = Sums::from_query_result(row, "").map_err(db)?;
            used.insert(owner_id, Usage { cpu: MilliCpu(cpu), memory: Bytes(memory), storage: Bytes(storage) });
        }
        rows.into_iter()
            .map(|row| Ok((used.get(&row.id).copied().unwrap_or_default(), UserRow::try_from(row)?)))
            .map(|r| r.map(|(u, row)| (row, u)))
            .collect()
    }

    /// The enabled admin who has been there longest.
    pub async fn first_admin(&self) -> Result<Option<UserRow>> {
        let found = user::Entity::find()
            .filter(user::Column::Role.eq(Role::Admin.as_str()))
            .filter(user::Column::Disabled.eq(false))
            .order_by_asc(user::Column::Id)
            .limit(1)
            .one(self.reader())
            .await
            .map_err(db)?;
        found.map(UserRow::try_from).transpose()
    }
}

impl Tx {
    /// Adds a user. `None`: the name is taken.
    pub async fn user_insert(&self, new: NewUser) -> Result<Option<UserRow>> {
        let NewUser { username, role, quota } = new;
        let now = Timestamp::now();
        let taken = user::Entity::find().filter(user::Column::Username.eq(username.as_str())).one(&self.tx).await.map_err(db)?;
        if taken.is_some() {
            return Ok(None);
        }
        let row = user::ActiveModel {
            id: sea_orm::ActiveValue::NotSet,
            username: Set(username),
            role: Set(role.as_str().to_owned()),
            disabled: Set(false),
            quota_cpu_milli: Set(quota.cpu.0),
            quota_memory_bytes: Set(quota.memory.0),
            quota_storage_bytes: Set(quota.storage.0),
            created_at: Set(now.0),
            updated_at: Set(now.0),
        };
        match user::Entity::insert(row).exec_with_returning(&self.tx).await {
            Ok(row) => UserRow::try_from(row).map(Some),
            Err(e) if crate::error::is_duplicate(&e) => Ok(None),
            Err(e) => Err(db(e)),
        }
    }

    /// Locks a user's row until the end: whoever reserves, scales or changes quota for the same owner waits here.
    pub async fn owner_lock(&self, id: UserId) -> Result<Option<UserRow>> {
        let sql = format!("SELECT * FROM users WHERE id = ?{}", self.for_update());
        let row = self.tx.query_one_raw(self.sql(&sql, [id.0.into()])).await.map_err(db)?;
        row.map(|row| Model::from_query_result(&row, "").map_err(db).and_then(UserRow::try_from)).transpose()
    }

    /// Locks all admins' rows and counts those who are enabled, so that the last one can't be taken away by two at once.
    pub async fn enabled_admins_lock(&self) -> Result<usize> {
        let sql = format!("SELECT id FROM users WHERE role = ? AND disabled = ? ORDER BY id{}", self.for_update());
        Ok(self.tx.query_all_raw(self.sql(&sql, [Role::Admin.as_str().into(), false.into()])).await.map_err(db)?.len())
    }

    /// Changes a user.
    pub async fn user_update(&self, id: UserId, change: UserChange) -> Result<()> {
        let UserChange { role, disabled, cpu, memory, storage } = change;
        let set = |value: Option<i64>| value.map_or(sea_orm::ActiveValue::NotSet, Set);
        let row = user::ActiveModel {
            id: Set(id.0),
            role: role.map_or(sea_orm::ActiveValue::NotSet, |role| Set(role.as_str().to_owned())),
            disabled: disabled.map_or(sea_orm::ActiveValue::NotSet, Set),
            quota_cpu_milli: set(cpu.map(|q| q.0)),
            quota_memory_bytes: set(memory.map(|q| q.0)),
            quota_storage_bytes: set(storage.map(|q| q.0)),
            updated_at: Set(Timestamp::now().0),
            ..Default::default()
        };
        user::Entity::update(row).exec(&self.tx).await.map_err(db)?;
        Ok(())
    }

    /// Removes a user and their credentials. The caller has seen, under [`Tx::owner_lock`], that no cluster is left.
    pub async fn user_delete(&self, id: UserId) -> Result<()> {
        for sql in ["DELETE FROM credentials WHERE user_id = ?", "DELETE FROM idempotency WHERE owner_id = ?", "DELETE FROM users WHERE id = ?"] {
            self.execute(sql, [id.0.into()]).await?;
        }
        Ok(())
    }
}
