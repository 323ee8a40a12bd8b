//! What was verified when: the memory of the rolling verification. Losing it costs that everything
//! is verified once more; damage is not forgotten by it for longer than that.

use std::collections::BTreeSet;

use backup_model::{JobName, Level, Seq, SnapshotName, Verdict, VerifyReport};
use jiff::Timestamp;
use rusqlite::{TransactionBehavior, params};

use super::{
    LedgerError,
    file::Book,
    row::{At, Json, Text, integer},
};

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyOutcome {
    /// Nothing wrong.
    Good,
    /// The backup is bad.
    Damaged,
    /// The environment could not test it.
    Untested,
}

impl VerifyOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Damaged => "damaged",
            Self::Untested => "untested",
        }
    }

    fn of(text: &str) -> Self {
        match text {
            "good" => Self::Good,
            "damaged" => Self::Damaged,
            _ => Self::Untested,
        }
    }
}

/// What is remembered of the verification of one snapshot at one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which snapshot.
    pub snapshot: SnapshotName,
    /// At which level.
    pub level: Level,
    /// When it was last tried.
    pub at: Timestamp,
    /// With what outcome.
    pub outcome: VerifyOutcome,
    /// When it was last good.
    pub good: Option<Timestamp>,
}

impl Verified {
    /// What to remember of a report.
    pub fn of(report: &VerifyReport, at: Timestamp) -> Self {
        let outcome = match report.verdict {
            Verdict::Good => VerifyOutcome::Good,
            Verdict::Damaged { .. } => VerifyOutcome::Damaged,
            // A verdict that is newer than this program proves nothing to it.
            _ => VerifyOutcome::Untested,
        };
        Self {
            snapshot: report.snapshot.clone(),
            level: report.level,
            at,
            outcome,
            good: (outcome == VerifyOutcome::Good).then_some(at),
        }
    }
}

impl Book {
    /// Remembers verifications. What could not be tested takes nothing from what was once known:
    /// neither that it was good, nor that it is damaged.
    pub(super) fn remember(
        &mut self,
        repository: &str,
        verified: &[Verified],
    ) -> Result<(), LedgerError> {
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for one in verified {
            change.execute(
                "INSERT INTO verified (repository, job, seq, level, at, outcome, good)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (repository, job, seq, level) DO UPDATE SET
                     at = excluded.at,
                     outcome = iif(excluded.outcome = 'untested' AND outcome = 'damaged',
                                   outcome, excluded.outcome),
                     good = ifnull(excluded.good, good)",
                params![
                    repository,
                    Text(&one.snapshot.job),
                    integer(one.snapshot.seq.0),
                    Json(one.level),
                    At(one.at),
                    one.outcome.as_str(),
                    one.good.map(At),
                ],
            )?;
        }
        Ok(change.commit()?)
    }

    /// What is remembered of a repository, in the order of names and levels.
    pub(super) fn verified(&self, repository: &str) -> Result<Vec<Verified>, LedgerError> {
        let mut asked = self.file.prepare(
            "SELECT job, seq, level, at, outcome, good FROM verified WHERE repository = ?1
             ORDER BY job, seq, level",
        )?;
        let rows = asked.query_map([repository], |row| {
            let seq: i64 = row.get(1)?;
            Ok(Verified {
                snapshot: SnapshotName {
                    job: row.get::<_, Text<JobName>>(0)?.0,
                    seq: Seq(u64::try_from(seq).unwrap_or(0)),
                },
                level: row.get::<_, Json<_>>(2)?.0,
                at: row.get::<_, At>(3)?.0,
                outcome: VerifyOutcome::of(&row.get::<_, String>(4)?),
                good: row.get::<_, Option<At>>(5)?.map(|at| at.0),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Forgets what is remembered of snapshots that are not there any more.
    pub(super) fn keep_verified(
        &mut self,
        repository: &str,
        present: &BTreeSet<SnapshotName>,
    ) -> Result<(), LedgerError> {
        let gone: Vec<Verified> = self
            .verified(repository)?
            .into_iter()
            .filter(|one| !present.contains(&one.snapshot))
            .collect();
        let change = self
            .file
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for one in gone {
            change.execute(
                "DELETE FROM verified WHERE repository = ?1 AND job = ?2 AND seq = ?3",
                params![
                    repository,
                    Text(&one.snapshot.job),
                    integer(one.snapshot.seq.0)
                ],
            )?;
        }
        Ok(change.commit()?)
    }
}
