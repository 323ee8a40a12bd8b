//! Runs one `pg_dump` and passes its archive on, whole or not at all.
//!
//! A dump counts when three things agree: the program ended with status 0, its archive is whole,
//! and all of it was taken. The call blocks and is for a plain thread; the program never outlives
//! it, whichever way it ends.

use std::{
    io::{self, Write},
    time::Duration,
};

use backup_model::{Code, DatabaseFacts, Failure};
use tokio_util::sync::CancellationToken;

use super::{ArchiveCheck, ArchiveError, ArchiveSummary};
use crate::{
    child::{ChildError, PassError, PipeLimits, Stderr, pass},
    postgres::{Connection, ConnectionError, Programs, environment::ChildEnvironment},
};

/// A table that somebody changes the shape of makes the dump fail, not wait for ever.
const LOCK_WAIT: &str = "--lock-wait-timeout=600000";

/// Why there is no dump.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The connection cannot be handed to a program.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The program failed, or what it wrote could not be passed on.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// The program reported no error, but what it wrote is no archive, or not a whole one.
    #[error("`pg_dump` reported no error, but did not write a whole archive{stderr}")]
    Archive {
        /// What it wrote to standard error.
        stderr: Stderr,
        /// What is wrong with the archive.
        #[source]
        source: ArchiveError,
    },
    /// `pg_dumpall` said that all was well, but its output has no end.
    #[error("`pg_dumpall` ended without an error, but its output has no end{stderr}")]
    Globals {
        /// What it wrote to standard error.
        stderr: Stderr,
    },
}

impl DumpError {
    /// The stable code. [`PassError::Output`] has none of its own: ask its source.
    pub fn code(&self) -> Code {
        match self {
            Self::Connection(error) => error.code(),
            Self::Pass(error) => match error {
                PassError::Program(ChildError::Start { .. }) => Code::ProgramMissing,
                PassError::Output { .. } => Code::LocalIo,
                PassError::Cancelled { .. } => Code::Interrupted,
                PassError::Program(_)
                | PassError::Pipe { .. }
                | PassError::Stalled { .. }
                | PassError::TooMuch { .. } => Code::PgDump,
            },
            Self::Archive { .. } | Self::Globals { .. } => Code::PgDump,
        }
    }
}

/// A finished dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpSummary {
    /// What the archive holds.
    pub archive: ArchiveSummary,
    /// What `pg_dump` said although it succeeded.
    pub warnings: Vec<Failure>,
}

/// Dumps the connection's database, of which `facts` were asked, into `out`. What `out` got is
/// worth something only if this succeeds. A dump that is silent for `stall` is given up.
pub fn dump(
    connection: &Connection,
    programs: &Programs,
    facts: &DatabaseFacts,
    stall: Duration,
    out: &mut dyn Write,
    cancel: &CancellationToken,
) -> Result<DumpSummary, DumpError> {
    let environment = ChildEnvironment::new(connection)?;
    let mut command = environment.command(programs.pg_dump())?;
    command
        .args([
            "--format=custom",
            "--compress=0",
            "--no-password",
            LOCK_WAIT,
        ])
        // In its own encoding nothing is converted, so nothing can fail to be; a database in
        // SQL_ASCII may hold bytes that are no text in any other.
        .arg(format!("--encoding={}", facts.encoding));
    let mut check = ArchiveCheck::new();
    let mut faulty = None;
    let limits = PipeLimits {
        stall,
        most_bytes: None,
    };
    let ended = pass("pg_dump", command, limits, cancel, &mut |piece| {
        check.push(piece).map_err(|fault| {
            faulty = Some(fault);
            io::Error::from(io::ErrorKind::InvalidData)
        })?;
        out.write_all(piece)
    });
    if let Some(source) = faulty {
        let stderr = Stderr::default();
        return Err(DumpError::Archive { stderr, source });
    }
    let stderr = ended?;
    match check.finish() {
        Ok(archive) => Ok(DumpSummary {
            archive,
            warnings: Vec::from_iter(stderr.warning(Code::PgDump, "pg_dump")),
        }),
        Err(source) => Err(DumpError::Archive { stderr, source }),
    }
}
