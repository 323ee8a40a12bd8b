//! Writing runs: begun, how far they are, ended. Every call is one transaction; once it returns,
//! what it wrote is on disk.

use backup_model::{
    Failure, JobName, RunBytes, RunCause, RunId, RunKind, RunLogLine, RunOutcome, RunPhase,
    SnapshotName,
};
use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    LedgerError,
    file::Book,
    row::{At, Json, Text, integer},
};

/// A run that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// What it does.
    pub kind: RunKind,
    /// For which job; none where it is about a whole repository.
    pub job: Option<JobName>,
    /// The repository, by its name in the configuration.
    pub repository: String,
    /// Why it begins.
    pub cause: RunCause,
    /// Who asked for it, where somebody did.
    pub asked_by: Option<String>,
    /// The due time that it is for. A retry has that of the run that failed.
    pub due: Option<Timestamp>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How.
    pub outcome: RunOutcome,
    /// What it read and stored by its report; else what was counted while it ran.
    pub bytes: Option<RunBytes>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The snapshot that it made.
    pub snapshot: Option<SnapshotName>,
}

impl Ending {
    /// An ending without anything more to say.
    pub const fn new(outcome: RunOutcome) -> Self {
        Self {
            outcome,
            bytes: None,
            failure: None,
            snapshot: None,
        }
    }
}

/// A run as every write names it: enough to enter it if it is not there yet.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) run: RunId,
    pub(super) begun: Timestamp,
    pub(super) new: NewRun,
}

/// What became known of a run since the last time.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    pub(super) heard: Timestamp,
    pub(super) bytes: RunBytes,
    pub(super) phases: Vec<(u32, RunPhase)>,
    pub(super) warnings: u64,
    pub(super) first_warnings: Vec<(u32, Failure)>,
    pub(super) lines: Vec<RunLogLine>,
    pub(super) dropped: u64,
}

impl Book {
    /// Enters a run that begins now.
    pub(super) fn begin(&mut self, head: &Head) -> Result<(), LedgerError> {
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        enter(&change, &self.daemon, head)?;
        Ok(change.commit()?)
    }

    /// Adds what became known of a run; and how it ended, if it has. A run that is not there is
    /// entered: the disk was full when it began, or the ledger is a new one.
    pub(super) fn record(
        &mut self,
        head: &Head,
        news: &News,
        ending: Option<&Ending>,
    ) -> Result<(), LedgerError> {
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        enter(&change, &self.daemon, head)?;
        add(&change, head.run, news)?;
        if let Some(ending) = ending {
            end(&change, head, news.heard, ending)?;
        }
        Ok(change.commit()?)
    }

    /// Enters what has no course: a due time that was missed or skipped.
    pub(super) fn enter_ended(
        &mut self,
        head: &Head,
        outcome: RunOutcome,
    ) -> Result<(), LedgerError> {
        let news = News {
            heard: head.begun,
            ..News::default()
        };
        self.record(head, &news, Some(&Ending::new(outcome)))
    }

    /// Marks what an earlier daemon left running. Says which runs these were.
    pub(super) fn interrupt_others(&mut self) -> Result<Vec<RunId>, LedgerError> {
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut runs = Vec::new();
        {
            let mut marked = change.prepare(
                "UPDATE run SET outcome = ?1, ended = heard
                 WHERE outcome = 'running' AND daemon <> ?2 RETURNING id",
            )?;
            let rows = marked
                .query_map(params![Text(RunOutcome::Interrupted), self.daemon], |row| {
                    row.get::<_, Text<RunId>>(0)
                })?;
            for row in rows {
                runs.push(row?.0);
            }
        }
        change.commit()?;
        runs.sort_unstable();
        Ok(runs)
    }
}

fn enter(change: &Connection, daemon: &str, head: &Head) -> rusqlite::Result<()> {
    let Head { run, begun, new } = head;
    change.execute(
        "INSERT INTO run (id, daemon, kind, job, repository, cause, asked_by, due, begun, heard,
             outcome)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)
         ON CONFLICT (id) DO NOTHING",
        params![
            Text(run),
            daemon,
            Text(new.kind),
            new.job.as_ref().map(Text),
            new.repository,
            Text(new.cause),
            new.asked_by,
            new.due.map(At),
            At(*begun),
            Text(RunOutcome::Running),
        ],
    )?;
    Ok(())
}

fn add(change: &Connection, run: RunId, news: &News) -> rusqlite::Result<()> {
    let bytes = &news.bytes;
    // What was counted comes late now and then, and takes nothing from what the report said.
    change.execute(
        "UPDATE run SET heard = max(heard, ?2),
             read_bytes = iif(outcome = 'running', ?3, read_bytes),
             new_bytes = iif(outcome = 'running', ?4, new_bytes),
             stored_bytes = iif(outcome = 'running', ?5, stored_bytes),
             total_bytes = iif(outcome = 'running', ?6, total_bytes),
             warnings = ?7, dropped = ?8
         WHERE id = ?1",
        params![
            Text(run),
            At(news.heard),
            integer(bytes.read_bytes),
            integer(bytes.new_bytes),
            integer(bytes.stored_bytes),
            bytes.total_bytes.map(integer),
            integer(news.warnings),
            integer(news.dropped),
        ],
    )?;
    for (number, phase) in &news.phases {
        change.execute(
            "INSERT INTO phase (run, number, phase, object, begun, ended)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (run, number) DO UPDATE SET ended = excluded.ended",
            params![
                Text(run),
                number,
                Json(phase.phase),
                phase.object,
                At(phase.begun),
                phase.ended.map(At),
            ],
        )?;
    }
    for (number, failure) in &news.first_warnings {
        change.execute(
            "INSERT INTO warning (run, number, failure) VALUES (?1, ?2, ?3)
             ON CONFLICT (run, number) DO NOTHING",
            params![Text(run), number, Json(failure)],
        )?;
    }
    for line in &news.lines {
        change.execute(
            "INSERT INTO line (run, number, at, level, text) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (run, number) DO NOTHING",
            params![
                Text(run),
                integer(line.number),
                At(line.at),
                Text(line.level),
                line.text,
            ],
        )?;
    }
    Ok(())
}

fn end(
    change: &Connection,
    head: &Head,
    ended: Timestamp,
    ending: &Ending,
) -> rusqlite::Result<()> {
    if let Some(snapshot) = &ending.snapshot {
        // Somebody looked into the repository between the commit and this, and took the snapshot
        // for one of somebody else.
        change.execute(
            "DELETE FROM run WHERE repository = ?1 AND snapshot = ?2 AND id <> ?3",
            params![head.new.repository, Text(snapshot), Text(head.run)],
        )?;
    }
    change.execute(
        "UPDATE run SET outcome = ?2, ended = ?3, failure = ?4, snapshot = ?5 WHERE id = ?1",
        params![
            Text(head.run),
            Text(ending.outcome),
            At(ended),
            ending.failure.as_ref().map(Json),
            ending.snapshot.as_ref().map(Text),
        ],
    )?;
    Ok(())
}
