//! Users, clusters, instances, allocations, leases, audit.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_initial"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// `migrate` holds a lock around all steps, and on SQLite a transaction; each step can be repeated.
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables(manager.get_database_backend()) {
            manager.create_table(table).await?;
        }
        for (table, name, columns, unique) in INDEXES {
            if manager.has_index(*table, *name).await? {
                continue;
            }
            let mut index = Index::create();
            index.name(*name).table(Alias::new(*table));
            for column in *columns {
                index.col(Alias::new(*column));
            }
            if *unique {
                index.unique();
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

type IndexRow = (&'static str, &'static str, &'static [&'static str], bool);

const INDEXES: &[IndexRow] = &[
    ("users", "users_username", &["username"], true),
    ("credentials", "credentials_digest", &["digest"], true),
    ("credentials", "credentials_user", &["user_id"], false),
    ("clusters", "clusters_owner_name", &["owner_id", "name"], true),
    ("clusters", "clusters_member_namespace", &["member_id", "namespace"], true),
    ("instances", "instances_cluster_ordinal", &["cluster_id", "ordinal"], true),
    ("instances", "instances_cluster_status", &["cluster_id", "deleting", "status"], false),
    ("allocations", "allocations_owner", &["owner_id", "cpu_milli", "memory_bytes", "storage_bytes"], false),
    ("allocations", "allocations_cluster", &["cluster_id"], false),
    ("idempotency", "idempotency_owner_key", &["owner_id", "idempotency_key"], true),
];

fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    vec![
        table(backend, "installation", &mut [key("id", false), text("uid", 63)]),
        table(
            backend,
            "users",
            &mut [
                key("id", true),
                text("username", 64),
                text("role", 16),
                flag("disabled"),
                amount("quota_cpu_milli"),
                amount("quota_memory_bytes"),
                amount("quota_storage_bytes"),
                number("created_at"),
                number("updated_at"),
            ],
        ),
        table(backend, "credentials", &mut [key("id", true), number("user_id"), text("digest", 64), number("created_at")]),
        table(
            backend,
            "clusters",
            &mut [
                key("id", true),
                number("owner_id"),
                number("member_id"),
                text("name", 63),
                text("namespace", 63),
                optional(text("namespace_uid", 63)),
                text("claim", 63),
                text("instance_type", 16),
                amount("cpu_milli"),
                amount("memory_bytes"),
                optional(number("disk_bytes")),
                text("image", 1024),
                optional(long_text("ssh_public_key")),
                optional(long_text("cloud_init")),
                number("generation"),
                optional(number("deleting_at")),
                number("created_at"),
                number("updated_at"),
                number("observed_generation"),
                optional(text("reason", 255)),
                optional(long_text("message")),
            ],
        ),
        table(
            backend,
            "instances",
            &mut [
                key("id", true),
                number("cluster_id"),
                ColumnDef::new(Alias::new("ordinal")).integer().not_null().take(),
                text("name", 63),
                text("desired", 16),
                number("generation"),
                number("start_generation"),
                flag("deleting"),
                number("created_at"),
                text("status", 16),
                number("observed_generation"),
                optional(text("reason", 255)),
                optional(long_text("message")),
                optional(text("ip", 64)),
                optional(text("node", 255)),
                optional(text("incarnation", 63)),
                number("status_since"),
                number("updated_at"),
            ],
        ),
        table(
            backend,
            "allocations",
            &mut [
                key("instance_id", false),
                number("owner_id"),
                number("cluster_id"),
                amount("cpu_milli"),
                amount("memory_bytes"),
                amount("storage_bytes"),
            ],
        ),
        table(backend, "leases", &mut [key("member_id", false), text("holder", 128), number("epoch"), number("expires_at")]),
        table(
            backend,
            "audit",
            &mut [key("id", true), number("at"), number("actor_id"), text("action", 64), text("target", 255), optional(long_text("detail"))],
        ),
        table(
            backend,
            "idempotency",
            &mut [
                key("id", true),
                number("owner_id"),
                text("idempotency_key", 255),
                text("request_digest", 64),
                number("cluster_id"),
                number("created_at"),
            ],
        ),
    ]
}

fn table(backend: DbBackend, name: &'static str, columns: &mut [ColumnDef]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(Alias::new(name)).if_not_exists();
    for column in columns {
        table.col(column);
    }
    if backend == DbBackend::MySql {
        // Binary collation: "Ann" and "ann" are two users, as on the other databases.
        table.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
    }
    table.take()
}

fn key(name: &'static str, auto_increment: bool) -> ColumnDef {
    let mut column = ColumnDef::new(Alias::new(name));
    column.big_integer().not_null().primary_key();
    if auto_increment {
        column.auto_increment();
    }
    column
}

fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).big_integer().not_null().take()
}

/// A quantity: the database itself refuses one below zero.
fn amount(name: &'static str) -> ColumnDef {
    number(name).check(Expr::col(Alias::new(name)).gte(0)).take()
}

fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).boolean().not_null().take()
}

fn text(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).string_len(length).not_null().take()
}

fn long_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).text().not_null().take()
}

fn optional(mut column: ColumnDef) -> ColumnDef {
    column.null().take()
}
