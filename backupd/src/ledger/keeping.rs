//! How long the ledger remembers. What decides about the next run stays, however old.

use jiff::{SignedDuration, Timestamp};
use rusqlite::TransactionBehavior;

use super::{LedgerError, file::Book, row::At};

/// How long runs and their logs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Runs.
    pub runs: SignedDuration,
    /// Their logs, phases and warnings, which take the most space.
    pub logs: SignedDuration,
}

impl Default for Keep {
    /// Runs for 400 days, so that a year can be compared with the last; logs for 60.
    fn default() -> Self {
        Self {
            runs: SignedDuration::from_hours(400 * 24),
            logs: SignedDuration::from_hours(60 * 24),
        }
    }
}

impl Book {
    /// Removes what is too old. Says how many runs went.
    pub(super) fn discard(&mut self, keep: Keep, now: Timestamp) -> Result<u64, LedgerError> {
        let before = |age: SignedDuration| {
            let time = now.checked_sub(age).unwrap_or(Timestamp::MIN);
            At(time)
        };
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for table in ["phase", "warning", "line"] {
            change.execute(
                &format!(
                    "DELETE FROM {table} WHERE run IN (
                         SELECT id FROM run WHERE heard < ?1 AND outcome <> 'running')"
                ),
                [before(keep.logs)],
            )?;
        }
        // Of each job and kind stays: the last run, the last success, the last due time.
        let gone = change.execute(
            "DELETE FROM run WHERE heard < ?1 AND outcome <> 'running' AND id NOT IN (
                 SELECT max(id) FROM run GROUP BY job, repository, kind
                 UNION ALL
                 SELECT max(id) FROM run WHERE outcome IN ('succeeded', 'warnings')
                     GROUP BY job, repository, kind
                 UNION ALL
                 SELECT max(id) FROM run AS one WHERE due = (
                     SELECT max(due) FROM run AS other
                     WHERE other.job IS one.job AND other.repository = one.repository
                         AND other.kind = one.kind)
                     GROUP BY job, repository, kind)",
            [before(keep.runs)],
        )?;
        change.commit()?;
        Ok(gone as u64)
    }
}
