//! The schema's history. Each step expands or contracts, never both, and can be repeated after a crash:
//! MySQL commits each table on its own.

use sea_orm_migration::prelude::*;

mod m0001_initial;

pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_initial::Migration)]
    }
}
