//! The schema's history. Each step expands or contracts, never both, and can be repeated after a crash:
//! MySQL commits each table on its own.

mod columns;
mod m0001_initial;

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};
use sha2::{Digest, Sha256};

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_initial::Migration)]
    }
}

/// Tells one draft of the first step from another: until the first release it changes, and a database that was made by
/// another draft cannot be told from a sound one by its steps' names.
pub(crate) fn digest(backend: DbBackend) -> String {
    Sha256::digest(m0001_initial::text_of(backend).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
