//! Database errors into ours. Nobody else looks into them.

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use types::Error;

/// Turns a database error into ours: what may pass by itself is `Unavailable`, a defect is `Internal`.
pub(crate) fn db(error: DbErr) -> Error {
    if passing(&error) {
        tracing::warn!(%error, "database not available");
        return Error::Unavailable { message: "The database is not available".into(), retry_after_seconds: 2 };
    }
    Error::internal(format_args!("database: {error}"))
}

/// Whether a row with the same unique value exists already.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether another process has the SQLite file at this moment.
pub(crate) fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(e)) | DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e))) = error else {
        return false;
    };
    e.as_database_error().and_then(|e| e.code()).is_some_and(|code| code == "5")
}

fn passing(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => match e.as_ref() {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(e) => e.code().is_some_and(|code| passing_code(&code)),
            _ => false,
        },
        _ => false,
    }
}

/// SQLSTATE classes of PostgreSQL and MySQL, and SQLite's result codes, for trouble that is not the statement's fault:
/// lost connections, deadlocks, shutdowns, a full or read-only disk.
fn passing_code(code: &str) -> bool {
    const CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];
    const MYSQL_DEADLOCK_AND_READ_ONLY: [&str; 3] = ["HY000", "70100", "25006"];
    if code.len() == 5 && (CLASSES.iter().any(|class| code.starts_with(class)) || MYSQL_DEADLOCK_AND_READ_ONLY.contains(&code)) {
        return true;
    }
    // SQLite: BUSY 5, LOCKED 6, READONLY 8, IOERR 10, FULL 13, CANTOPEN 14; the low byte of an extended code.
    // They have at most four digits, an SQLSTATE five characters.
    code.len() < 5 && code.parse::<u32>().is_ok_and(|code| [5, 6, 8, 10, 13, 14].contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_the_moment_is_told_from_defects() {
        for passing in ["5", "261", "8", "13", "40001", "40P01", "08006", "57P01", "53300"] {
            assert!(passing_code(passing), "{passing}");
        }
        for defect in ["1", "19", "2067", "42601", "42P01", "23505", "22021", "21000"] {
            assert!(!passing_code(defect), "{defect}");
        }
    }
}
