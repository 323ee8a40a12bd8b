//! Runs one `pg_dump` and passes its archive on, whole or not at all.
//!
//! A dump counts when three things agree: the program ended with status 0, its archive is whole,
//! and all of it was taken. The call blocks and is for a plain thread; the program never outlives
//! it, whichever way it ends.

use std::{
    io::{self, Read as _, Write},
    process::Stdio,
};

use backup_model::{Code, DatabaseFacts, Failure};
use tokio_util::sync::CancellationToken;

use super::{ArchiveCheck, ArchiveError, ArchiveSummary};
use crate::postgres::{
    ChildError, Connection, ConnectionError, Programs, Stderr, child::Running,
    environment::ChildEnvironment,
};

/// How much is passed on at once, and how large the pipe is made.
const PIECE_BYTES: usize = 1 << 20;
/// A table that somebody changes the shape of makes the dump fail, not wait for ever.
const LOCK_WAIT: &str = "--lock-wait-timeout=600000";

/// Why there is no dump.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The connection cannot be handed to a program.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The program failed.
    #[error(transparent)]
    Program(#[from] ChildError),
    /// The pipe from the program broke.
    #[error("cannot read what `{program}` writes")]
    Pipe {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Whoever takes the bytes failed; the program was stopped.
    #[error("cannot pass on what `{program}` writes")]
    Output {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program reported no error, but what it wrote is no archive, or not a whole one.
    #[error("`pg_dump` reported no error, but did not write a whole archive{stderr}")]
    Archive {
        /// What it wrote to standard error.
        stderr: Stderr,
        /// What is wrong with the archive.
        #[source]
        source: ArchiveError,
    },
    /// `pg_dumpall` said that all was well, but its output has no end, or is too large.
    #[error("`pg_dumpall` ended without an error, but its output {what}{stderr}")]
    Globals {
        /// What is wrong.
        what: &'static str,
        /// What it wrote to standard error.
        stderr: Stderr,
    },
    /// Stopped on request.
    #[error("the dump was cancelled")]
    Cancelled,
}

impl DumpError {
    /// The stable code. `Output` has none of its own: ask its source.
    pub fn code(&self) -> Code {
        match self {
            Self::Connection(error) => error.code(),
            Self::Program(ChildError::Start { .. }) => Code::ProgramMissing,
            Self::Program(_) | Self::Pipe { .. } | Self::Archive { .. } | Self::Globals { .. } => {
                Code::PgDump
            }
            Self::Output { .. } => Code::LocalIo,
            Self::Cancelled => Code::Interrupted,
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
/// worth something only if this succeeds.
pub fn dump(
    connection: &Connection,
    programs: &Programs,
    facts: &DatabaseFacts,
    out: &mut dyn Write,
    cancel: &CancellationToken,
) -> Result<DumpSummary, DumpError> {
    let environment = ChildEnvironment::new(connection)?;
    let mut command = environment.command(programs.pg_dump());
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
    let ended = run("pg_dump", command, cancel, &mut |piece| {
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

/// Runs a program to its end, giving what it writes to `take` piece by piece.
pub(super) fn run(
    program: &'static str,
    mut command: std::process::Command,
    cancel: &CancellationToken,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Stderr, DumpError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut running = Running::start(program, command, cancel)?;
    let mut pipe = running
        .take_stdout()
        .expect("standard output was just asked to be a pipe");
    // A larger pipe lets the program run ahead; without one it merely waits more often.
    rustix::pipe::fcntl_setpipe_size(&pipe, PIECE_BYTES).ok();
    let mut piece = vec![0; PIECE_BYTES];
    let passed = loop {
        match pipe.read(&mut piece) {
            Ok(0) => break Ok(()),
            Ok(len) => {
                if let Err(source) = take(&piece[..len]) {
                    break Err(DumpError::Output { program, source });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => break Err(DumpError::Pipe { program, source }),
        }
    };
    if passed.is_err() {
        running.stop();
    }
    drop(pipe);
    let ended = running.end();
    passed?;
    match ended {
        Err(_) if cancel.is_cancelled() => Err(DumpError::Cancelled),
        ended => Ok(ended?),
    }
}
