//! Running a statement: its text with a `?` for each value, the values, and rows that come back as structs.
//!
//! A row struct reads its columns by name in its [`FromQueryResult`], straight into the types that the rest of the program
//! uses; that, and the struct itself, is all that knows them.

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Statement, TryGetable, Value};
use types::{ClusterName, Result};

use crate::{
    dialect::{placeholders, returns_ids},
    error::{db, is_duplicate},
    pool::answered,
};

fn statement(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    let backend = connection.get_database_backend();
    Statement::from_sql_and_values(backend, placeholders(backend, sql), values)
}

/// Changes rows; answers how many.
pub(crate) async fn execute(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<u64> {
    let statement = statement(connection, sql, values);
    Ok(answered(connection.get_database_backend(), connection.execute_raw(statement)).await.map_err(db)?.rows_affected())
}

/// As [`execute`]. `None`: another row has a value that must be unique. A transaction is spoilt by that on PostgreSQL.
pub(crate) async fn execute_unless_taken(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<u64>> {
    let statement = statement(connection, sql, values);
    unless_taken(answered(connection.get_database_backend(), connection.execute_raw(statement)).await.map(|done| done.rows_affected()))
}

/// Adds one row; answers its id. `None` as in [`execute_unless_taken`].
pub(crate) async fn insert_unless_taken(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<i64>> {
    if returns_ids(connection.get_database_backend()) {
        let statement = statement(connection, &format!("{sql} RETURNING id"), values);
        let row = answered(connection.get_database_backend(), connection.query_one_raw(statement)).await;
        return unless_taken(row.and_then(|row| row.ok_or(DbErr::RecordNotInserted)?.try_get_by_index(0)));
    }
    let statement = statement(connection, sql, values);
    unless_taken(answered(connection.get_database_backend(), connection.execute_raw(statement)).await.map(|done| done.last_insert_id().cast_signed()))
}

fn unless_taken<T>(result: Result<T, DbErr>) -> Result<Option<T>> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(error) if is_duplicate(&error) => Ok(None),
        Err(error) => Err(db(error)),
    }
}

/// All rows that a SELECT finds, unread.
pub(crate) async fn raw(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<QueryResult>> {
    let statement = statement(connection, sql, values);
    answered(connection.get_database_backend(), connection.query_all_raw(statement)).await.map_err(db)
}

/// All rows that a SELECT finds.
pub(crate) async fn rows<R: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<R>> {
    let rows = raw(connection, sql, values).await?;
    rows.iter().map(|row| R::from_query_result(row, "").map_err(db)).collect()
}

/// The one row that a SELECT finds.
pub(crate) async fn row<R: FromQueryResult>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<R>> {
    let statement = statement(connection, sql, values);
    let row = answered(connection.get_database_backend(), connection.query_one_raw(statement)).await.map_err(db)?;
    row.map(|row| R::from_query_result(&row, "").map_err(db)).transpose()
}

/// The first column of all rows that a SELECT finds.
pub(crate) async fn scalars<T: TryGetable>(connection: &impl ConnectionTrait, sql: &str, values: impl IntoIterator<Item = Value>) -> Result<Vec<T>> {
    let rows = raw(connection, sql, values).await?;
    rows.iter().map(|row| row.try_get_by_index(0).map_err(db)).collect()
}

/// The first column of the one row that a SELECT finds.
pub(crate) async fn scalar<T: TryGetable>(
    connection: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<T>> {
    let statement = statement(connection, sql, values);
    let row = answered(connection.get_database_backend(), connection.query_one_raw(statement)).await.map_err(db)?;
    row.map(|row| row.try_get_by_index(0).map_err(db)).transpose()
}

/// A value for `LIMIT ?`.
pub(crate) fn at_most(rows: u64) -> Value {
    i64::try_from(rows).unwrap_or(i64::MAX).into()
}

/// A column that holds one of a list of words.
pub(crate) fn word<T>(row: &QueryResult, prefix: &str, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, DbErr> {
    let text: String = row.try_get(prefix, column)?;
    match parse(&text) {
        Some(value) => Ok(value),
        None => Err(DbErr::Type(format!("row {}: unknown {column} '{text}'", row.try_get::<i64>(prefix, "id")?))),
    }
}

/// A column that holds the tenant's name for a cluster.
pub(crate) fn cluster_name(row: &QueryResult, prefix: &str, column: &str) -> Result<ClusterName, DbErr> {
    row.try_get(prefix, column).map(ClusterName::stored)
}

/// Somebody else's text, cut to its column. PostgreSQL stores no NUL.
pub(crate) fn storable(text: Option<&str>, most: usize) -> Option<String> {
    text.map(|text| text.chars().filter(|c| *c != '\0').take(most).collect())
}
