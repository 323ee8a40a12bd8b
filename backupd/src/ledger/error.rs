//! Why the ledger did not do what it was asked. None of it is a reason not to back up.

use std::{io, path::PathBuf};

use backup_model::{Code, RunId};
use rusqlite::ErrorCode;

/// Why the ledger did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Another daemon has it.
    #[error("another daemon uses the state folder {}{}", state.display(), who(*pid))]
    InUse {
        /// The state folder.
        state: PathBuf,
        /// Its process, if it said so.
        pid: Option<u32>,
    },
    /// It belongs to another user, who alone may change what is in it.
    #[error(
        "the state folder {} belongs to another user: do this as that user \
         (sudo -u '#{owner}' ...), or ask the daemon",
        state.display()
    )]
    Foreign {
        /// The state folder.
        state: PathBuf,
        /// Its owner's number.
        owner: u32,
    },
    /// The file or its folder cannot be used at all.
    #[error("could not use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written to.
    #[error("the run ledger is read-only")]
    ReadOnly,
    /// There is no space left for it.
    #[error("no space is left for the run ledger")]
    Full,
    /// What is in it is not what was written. It is made anew at the next call.
    #[error("the run ledger is damaged")]
    Corrupt(#[source] rusqlite::Error),
    /// SQLite failed in another way.
    #[error("the run ledger failed")]
    Sqlite(#[source] rusqlite::Error),
    /// There is none to read.
    #[error("there is no run ledger at {}", .0.display())]
    Missing(PathBuf),
    /// It was written by a newer program.
    #[error(
        "the run ledger is of a newer version of this program ({found}; this one knows {known})"
    )]
    Newer {
        /// Its version.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// It does not know the run.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// No run's id ends so.
    #[error("there is no run `{0}`")]
    NoSuch(String),
    /// Several do.
    #[error("`{text}` is the end of {count} runs' ids")]
    Ambiguous {
        /// What was given.
        text: String,
        /// How many.
        count: usize,
    },
    /// It took too long.
    #[error("the run ledger did not answer within {0} s")]
    Slow(u64),
    /// Its thread has ended, or cannot be started.
    #[error("the run ledger is closed")]
    Closed,
}

fn who(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}

impl LedgerError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::InUse { .. } => Code::Busy,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::NoSpace,
                _ => Code::LocalIo,
            },
            Self::Full => Code::NoSpace,
            Self::Foreign { .. }
            | Self::ReadOnly
            | Self::Corrupt(_)
            | Self::Sqlite(_)
            | Self::Newer { .. }
            | Self::Slow(_)
            | Self::Closed => Code::LocalIo,
            Self::Missing(_) | Self::NoRun(_) | Self::NoSuch(_) => Code::NoRun,
            Self::Ambiguous { .. } => Code::Usage,
        }
    }

    /// Whether the file itself is at fault, so that only another one helps.
    pub(super) fn condemns_the_file(&self) -> bool {
        matches!(self, Self::Corrupt(_))
    }

    /// Whether an answer was given, only not the wished one: nothing is wrong with the ledger.
    pub(super) fn is_answer(&self) -> bool {
        matches!(
            self,
            Self::NoRun(_) | Self::NoSuch(_) | Self::Ambiguous { .. }
        )
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error),
            _ => match error {
                // A column that does not hold what only we write there.
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Corrupt(error),
                error => Self::Sqlite(error),
            },
        }
    }
}
