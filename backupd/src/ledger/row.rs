//! Between columns and words: how times, ids and reports lie in the tables.

use std::str::FromStr;

use backup_model::{RunBytes, RunInfo};
use jiff::Timestamp;
use rusqlite::{
    Row,
    types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef},
};
use serde::{Serialize, de::DeserializeOwned};

/// A time as milliseconds since 1970.
pub(super) struct At(pub(super) Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_millisecond().into())
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let millis = value.as_i64()?;
        Timestamp::from_millisecond(millis)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// Whatever has a text of its own: ids, names, words.
pub(super) struct Text<T>(pub(super) T);

impl<T: ToString> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string().into())
    }
}

impl<T> FromSql for Text<T>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// What is kept as JSON: whole failures, and words that have no other text.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(&self.0)
            .map(Into::into)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A count for SQLite, whose integers have a sign.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// The columns of [`run_info`].
pub(super) const RUN: &str = "id, kind, job, repository, cause, asked_by, due, begun, ended, \
    outcome, read_bytes, new_bytes, stored_bytes, total_bytes, warnings, failure, snapshot";

/// A run out of its row.
pub(super) fn run_info(row: &Row<'_>) -> rusqlite::Result<RunInfo> {
    let text = |column: &str| row.get::<_, Option<String>>(column);
    let time =
        |column: &str| Ok::<_, rusqlite::Error>(row.get::<_, Option<At>>(column)?.map(|at| at.0));
    let total: Option<i64> = row.get("total_bytes")?;
    Ok(RunInfo {
        run: row.get::<_, Text<_>>("id")?.0,
        kind: row.get::<_, Text<_>>("kind")?.0,
        job: row.get::<_, Option<Text<_>>>("job")?.map(|job| job.0),
        repository: row.get("repository")?,
        cause: row.get::<_, Text<_>>("cause")?.0,
        asked_by: text("asked_by")?,
        due: time("due")?,
        begun: row.get::<_, At>("begun")?.0,
        ended: time("ended")?,
        outcome: row.get::<_, Text<_>>("outcome")?.0,
        bytes: RunBytes {
            read_bytes: count(row, "read_bytes")?,
            new_bytes: count(row, "new_bytes")?,
            stored_bytes: count(row, "stored_bytes")?,
            total_bytes: total.and_then(|total| u64::try_from(total).ok()),
        },
        warnings: count(row, "warnings")?,
        failure: row
            .get::<_, Option<Json<_>>>("failure")?
            .map(|failure| failure.0),
        snapshot: row
            .get::<_, Option<Text<_>>>("snapshot")?
            .map(|snapshot| snapshot.0),
    })
}
