//! Why a benchmark stops: it gives whole results or none.

use std::{io, path::Path, process::ExitStatus, time::Duration};

use backup_core::postgres::{ProgramsError, ScratchError};

/// Why a benchmark stops.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A file or folder.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        #[source]
        source: io::Error,
    },
    /// A program that must not fail did.
    #[error("{line}\n{status}\n{said}")]
    Program {
        /// The command line.
        line: String,
        status: ExitStatus,
        /// The end of its standard error.
        said: String,
    },
    /// A program takes too long.
    #[error("ended after {} s: {line}", .limit.as_secs())]
    Slow {
        /// The command line.
        line: String,
        limit: Duration,
    },
    /// A program is not there.
    #[error(
        "`{program}`, or what belongs to it, is not installed: apt-get install --no-install-recommends {packages}"
    )]
    Missing {
        program: &'static str,
        packages: &'static str,
    },
    /// PostgreSQL's programs are not there.
    #[error("PostgreSQL is not installed: apt-get install --no-install-recommends postgresql")]
    Programs(#[source] ProgramsError),
    /// The throw-away server does not run.
    #[error("there is no throw-away server")]
    Server(#[source] ScratchError),
    /// Something was printed that cannot be understood.
    #[error("cannot understand {what}: `{text}`")]
    Strange { what: &'static str, text: String },
    /// What came back is not what was stored.
    #[error("wrong: {0}")]
    Wrong(String),
}

impl BenchError {
    /// For `map_err`: what was being done to which file.
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}
