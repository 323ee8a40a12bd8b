//! What the ledger remembers for those who decide: the scheduler, who must run nothing twice, and
//! the protection of a job, which is judged by its last run.

use backup_model::{JobName, RunInfo, RunKind};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::{
    DueRun, LedgerError,
    file::Book,
    row::{At, RUN, Text, run_info},
};

/// What runs are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A job.
    Job(JobName),
    /// A whole repository, by its name in the configuration.
    Repository(String),
}

impl Subject {
    /// The condition on a row, for the parameters 1, 2 and 3: name, kind, and the latest beginning.
    fn condition(&self) -> &'static str {
        match self {
            Self::Job(_) => "job = ?1 AND kind = ?2 AND begun <= ?3",
            Self::Repository(_) => "repository = ?1 AND kind = ?2 AND begun <= ?3 AND job IS NULL",
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Job(job) => job.as_str(),
            Self::Repository(name) => name,
        }
    }
}

/// Two clocks, or one before and after it was set, may differ by so much.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// What is known of the past of something that is scheduled: plain facts. Runs that are dated in
/// the future are left out: a clock was wrong then, and who believed it would run nothing until
/// that day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The latest due time for which a run was begun, or that was missed or skipped on record.
    pub last_due: Option<Timestamp>,
    /// When the last successful run began, whoever asked for it.
    pub last_success: Option<Timestamp>,
    /// How many runs for `last_due` were begun without success, interrupted ones among them; 0
    /// once one of them succeeded, was cancelled, or is on record as missed or skipped.
    pub failed_tries: u32,
    /// When the last of these ended.
    pub failed_at: Option<Timestamp>,
    /// The last run that ended, however; not what was missed or skipped.
    pub last_ended: Option<RunInfo>,
}

impl Book {
    /// What is known of the past of one kind of run of a job or a repository.
    pub(super) fn past(
        &self,
        kind: RunKind,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Past, LedgerError> {
        let look = self.file.unchecked_transaction()?;
        let of = subject.condition();
        let key = params![subject.name(), Text(kind), until(now)];
        let (last_due, last_success): (Option<At>, Option<At>) = look.query_row(
            &format!(
                "SELECT max(due),
                        max(begun) FILTER (WHERE outcome IN ('succeeded', 'warnings'))
                 FROM run WHERE {of}"
            ),
            key,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let (failed_tries, failed_at): (u32, Option<At>) = look.query_row(
            &format!(
                "SELECT iif(count(*) FILTER (
                            WHERE outcome NOT IN ('failed', 'interrupted', 'running')) > 0,
                        0, count(*) FILTER (WHERE outcome <> 'running')),
                        max(ended)
                 FROM run WHERE {of} AND due = (SELECT max(due) FROM run WHERE {of})"
            ),
            key,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let last_ended = look
            .query_row(
                &format!(
                    "SELECT {RUN} FROM run
                     WHERE {of} AND outcome NOT IN ('running', 'missed', 'skipped')
                     ORDER BY id DESC LIMIT 1"
                ),
                key,
                run_info,
            )
            .optional()?;
        Ok(Past {
            last_due: last_due.map(|at| at.0),
            last_success: last_success.map(|at| at.0),
            failed_tries,
            failed_at: failed_at.filter(|_| failed_tries > 0).map(|at| at.0),
            last_ended,
        })
    }

    /// The last run of a kind that did what it should.
    pub(super) fn last_success(
        &self,
        kind: RunKind,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Option<RunInfo>, LedgerError> {
        let of = subject.condition();
        let found = self.file.query_row(
            &format!(
                "SELECT {RUN} FROM run WHERE {of} AND outcome IN ('succeeded', 'warnings')
                 ORDER BY id DESC LIMIT 1"
            ),
            params![subject.name(), Text(kind), until(now)],
            run_info,
        );
        Ok(found.optional()?)
    }

    /// What was done about due times since then, in no order: what [`account`](super::account)
    /// needs.
    pub(super) fn due_runs(
        &self,
        kind: RunKind,
        subject: &Subject,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<DueRun>, LedgerError> {
        let of = subject.condition();
        let mut asked = self.file.prepare(&format!(
            "SELECT id, due, begun, outcome FROM run WHERE {of} AND max(begun, ifnull(due, begun)) 
                 >= ?4"
        ))?;
        let rows = asked.query_map(
            params![subject.name(), Text(kind), until(now), At(since)],
            |row| {
                Ok(DueRun {
                    run: row.get::<_, Text<_>>(0)?.0,
                    due: row.get::<_, Option<At>>(1)?.map(|at| at.0),
                    begun: row.get::<_, At>(2)?.0,
                    outcome: row.get::<_, Text<_>>(3)?.0,
                })
            },
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

fn until(now: Timestamp) -> At {
    At(now.checked_add(CLOCK_SLACK).unwrap_or(now))
}
