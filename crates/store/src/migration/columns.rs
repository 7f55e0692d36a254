//! Columns and tables as the migrations write them: one word for each type that we use.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

pub(super) fn table(
    backend: DbBackend,
    name: &'static str,
    columns: &mut [ColumnDef],
    references: &[(&'static str, &'static str)],
) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(Alias::new(name)).if_not_exists();
    for column in columns {
        table.col(column);
    }
    for (column, parent) in references {
        let mut key = ForeignKey::create();
        key.name(format!("{name}_{column}")).from(Alias::new(name), Alias::new(*column)).to(Alias::new(*parent), Alias::new("id"));
        table.foreign_key(&mut key);
    }
    if backend == DbBackend::MySql {
        // Binary collation: "Ann" and "ann" are two users, as on the other databases.
        table.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table.take()
}

/// A row id: never used again, on any database.
pub(super) fn row_id() -> ColumnDef {
    plain_key("id").auto_increment().take()
}

/// A primary key that somebody else chooses.
pub(super) fn plain_key(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().primary_key().take()
}

/// A primary key that is a word.
pub(super) fn text_key(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).string_len(length).not_null().primary_key().take()
}

pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().take()
}

/// A quantity: the database itself refuses one below zero.
pub(super) fn amount(name: &'static str) -> ColumnDef {
    number(name).check(Expr::col(Alias::new(name)).gte(0)).take()
}

pub(super) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).boolean().not_null().take()
}

pub(super) fn text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).string_len(length).not_null().take()
}

pub(super) fn long_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).text().not_null().take()
}

pub(super) fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}
