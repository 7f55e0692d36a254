//! Where the SQL of the three databases differs. Their types and collations differ in `migration`, the locks around that
//! in `migrate`, the start of a transaction in `tx`; everything else is one text for all.

use sea_orm::DbBackend;

/// `?` becomes `$1`, `$2`, ... for PostgreSQL. Our statements hold no literal question marks.
pub(crate) fn placeholders(backend: DbBackend, sql: &str) -> String {
    if backend != DbBackend::Postgres {
        return sql.to_owned();
    }
    let mut out = String::with_capacity(sql.len() + 16);
    let mut parts = sql.split('?');
    out.push_str(parts.next().unwrap_or_default());
    for (n, part) in parts.enumerate() {
        out.push_str(&format!("${}{part}", n + 1));
    }
    out
}

/// Whether an INSERT tells the new row's id only when asked to return it.
pub(crate) fn returns_ids(backend: DbBackend) -> bool {
    backend == DbBackend::Postgres
}

/// An expression for the database's own clock, in microseconds.
pub(crate) fn clock(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)",
        DbBackend::MySql => "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)",
        _ => "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    }
}

/// A sum of whole numbers, 0 without any. SUM is a decimal on PostgreSQL and MySQL: cast back.
pub(crate) fn sum(backend: DbBackend, column: &str) -> String {
    format!("CAST(COALESCE(SUM({column}), 0) AS {})", if backend == DbBackend::MySql { "SIGNED" } else { "BIGINT" })
}

/// Locks the rows that a SELECT finds until the transaction ends; SQLite's writer is alone anyway.
pub(crate) fn for_update(backend: DbBackend) -> &'static str {
    if backend == DbBackend::Sqlite { "" } else { " FOR UPDATE" }
}

/// A shared lock: readers of the row don't wait for each other, but whoever writes it waits for them.
pub(crate) fn for_share(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "",
        DbBackend::MySql => " LOCK IN SHARE MODE",
        _ => " FOR SHARE",
    }
}

/// The end of an INSERT that writes `value` anew where a row with the same `key` is there already.
pub(crate) fn upsert(backend: DbBackend, key: &str, value: &str) -> String {
    match backend {
        DbBackend::MySql => format!(" ON DUPLICATE KEY UPDATE {value} = VALUES({value})"),
        _ => format!(" ON CONFLICT ({key}) DO UPDATE SET {value} = excluded.{value}"),
    }
}

/// The type of a column of [`rows_of`].
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Number,
    Text,
}

/// A table expression `v` of the objects of a JSON array, which is its one value: many rows travel as one, however many, and the
/// statement stays the same.
pub(crate) fn rows_of(backend: DbBackend, columns: &[(&str, Column)]) -> String {
    let each = |write: &dyn Fn(&str, Column) -> String| columns.iter().map(|(name, column)| write(name, *column)).collect::<Vec<_>>().join(", ");
    match backend {
        DbBackend::Postgres => {
            let typed = each(&|name, column| format!("{name} {}", if matches!(column, Column::Number) { "BIGINT" } else { "TEXT" }));
            format!("json_to_recordset(CAST(? AS JSON)) AS v({typed})")
        }
        DbBackend::MySql => {
            let typed = each(&|name, column| format!("{name} {} PATH '$.{name}'", if matches!(column, Column::Number) { "BIGINT" } else { "TEXT" }));
            format!("JSON_TABLE(?, '$[*]' COLUMNS({typed})) AS v")
        }
        _ => {
            let read = each(&|name, _| format!("json_extract(value, '$.{name}') AS {name}"));
            format!("(SELECT {read} FROM json_each(?)) AS v")
        }
    }
}

/// An UPDATE of `table`'s rows that are in `source` (see [`rows_of`]) by their id: columns and what they become.
pub(crate) fn update_from(backend: DbBackend, table: &str, source: &str, assignments: &[(&str, &str)]) -> String {
    let set = |prefix: &str| assignments.iter().map(|(column, value)| format!("{prefix}{column} = {value}")).collect::<Vec<_>>().join(", ");
    match backend {
        DbBackend::MySql => format!("UPDATE {table} JOIN {source} ON v.id = {table}.id SET {}", set(&format!("{table}."))),
        _ => format!("UPDATE {table} SET {} FROM {source} WHERE v.id = {table}.id", set("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_numbers_its_placeholders() {
        assert_eq!(placeholders(DbBackend::Postgres, "a = ? AND b = ?"), "a = $1 AND b = $2");
        assert_eq!(placeholders(DbBackend::Sqlite, "a = ?"), "a = ?");
    }
}
