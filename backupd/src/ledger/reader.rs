//! The ledger for whoever only looks: `backupctl` where no daemon answers, or beside one.
//!
//! It blocks, and it writes nothing: neither marks nor repairs. A file that is damaged is the next
//! daemon's to move aside.

use std::{collections::BTreeMap, path::Path};

use backup_model::{JobName, Pause, RunDetail, RunId, RunInfo, RunKind, RunLog, RunPage, RunQuery};
use jiff::Timestamp;

use super::{LedgerError, Past, Subject, Verified, file::Book};

/// An open ledger, for reading.
#[derive(Debug)]
pub struct LedgerReader {
    book: Book,
}

impl LedgerReader {
    /// Opens the ledger of a state folder.
    pub fn open(state: &Path) -> Result<Self, LedgerError> {
        Book::read(state).map(|book| Self { book })
    }

    /// Runs, the newest first. One that is said to run may have died with its daemon.
    pub fn list(&self, query: &RunQuery) -> Result<RunPage, LedgerError> {
        self.book.list(query)
    }

    /// The run whose id this is, or the end of it.
    pub fn find(&self, text: &str) -> Result<RunId, LedgerError> {
        self.book.find(text)
    }

    /// One run with its story.
    pub fn show(&self, run: RunId) -> Result<RunDetail, LedgerError> {
        self.book.show(run)
    }

    /// The log of a run from this line on.
    pub fn log(&self, run: RunId, from: u64) -> Result<RunLog, LedgerError> {
        self.book.log(run, from)
    }

    /// What is known of the past of one kind of run.
    pub fn past(
        &self,
        kind: RunKind,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Past, LedgerError> {
        self.book.past(kind, subject, now)
    }

    /// The last run of a kind that did what it should.
    pub fn last_success(
        &self,
        kind: RunKind,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Option<RunInfo>, LedgerError> {
        self.book.last_success(kind, subject, now)
    }

    /// The pauses that count at this time.
    pub fn pauses(&self, now: Timestamp) -> Result<BTreeMap<JobName, Pause>, LedgerError> {
        self.book.pauses(now)
    }

    /// What is remembered of a repository's verifications.
    pub fn verified(&self, repository: &str) -> Result<Vec<Verified>, LedgerError> {
        self.book.verified(repository)
    }
}
