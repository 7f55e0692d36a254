//! Bringing the schema up to date, and refusing one from the future.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use sea_orm_migration::MigratorTrait;
use types::{Error, Result};

use crate::{Store, error::db, migration::Migrator, random::random_word, sql};

/// How the database's schema relates to the one that this program knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaState {
    /// The same.
    Current,
    /// Steps are missing; [`Store::migrate`] takes them.
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

impl Store {
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
    /// nothing left to do. Refuses a newer schema.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        let taken = match self.schema_state().await? {
            SchemaState::Current => Vec::new(),
            SchemaState::Newer { unknown } => return Err(newer(&unknown)),
            SchemaState::Older { missing } => {
                self.migrate_locked().await?;
                missing
            }
        };
        self.name_installation().await?;
        Ok(taken)
    }

    /// Fails unless the schema is exactly the one that this program knows.
    pub async fn require_current_schema(&self) -> Result<()> {
        match self.schema_state().await? {
            SchemaState::Current => Ok(()),
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
        match self.backend() {
            DbBackend::Sqlite => {
                // The writer is a single connection, so these three run on the same one.
                unprepared(connection, "BEGIN EXCLUSIVE").await?;
                let result = Migrator::up(connection, None).await.map_err(db);
                unprepared(connection, if result.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
                result
            }
            backend => {
                // One lock a database, not a server. PostgreSQL's are a database's own.
                let (lock, unlock) = if backend == DbBackend::Postgres {
                    ("SELECT CAST(1 AS BIGINT) FROM (SELECT pg_advisory_lock(5311894)) AS lock", "SELECT pg_advisory_unlock(5311894)")
                } else {
                    (
                        "SELECT CAST(GET_LOCK(CONCAT('kubekcloud_', SHA1(DATABASE())), 120) AS SIGNED)",
                        "SELECT RELEASE_LOCK(CONCAT('kubekcloud_', SHA1(DATABASE())))",
                    )
                };
                // A session-level lock needs a session of its own.
                let holder = self.one_more_session().await.map_err(db)?;
                let got: Option<Option<i64>> = sql::scalar(&holder, lock, []).await?;
                if got.flatten() != Some(1) {
                    return Err(Error::internal("another process has been migrating this database for two minutes"));
                }
                let result = Migrator::up(connection, None).await.map_err(db);
                unprepared(&holder, unlock).await?;
                holder.close().await.map_err(db)?;
                result
            }
        }
    }

    async fn name_installation(&self) -> Result<()> {
        if self.installation().await?.is_none() {
            // Taken: the other replica was first.
            sql::execute_unless_taken(self.writer(), "INSERT INTO installation (id, uid) VALUES (1, ?)", [random_word(10).into()]).await?;
        }
        Ok(())
    }

    /// A short random word for this installation, the same for all replicas on one database.
    pub async fn installation_id(&self) -> Result<String> {
        self.installation().await?.ok_or_else(|| Error::internal("the database was not migrated"))
    }

    async fn installation(&self) -> Result<Option<String>> {
        sql::scalar(self.reader(), "SELECT uid FROM installation WHERE id = 1", []).await
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
