//! Database errors into ours. Nobody else looks into them.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use types::Error;

/// Turns a database error into ours: what another transaction stood in the way of is `Contended`, what may pass by itself
/// `Unavailable`, a defect `Internal`.
pub(crate) fn db(error: DbErr) -> Error {
    match sort(&error) {
        Sort::Contended => {
            tracing::debug!(%error, "another transaction stands in the way");
            Error::Contended
        }
        Sort::Passing => {
            note_unavailable(&error);
            Error::Unavailable { message: "The database is not available".into(), retry_after_seconds: 2 }
        }
        Sort::Defect => Error::internal(format_args!("database: {error}")),
    }
}

/// Says so once, and then how often again: while a database is away every request finds that out.
fn note_unavailable(error: &DbErr) {
    const QUIET: Duration = Duration::from_secs(5);
    static LAST: Mutex<Option<(Instant, u64)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *last {
        Some((at, unsaid)) if at.elapsed() < QUIET => *unsaid += 1,
        said => {
            let unsaid = said.map_or(0, |(_, unsaid)| unsaid);
            tracing::warn!(%error, unsaid, "database not available");
            *said = Some((Instant::now(), 0));
        }
    }
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

/// What an error means for whoever made the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Nothing was written, because others held what was needed: worth another try at once.
    Contended,
    /// The database's own trouble.
    Passing,
    /// Ours.
    Defect,
}

fn sort(error: &DbErr) -> Sort {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Sort::Passing,
        DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e)) => match e.as_ref() {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Sort::Passing
            }
            sqlx::Error::Database(e) => {
                let number = e.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number);
                match number {
                    Some(number) => of_mysql(number),
                    None => e.code().map_or(Sort::Defect, |code| of_code(&code)),
                }
            }
            _ => Sort::Defect,
        },
        _ => Sort::Defect,
    }
}

/// PostgreSQL's SQLSTATEs and SQLite's result codes.
fn of_code(code: &str) -> Sort {
    // Lost connections, resources, shutdowns, cancelled statements, a full disk; a read-only server.
    const CLASSES: [&str; 4] = ["08", "53", "57", "58"];
    match code {
        // Serialization failure, deadlock, lock not available in time.
        "40001" | "40P01" | "55P03" => return Sort::Contended,
        // Read-only, and a session that was ended because it did nothing.
        "25006" | "25P03" => return Sort::Passing,
        _ => {}
    }
    // They have at most four digits, an SQLSTATE five characters.
    if code.len() == 5 {
        return if CLASSES.iter().any(|class| code.starts_with(class)) { Sort::Passing } else { Sort::Defect };
    }
    // The low byte of an extended code. BUSY is passing: its own wait is long already.
    match code.parse::<u32>().map(|code| code & 0xff) {
        // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
        Ok(5 | 6 | 8 | 10 | 13 | 14) => Sort::Passing,
        _ => Sort::Defect,
    }
}

/// MySQL's and MariaDB's numbers: their SQLSTATE is HY000 for almost everything.
fn of_mysql(number: u16) -> Sort {
    match number {
        // Lock wait time-out, deadlock, record changed since it was read (MariaDB's snapshot isolation).
        1205 | 1213 | 1020 => Sort::Contended,
        // Too many connections, shutdown, out of memory or space, read-only, interrupted or over time, lost or ended sessions.
        1021
        | 1028
        | 1030
        | 1037
        | 1038
        | 1040
        | 1041
        | 1053
        | 1114
        | 1152
        | 1158..=1161
        | 1184
        | 1203
        | 1226
        | 1290
        | 1317
        | 1792
        | 1836
        | 1969
        | 2006
        | 2013
        | 3024
        | 4031 => Sort::Passing,
        _ => Sort::Defect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_the_moment_is_told_from_defects() {
        for contended in ["40001", "40P01", "55P03"] {
            assert_eq!(of_code(contended), Sort::Contended, "{contended}");
        }
        for passing in ["5", "261", "8", "13", "08006", "57P01", "53300", "25P03"] {
            assert_eq!(of_code(passing), Sort::Passing, "{passing}");
        }
        for defect in ["1", "19", "2067", "42601", "42P01", "23505", "22021", "21000", "40002"] {
            assert_eq!(of_code(defect), Sort::Defect, "{defect}");
        }
        assert_eq!([1213, 1205, 1040, 1364, 1366].map(of_mysql), [Sort::Contended, Sort::Contended, Sort::Passing, Sort::Defect, Sort::Defect]);
    }
}
