//! The tables of the ledger, and the steps from each version to the next.
//!
//! Times are milliseconds since 1970, byte counts integers, words those of `backup-model`. A step
//! that was ever released is not changed: a later one comes after it.

use rusqlite::{Connection, TransactionBehavior};

/// Marks the file as ours: `bkpd`.
pub(super) const APPLICATION: i64 = 0x626b_7064;

/// Each step leads from the version of its place to the next.
const STEPS: &[&str] = &[STEP_1];

const STEP_1: &str = "
CREATE TABLE about (
    made INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
    id           TEXT PRIMARY KEY,
    daemon       TEXT NOT NULL,
    kind         TEXT NOT NULL,
    job          TEXT,
    repository   TEXT NOT NULL,
    cause        TEXT NOT NULL,
    asked_by     TEXT,
    due          INTEGER,
    begun        INTEGER NOT NULL,
    heard        INTEGER NOT NULL,
    ended        INTEGER,
    outcome      TEXT NOT NULL,
    read_bytes   INTEGER NOT NULL DEFAULT 0,
    new_bytes    INTEGER NOT NULL DEFAULT 0,
    stored_bytes INTEGER NOT NULL DEFAULT 0,
    total_bytes  INTEGER,
    warnings     INTEGER NOT NULL DEFAULT 0,
    failure      TEXT,
    snapshot     TEXT,
    dropped      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX run_of_job ON run (job, kind, id);
CREATE INDEX run_of_repository ON run (repository, kind, id);
CREATE INDEX run_open ON run (id) WHERE outcome = 'running';
CREATE INDEX run_due ON run (job, kind, due) WHERE due IS NOT NULL;
CREATE UNIQUE INDEX run_of_snapshot ON run (repository, snapshot) WHERE snapshot IS NOT NULL;

CREATE TABLE phase (
    run    TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number INTEGER NOT NULL,
    phase  TEXT NOT NULL,
    object TEXT NOT NULL,
    begun  INTEGER NOT NULL,
    ended  INTEGER,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE warning (
    run     TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    failure TEXT NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE line (
    run    TEXT NOT NULL REFERENCES run ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    level  TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE pause (
    job   TEXT PRIMARY KEY,
    who   TEXT NOT NULL,
    at    INTEGER NOT NULL,
    until INTEGER,
    why   TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE verified (
    repository TEXT NOT NULL,
    job        TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    level      TEXT NOT NULL,
    at         INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    good       INTEGER,
    PRIMARY KEY (repository, job, seq, level)
) STRICT, WITHOUT ROWID;
";

/// The version that this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The version of the file.
pub(super) fn version(file: &Connection) -> rusqlite::Result<i64> {
    file.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the file to the newest version, each step whole or not at all.
pub(super) fn migrate(file: &mut Connection, made: i64) -> rusqlite::Result<()> {
    loop {
        let change = file.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = version(&change)?;
        let Some(step) = usize::try_from(version).ok().and_then(|n| STEPS.get(n)) else {
            return Ok(());
        };
        change.execute_batch(step)?;
        if version == 0 {
            change.pragma_update(None, "application_id", APPLICATION)?;
            change.execute("INSERT INTO about (made) VALUES (?1)", [made])?;
        }
        change.pragma_update(None, "user_version", version + 1)?;
        change.commit()?;
    }
}
