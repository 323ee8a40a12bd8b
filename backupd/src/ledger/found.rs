//! What the repository tells of runs that the ledger does not know: those of somebody else, those
//! from before this ledger, and those whose daemon died between the commit and its note of it.
//!
//! The repository is right. Nothing in it is changed, and nothing that the ledger saw itself is
//! overwritten, but for one thing: an interrupted run whose snapshot is there did not fail.

use backup_model::{
    Code, Digest, End, Failure, RunCause, RunId, RunKind, RunOutcome, SnapshotInfo,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::{
    LedgerError,
    file::Book,
    row::{At, Json, Text, integer},
};

/// What was entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    /// Runs that were not known.
    pub external: u64,
    /// Interrupted runs that turned out to have made their snapshot.
    pub settled: u64,
}

impl Book {
    /// Enters what a repository's list has and the ledger does not. Doing it twice changes
    /// nothing.
    pub(super) fn enter_found(
        &mut self,
        repository: &str,
        found: &[SnapshotInfo],
        now: Timestamp,
    ) -> Result<Entered, LedgerError> {
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let made: At = change.query_row("SELECT made FROM about", [], |row| row.get(0))?;
        let mut entered = Entered::default();
        for info in found {
            let Some(outcome) = outcome(info.end) else {
                continue;
            };
            if !outcome.is_success() {
                // Without a snapshot there is nothing to know it by: what this ledger was there
                // for, it has seen itself.
                if info.created < made.0 {
                    entered.external += enter(&change, repository, info, outcome, now)?;
                }
                continue;
            }
            if known(&change, repository, info)? || under_way(&change, repository, info)? {
                continue;
            }
            if settle(&change, repository, info, outcome)? {
                entered.settled += 1;
            } else {
                entered.external += enter(&change, repository, info, outcome, now)?;
            }
        }
        change.commit()?;
        Ok(entered)
    }
}

/// What a run's end means here; none if it has no end.
fn outcome(end: End) -> Option<RunOutcome> {
    match end {
        End::Complete => Some(RunOutcome::Succeeded),
        End::Partial => Some(RunOutcome::Warnings),
        End::Aborted => Some(RunOutcome::Failed),
        End::Fenced => Some(RunOutcome::Interrupted),
        _ => None,
    }
}

fn known(change: &Connection, repository: &str, info: &SnapshotInfo) -> rusqlite::Result<bool> {
    change
        .prepare("SELECT 1 FROM run WHERE repository = ?1 AND snapshot = ?2")?
        .exists(params![repository, Text(&info.snapshot)])
}

/// A run of ours that is under way may just have committed it, and will say so itself.
fn under_way(change: &Connection, repository: &str, info: &SnapshotInfo) -> rusqlite::Result<bool> {
    change
        .prepare(
            "SELECT 1 FROM run WHERE repository = ?1 AND job = ?2 AND kind = 'backup'
             AND outcome = 'running' AND begun <= ?3",
        )?
        .exists(params![
            repository,
            Text(&info.snapshot.job),
            At(info.created)
        ])
}

/// A job has one run at a time, so the snapshot that follows an interrupted run, before any other
/// run of the job, is its own.
fn settle(
    change: &Connection,
    repository: &str,
    info: &SnapshotInfo,
    outcome: RunOutcome,
) -> rusqlite::Result<bool> {
    let before: Option<(Text<RunId>, Text<RunOutcome>)> = change
        .query_row(
            "SELECT id, outcome FROM run WHERE repository = ?1 AND job = ?2 AND kind = 'backup'
             AND begun <= ?3 AND outcome NOT IN ('missed', 'skipped')
             ORDER BY begun DESC, id DESC LIMIT 1",
            params![repository, Text(&info.snapshot.job), At(info.created)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((run, Text(RunOutcome::Interrupted))) = before else {
        return Ok(false);
    };
    change.execute(
        "UPDATE run SET outcome = ?2, snapshot = ?3, ended = ?4, stored_bytes = ?5 WHERE id = ?1",
        params![
            run,
            Text(outcome),
            Text(&info.snapshot),
            At(info.created),
            integer(info.added_bytes)
        ],
    )?;
    Ok(true)
}

fn enter(
    change: &Connection,
    repository: &str,
    info: &SnapshotInfo,
    outcome: RunOutcome,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    // A date in the future is a clock that is wrong: it was made by now.
    let created = info.created.min(now);
    let failure = info.reason.as_ref().filter(|_| !outcome.is_success());
    let failure = failure.map(|reason| Json(Failure::new(code(reason), "the run gave up")));
    let snapshot = outcome.is_success().then_some(Text(&info.snapshot));
    let added = change.execute(
        "INSERT INTO run (id, daemon, kind, job, repository, cause, begun, heard, ended, outcome,
             stored_bytes, failure, snapshot)
         VALUES (?1, '', ?2, ?3, ?4, ?5, ?6, ?6, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO NOTHING",
        params![
            Text(external_id(created, &info.record)),
            Text(RunKind::Backup),
            Text(&info.snapshot.job),
            repository,
            Text(RunCause::External),
            // When it began, public records of its end do not say.
            At(created),
            Text(outcome),
            integer(info.added_bytes),
            failure,
            snapshot,
        ],
    )?;
    Ok(added as u64)
}

/// Of the record alone, so that entering it twice is entering it once.
fn external_id(created: Timestamp, record: &Digest) -> RunId {
    let mut noise = [0; 10];
    noise.copy_from_slice(&record.0[..10]);
    RunId::new(created, noise)
}

fn code(reason: &str) -> Code {
    let known = Code::ALL.iter().find(|code| code.as_str() == reason);
    known.copied().unwrap_or(Code::Failed)
}
