//! Everything that there is before the first release, which freezes it.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use super::columns::{amount, flag, long_text, number, optional, plain_key, row_id, table, text, text_key};

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
        for row in INDEXES {
            if !manager.has_index(row.0, row.1).await? {
                manager.create_index(index(row)).await?;
            }
        }
        Ok(())
    }
}

/// Table, name, columns, and whether they are unique together.
type IndexRow = (&'static str, &'static str, &'static [&'static str], bool);

const INDEXES: &[IndexRow] = &[
    ("users", "users_username", &["username"], true),
    ("credentials", "credentials_digest", &["digest"], true),
    ("credentials", "credentials_user", &["user_id"], false),
    ("members", "members_owner_name", &["owner_id", "name"], true),
    ("clusters", "clusters_owner_name", &["owner_id", "name"], true),
    ("clusters", "clusters_member_namespace", &["member_id", "namespace"], true),
    ("instances", "instances_cluster_ordinal", &["cluster_id", "ordinal"], true),
    ("instances", "instances_cluster_status", &["cluster_id", "deleting", "status"], false),
    ("allocations", "allocations_owner", &["owner_id", "cluster_id", "cpu_milli", "memory_bytes", "storage_bytes"], false),
    ("allocations", "allocations_cluster", &["cluster_id"], false),
    ("work", "work_subject", &["member_id", "subject_kind", "subject_id"], true),
    ("audit", "audit_at", &["at"], false),
    ("outbox", "outbox_sequence", &["sequence"], true),
    ("idempotency", "idempotency_owner_key", &["owner_id", "idempotency_key"], true),
];

fn index((table, name, columns, unique): &IndexRow) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(*name).table(Alias::new(*table));
    for column in *columns {
        index.col(Alias::new(*column));
    }
    if *unique {
        index.unique();
    }
    index.take()
}

/// All statements of this step as text: what a database was made with is known by its digest.
pub(super) fn text_of(backend: DbBackend) -> String {
    let tables = tables(backend).iter().map(|table| backend.build(table).to_string()).collect::<Vec<_>>();
    let indexes = INDEXES.iter().map(|row| backend.build(&index(row)).to_string()).collect::<Vec<_>>();
    [tables, indexes].concat().join("\n")
}

/// Parents before those that refer to them.
fn tables(backend: DbBackend) -> Vec<TableCreateStatement> {
    let identity = [
        // `token_key` keys the digests of tokens where KUBEKCLOUD_TOKEN_KEY does not.
        table(backend, "installation", &mut [plain_key("id"), text("uid", 63), text("schema_digest", 64), text("token_key", 64)], &[]),
        // Who can own things: users, and later teams.
        table(backend, "principals", &mut [row_id(), text("kind", 16)], &[]),
        table(
            backend,
            "users",
            &mut [
                plain_key("id"),
                text("username", 64),
                text("role", 16),
                flag("disabled"),
                amount("quota_cpu_milli"),
                amount("quota_memory_bytes"),
                amount("quota_storage_bytes"),
                amount("quota_clusters"),
                amount("quota_instances"),
                amount("quota_virtual_clusters"),
                // Sessions of an earlier epoch are worth nothing.
                number("session_epoch"),
                number("created_at"),
                number("updated_at"),
            ],
            &[("id", "principals")],
        ),
        table(
            backend,
            "credentials",
            &mut [
                row_id(),
                number("user_id"),
                text("kind", 16),
                optional(text("name", 64)),
                text("digest", 64),
                optional(text("scopes", 255)),
                optional(number("expires_at")),
                optional(number("last_used_at")),
                number("created_at"),
            ],
            &[("user_id", "users")],
        ),
    ];
    let fleet = [
        table(
            backend,
            "members",
            &mut [
                row_id(),
                // Nobody: the installation's own.
                optional(number("owner_id")),
                text("name", 63),
                text("kind", 16),
                flag("shared"),
                // Sealed; never in the clear.
                optional(long_text("credential")),
                number("credential_version"),
                number("generation"),
                optional(number("deleting_at")),
                number("created_at"),
                number("updated_at"),
                number("observed_generation"),
                optional(number("reachable_since")),
                optional(number("unreachable_since")),
                optional(text("reason", 255)),
                optional(long_text("message")),
            ],
            &[("owner_id", "principals")],
        ),
        table(backend, "replicas", &mut [text_key("id", 63), text("host", 255), number("joined_at"), number("expires_at")], &[]),
        // Written by a takeover and by nothing else.
        table(backend, "leases", &mut [text_key("name", 63), text("holder", 63), number("epoch")], &[]),
        // What is due: written by whoever changes intent, dropped when it is carried out.
        table(backend, "work", &mut [row_id(), number("member_id"), text("subject_kind", 16), number("subject_id"), number("generation")], &[]),
    ];
    let compute = [
        table(
            backend,
            "clusters",
            &mut [
                row_id(),
                number("owner_id"),
                number("member_id"),
                text("name", 63),
                text("namespace", 63),
                text("claim", 63),
                text("instance_type", 16),
                amount("cpu_milli"),
                amount("memory_bytes"),
                optional(number("disk_bytes")),
                text("image", 1024),
                number("generation"),
                optional(number("deleting_at")),
                number("created_at"),
                number("updated_at"),
                optional(text("namespace_uid", 63)),
                number("observed_generation"),
                optional(text("reason", 255)),
                optional(long_text("message")),
            ],
            &[("owner_id", "principals"), ("member_id", "members")],
        ),
        // Wide, and read only when objects are built.
        table(
            backend,
            "cluster_payloads",
            &mut [plain_key("cluster_id"), optional(long_text("ssh_public_key")), optional(long_text("cloud_init"))],
            &[("cluster_id", "clusters")],
        ),
        table(
            backend,
            "instances",
            &mut [
                row_id(),
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
            &[("cluster_id", "clusters")],
        ),
        table(
            backend,
            "allocations",
            &mut [
                plain_key("instance_id"),
                number("owner_id"),
                number("cluster_id"),
                amount("cpu_milli"),
                amount("memory_bytes"),
                amount("storage_bytes"),
            ],
            &[("instance_id", "instances"), ("owner_id", "principals")],
        ),
        // What was given up without being confirmed gone.
        table(
            backend,
            "orphans",
            &mut [
                row_id(),
                number("at"),
                number("actor_id"),
                number("member_id"),
                text("subject_kind", 16),
                number("subject_id"),
                number("owner_id"),
                text("name", 63),
                text("namespace", 63),
                optional(text("namespace_uid", 63)),
            ],
            &[],
        ),
    ];
    let trail = [
        table(
            backend,
            "audit",
            &mut [
                row_id(),
                number("at"),
                // Nobody: a sign-in that failed.
                optional(number("actor_id")),
                text("action", 64),
                text("target", 255),
                optional(long_text("detail")),
                optional(text("request_id", 128)),
                optional(text("address", 64)),
            ],
            &[],
        ),
        // `sequence` is given out by the relay: ids are taken in another order than they are committed in.
        table(
            backend,
            "outbox",
            &mut [
                row_id(),
                number("at"),
                text("type", 64),
                text("subject", 255),
                optional(number("owner_id")),
                long_text("data"),
                optional(number("sequence")),
            ],
            &[],
        ),
        table(
            backend,
            "idempotency",
            &mut [
                row_id(),
                number("owner_id"),
                text("idempotency_key", 255),
                text("request_digest", 64),
                text("resource_kind", 16),
                number("resource_id"),
                number("created_at"),
            ],
            &[("owner_id", "principals")],
        ),
    ];
    identity.into_iter().chain(fleet).chain(compute).chain(trail).collect()
}
