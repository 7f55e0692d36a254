//! Bringing the schema up to date, and refusing one from the future.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, Statement};
use sea_orm_migration::MigratorTrait;
use types::{Error, MemberId, Result, Secret, Timestamp, name::LOCAL_MEMBER};

use crate::{
    TokenKey,
    error::db,
    location::Location,
    migration::{self, Migrator},
    pool::{self, Pool},
    random::random_word,
    sql,
};

/// How the database's schema relates to the one that this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// The same.
    Current,
    /// Steps are missing; [`Schema::migrate`] takes them.
    Older {
        /// Their names.
        missing: Vec<String>,
    },
    /// A later program has been here. This one must not write.
    Newer {
        /// Steps that this program does not know.
        unknown: Vec<String>,
    },
}

/// The tables themselves. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Schema {
    pool: Pool,
    location: Location,
}

/// The installation's own row.
#[derive(FromQueryResult)]
struct Installation {
    uid: String,
    schema_digest: String,
    token_key: String,
}

impl Schema {
    pub(crate) const fn new(pool: Pool, location: Location) -> Self {
        Self { pool, location }
    }

    fn backend(&self) -> DbBackend {
        self.pool.backend()
    }

    fn writer(&self) -> &DatabaseConnection {
        self.pool.writer()
    }

    /// Compares the schema with what this program knows.
    pub async fn schema_state(&self) -> Result<SchemaState> {
        let known: Vec<String> = Migrator::migrations().iter().map(|m| m.name().to_owned()).collect();
        let applied = self.applied_steps().await?;
        let unknown: Vec<String> = applied.iter().filter(|step| !known.contains(step)).cloned().collect();
        if !unknown.is_empty() {
            return Ok(SchemaState::Newer { unknown });
        }
        let missing: Vec<String> = known.into_iter().filter(|step| !applied.contains(step)).collect();
        Ok(if missing.is_empty() { SchemaState::Current } else { SchemaState::Older { missing } })
    }

    /// Takes the missing steps, under a lock: a second replica that starts at the same time waits, then finds
    /// nothing left to do. Refuses a newer schema, and one that was made by another draft of this one.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        match self.schema_state().await? {
            SchemaState::Current => {
                self.require_same_draft().await?;
                Ok(Vec::new())
            }
            SchemaState::Newer { unknown } => Err(newer(&unknown)),
            SchemaState::Older { missing } => {
                Box::pin(self.migrate_locked()).await?;
                Ok(missing)
            }
        }
    }

    /// Fails unless the schema is exactly the one that this program knows.
    pub async fn require_current_schema(&self) -> Result<()> {
        match self.schema_state().await? {
            SchemaState::Current => self.require_same_draft().await,
            SchemaState::Older { missing } => {
                Err(Error::conflict(format!("the database's schema is older ({} not applied): run 'kubekcloud migrate'", missing.join(", "))))
            }
            SchemaState::Newer { unknown } => Err(newer(&unknown)),
        }
    }

    async fn applied_steps(&self) -> Result<Vec<String>> {
        let manager = sea_orm_migration::SchemaManager::new(self.writer());
        if !manager.has_table("seaql_migrations").await.map_err(db)? {
            return Ok(Vec::new());
        }
        sql::scalars(self.writer(), "SELECT version FROM seaql_migrations ORDER BY version", []).await
    }

    async fn migrate_locked(&self) -> Result<()> {
        let connection = self.writer();
        match &self.location {
            Location::Sqlite(_) => {
                // The writer is a single connection, so these run on the same one.
                unprepared(connection, "BEGIN EXCLUSIVE").await?;
                let result = self.take_steps().await;
                unprepared(connection, if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
                result
            }
            Location::Server(url) => {
                // One lock a database, not a server. PostgreSQL's are a database's own.
                let (lock, unlock) = if self.backend() == DbBackend::Postgres {
                    ("SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_lock(5311894)) AS lock", "SELECT pg_advisory_unlock(5311894)")
                } else {
                    (
                        "SELECT CAST(GET_LOCK(CONCAT('kubekcloud_', SHA1(DATABASE())), 120) AS SIGNED)",
                        "SELECT RELEASE_LOCK(CONCAT('kubekcloud_', SHA1(DATABASE())))",
                    )
                };
                // A session-level lock needs a session of its own, and may be waited for.
                let holder = pool::patient_session(url.expose()).await.map_err(db)?;
                // Waited for longer than a statement may take.
                let got = holder.query_one_raw(Statement::from_string(self.backend(), lock)).await.map_err(db)?;
                let got = got.map(|row| row.try_get_by_index::<Option<i64>>(0)).transpose().map_err(db)?;
                if got.flatten() != Some(1) {
                    return Err(Error::internal("another process has been migrating this database for two minutes"));
                }
                let result = self.take_steps().await;
                unprepared(&holder, unlock).await?;
                holder.close().await.map_err(db)?;
                result
            }
        }
    }

    /// Under the lock: what another replica did meanwhile is found done.
    async fn take_steps(&self) -> Result<()> {
        Migrator::up(self.writer(), None).await.map_err(db)?;
        if self.installation().await?.is_some() {
            return self.require_same_draft().await;
        }
        let connection = self.writer();
        let now = Timestamp::now().0;
        let local = "INSERT INTO members (name, kind, shared, credential_version, generation, created_at, updated_at, observed_generation) \
                     VALUES (?, 'local', ?, 0, 1, ?, ?, 1)";
        sql::execute(connection, local, [LOCAL_MEMBER.into(), true.into(), now.into(), now.into()]).await?;
        // A row id of zero is chosen by nobody: MySQL would take it for none.
        sql::execute(connection, "UPDATE members SET id = ? WHERE kind = 'local'", [MemberId::LOCAL.0.into()]).await?;
        let values = [random_word(10).into(), migration::digest(self.backend()).into(), random_word(40).into()];
        sql::execute(connection, "INSERT INTO installation (id, uid, schema_digest, token_key) VALUES (1, ?, ?, ?)", values).await?;
        Ok(())
    }

    async fn require_same_draft(&self) -> Result<()> {
        // A draft from before drafts were told apart has no such column.
        let made_with = self.installation().await.ok().flatten().map(|installation| installation.schema_digest);
        if made_with.as_deref() == Some(migration::digest(self.backend()).as_str()) {
            return Ok(());
        }
        self.writer().ping().await.map_err(db)?;
        Err(Error::conflict(format!(
            "{} was made by an unreleased version of kubekcloud, whose tables differ: delete it, or name another; nothing is carried over before the first release",
            self.location.shown()
        )))
    }

    /// A short random word for this installation, the same for all replicas on one database.
    pub async fn installation_id(&self) -> Result<String> {
        Ok(self.installed().await?.uid)
    }

    /// The key of tokens' digests where the operator gives none.
    pub async fn token_key(&self) -> Result<TokenKey> {
        Ok(TokenKey::new(Secret::new(self.installed().await?.token_key)))
    }

    async fn installed(&self) -> Result<Installation> {
        self.installation().await?.ok_or_else(|| Error::internal("the database was not migrated"))
    }

    async fn installation(&self) -> Result<Option<Installation>> {
        sql::row(self.writer(), "SELECT uid, schema_digest, token_key FROM installation WHERE id = 1", []).await
    }
}

/// What no database can prepare.
async fn unprepared(connection: &DatabaseConnection, sql: &str) -> Result<()> {
    connection.execute_unprepared(sql).await.map_err(db)?;
    Ok(())
}

fn newer(unknown: &[String]) -> Error {
    Error::conflict(format!(
        "the database was migrated by a newer kubekcloud ({} unknown to this one): use that version, or restore a backup made before it",
        unknown.join(", ")
    ))
}
