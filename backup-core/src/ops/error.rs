//! Why an operation failed: whatever the layers below said, each under its own code.

use std::{
    io,
    path::{Path, PathBuf},
};

use backup_keys::{ChangeError, NotAccepted};
use backup_model::{Code, Failure, RestoreTarget};

use crate::{
    child::PassError,
    format::PathFault,
    pipeline::{Carried, PipelineError, unwrap_io},
    postgres::{ConnectionError, ProgramsError},
    repo::{HostError, RepoError},
    sink::{database::TargetError, directory::DirectoryError},
    source::{
        command::CommandError,
        files::FilesError,
        postgres::{ArchiveError, DumpError, FactsError},
    },
};

/// An operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpError {
    /// The repository.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The host's own files.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Packs could not be written.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The database cannot be asked.
    #[error("could not prepare the dump of {name}")]
    Facts {
        /// The source.
        name: String,
        /// Why.
        source: FactsError,
    },
    /// The dump failed.
    #[error("could not dump {name}")]
    Dump {
        /// The source.
        name: String,
        /// Why.
        source: DumpError,
    },
    /// Folders could not be archived.
    #[error("could not archive {name}")]
    Files {
        /// The source.
        name: String,
        /// Why.
        source: FilesError,
    },
    /// A command failed.
    #[error("could not take what {name} writes")]
    Command {
        /// The source.
        name: String,
        /// Why.
        source: CommandError,
    },
    /// PostgreSQL's programs are missing.
    #[error(transparent)]
    Programs(#[from] ProgramsError),
    /// The database server cannot be asked.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The database could not be restored.
    #[error("could not restore {name}")]
    Database {
        /// The target.
        name: String,
        /// Why.
        source: TargetError,
    },
    /// The folder could not be restored.
    #[error("could not restore {name}")]
    Directory {
        /// The target.
        name: String,
        /// Why.
        source: DirectoryError,
    },
    /// A dump's archive is not whole.
    #[error("{name} is not a whole archive of pg_dump")]
    Archive {
        /// The stream.
        name: String,
        /// Why.
        source: ArchiveError,
    },
    /// A local file or pipe.
    #[error("could not {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// Something that the plan named.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// A restore in place that failed after some of it was done.
    #[error("in place already: {}; the rest is as it was", done.join(", "))]
    InPart {
        /// What is in place, and where that which was there is kept.
        done: Vec<String>,
        /// Why the rest is not.
        source: Box<Self>,
    },
    /// The snapshot has no such stream.
    #[error("{snapshot} has no stream `{stream}`; it has: {}", known.join(", "))]
    NoStream {
        /// The snapshot.
        snapshot: String,
        /// The name that was asked for.
        stream: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The snapshot has no such path.
    #[error("{snapshot} has no `{}`{}", path.display(), alike_text(alike))]
    NoPath {
        /// The snapshot.
        snapshot: String,
        /// The path that was asked for.
        path: PathBuf,
        /// Paths with the same last name.
        alike: Vec<String>,
    },
    /// No entry can have such a path.
    #[error("`{}` is no path of an entry", path.display())]
    BadPath {
        /// The path that was asked for.
        path: PathBuf,
        /// Why not.
        source: PathFault,
    },
    /// A pattern is none.
    #[error("`{glob}` is no pattern")]
    Glob {
        /// The pattern.
        glob: String,
        /// Why not.
        source: globset::Error,
    },
    /// Entries that are not in the order of their paths.
    #[error("the entries of {stream} are not in order at `{path}`: they cannot be compared")]
    Unordered {
        /// The stream.
        stream: String,
        /// The first path out of order.
        path: String,
    },
    /// The report is not to be had: facts of another version.
    #[error("the facts of {stream} are not readable")]
    UnknownFacts {
        /// The stream.
        stream: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A prune that takes much, and nobody said yes to it.
    #[error(
        "{share_percent} % of what snapshots named would be deleted, and nobody said yes to that"
    )]
    LargePrune {
        /// How much of it.
        share_percent: u64,
    },
    /// A prune where a second writer is not kept out, and no host that could hold its jobs still.
    #[error("the store does not keep writers apart: only the host that backs up here may prune")]
    PruneElsewhere,
    /// A change of trust cannot be made.
    #[error(transparent)]
    Trust(#[from] ChangeError),
    /// A change of trust that somebody else has made is not stored.
    #[error("trust was not changed")]
    NotAccepted(#[from] NotAccepted),
    /// Stopped on request.
    #[error("stopped on request")]
    Cancelled,
}

impl OpError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Repo(error) => error.code(),
            Self::Host(error) => error.code(),
            Self::Pipeline(error) => error.code(),
            Self::Facts { source, .. } => source.code(),
            Self::Dump { source, .. } => source.code(),
            Self::Files { source, .. } => source.code(),
            Self::Command { source, .. } => source.code(),
            Self::Programs(error) => error.code(),
            Self::Connection(error) => error.code(),
            Self::Database { source, .. } => source.code(),
            Self::Directory { source, .. } => source.code(),
            Self::Archive { .. } | Self::UnknownFacts { .. } => Code::Damaged,
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::NoSpace,
                _ => Code::LocalIo,
            },
            Self::Refused(failure) => failure.code,
            Self::InPart { source, .. } => source.code(),
            Self::NoStream { .. } => Code::NoStream,
            Self::NoPath { .. } => Code::NoPath,
            Self::BadPath { .. } | Self::Glob { .. } => Code::Usage,
            Self::Unordered { .. } => Code::Failed,
            Self::LargePrune { .. } => Code::NotConfirmed,
            Self::PruneElsewhere => Code::SingleWriter,
            Self::Trust(error) => error.code(),
            Self::NotAccepted(error) => error.code(),
            Self::Cancelled => Code::Interrupted,
        }
    }

    /// As it is shown and sent.
    pub fn to_failure(&self) -> Failure {
        if let Self::Refused(failure) = self {
            return failure.clone();
        }
        Failure::from_error(self.code(), self)
    }

    /// A target of a newer contract.
    pub(super) fn unknown_target(target: &RestoreTarget) -> Self {
        let text = format!("this program cannot restore to {target:?}");
        Self::Refused(Failure::new(Code::TargetRefused, text))
    }

    /// A failure of the dump: if what took the bytes failed, that is the story.
    pub(super) fn dump(name: &str, source: DumpError) -> Self {
        let name = name.to_owned();
        match source {
            DumpError::Pass(error) => Self::passed(error, |error| Self::Dump {
                name,
                source: error.into(),
            }),
            source => Self::Dump { name, source },
        }
    }

    /// A failure of a command: likewise.
    pub(super) fn command(name: &str, source: CommandError) -> Self {
        Self::passed(source.0, |error| Self::Command {
            name: name.to_owned(),
            source: error.into(),
        })
    }

    fn passed(error: PassError, failed: impl FnOnce(PassError) -> Self) -> Self {
        match error {
            PassError::Cancelled { .. } => Self::Cancelled,
            PassError::Output { program, source } => match unwrap_io(source) {
                Carried::Pipeline(error) => error.into(),
                Carried::Repo(error) => error.into(),
                Carried::Io(source) => failed(PassError::Output { program, source }),
            },
            error => failed(error),
        }
    }

    /// A failure of the archive of files: likewise.
    pub(super) fn files(name: &str, source: FilesError) -> Self {
        match source {
            FilesError::Cancelled => Self::Cancelled,
            FilesError::Sink(source) => Self::io("store the archive of files", source),
            source => Self::Files {
                name: name.to_owned(),
                source,
            },
        }
    }

    /// A failure of a restore into a database: if the stream failed, that is the story.
    pub(super) fn database(name: &str, source: TargetError) -> Self {
        match source {
            TargetError::Cancelled => Self::Cancelled,
            TargetError::Read(source) => Self::io("read the snapshot", source),
            source => Self::Database {
                name: name.to_owned(),
                source,
            },
        }
    }

    /// A failure of a restore into a folder: likewise.
    pub(super) fn directory(path: &Path, source: DirectoryError) -> Self {
        match source {
            DirectoryError::Cancelled => Self::Cancelled,
            DirectoryError::Read(source) => Self::io("read the snapshot", source),
            source => Self::Directory {
                name: path.display().to_string(),
                source,
            },
        }
    }

    /// An I/O error, or what it carried.
    pub(super) fn io(what: &str, source: io::Error) -> Self {
        match unwrap_io(source) {
            Carried::Pipeline(error) => error.into(),
            Carried::Repo(error) => error.into(),
            Carried::Io(source) => Self::Io {
                what: what.to_owned(),
                source,
            },
        }
    }
}

fn alike_text(alike: &[String]) -> String {
    if alike.is_empty() {
        return String::new();
    }
    format!("; it has {}", alike.join(", "))
}

impl From<crate::store::StoreError> for OpError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Repo(error.into())
    }
}
