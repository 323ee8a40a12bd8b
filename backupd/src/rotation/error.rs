//! Why a secret was not replaced. Never holds any part of one.

use std::{error::Error as _, io, path::PathBuf};

use backup_core::postgres::ConnectionError;
use backup_model::{Code, Failure, JobName};

use crate::config::SecretError;

/// Why a secret was not replaced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The job has no such database.
    #[error("the job `{job}` has no database that is called `{source_name}`")]
    NoSource {
        /// The job.
        job: JobName,
        /// What was asked for.
        source_name: String,
    },
    /// The job has no database at all.
    #[error("the job `{0}` has no database")]
    NoDatabase(JobName),
    /// It has several.
    #[error("the job `{job}` has several databases with passwords of their own: {}", names.join(", "))]
    Several {
        /// The job.
        job: JobName,
        /// Their names.
        names: Vec<String>,
    },
    /// The repository has no access key.
    #[error("the repository `{0}` is a folder, which has no access key")]
    NoCredentials(String),
    /// Nothing refers to a secret.
    #[error("{what} is not in the configuration, so there is nothing to replace")]
    None {
        /// Which secret.
        what: String,
    },
    /// No new access key, and nothing to end either.
    #[error("no file with a new access key was named, and no rotation was interrupted")]
    NothingGiven,
    /// The secret is not in a file.
    #[error("{what} comes from {origin}, and only a file can be replaced here")]
    NotAFile {
        /// Which secret.
        what: String,
        /// Where it comes from.
        origin: String,
    },
    /// One file is what two different secrets are read from.
    #[error("{} holds {what} for {for_whom} too", path.display())]
    OneFile {
        /// The file.
        path: PathBuf,
        /// What is in it.
        what: &'static str,
        /// Who else uses it for something else.
        for_whom: String,
    },
    /// Somebody else uses the same secret, and finds it elsewhere.
    #[error("{other} signs in as `{role}` on the same server and has its password from {origin}")]
    Elsewhere {
        /// Who.
        other: String,
        /// The role.
        role: String,
        /// Where it has it from.
        origin: String,
    },
    /// The server does not look at passwords here.
    #[error("the database server at {server} lets `{role}` in without a password")]
    Unasked {
        /// The server.
        server: String,
        /// The role.
        role: String,
    },
    /// The server is too old.
    #[error("the database server at {0} does not know SCRAM: it is older than version 10")]
    TooOld(String),
    /// A source that uses the same file reaches something else.
    #[error("{other} uses the same file, for another role or server")]
    OtherServer {
        /// The source.
        other: String,
    },
    /// Another rotation is at work.
    #[error("another rotation is at work in {}", .0.display())]
    Busy(PathBuf),
    /// Of what an interrupted rotation left, nothing works.
    #[error("neither {} nor what an interrupted rotation left beside it works", path.display())]
    NeitherWorks {
        /// The file.
        path: PathBuf,
        /// What the one in use was answered.
        #[source]
        source: Box<Failure>,
    },
    /// The new secret did not work, and the old one is in use again.
    #[error("the new {what} failed its test, and the old one is in use as before")]
    RolledBack {
        /// Which secret.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<Self>,
    },
    /// The new secret did not work, and the old one could not be brought back.
    #[error("the new {what} failed its test ({why}), and the old one could not be brought back; \
             both are kept, in {} and beside it", path.display())]
    Stuck {
        /// Which secret.
        what: &'static str,
        /// Why the new one failed.
        why: Box<Self>,
        /// The file.
        path: PathBuf,
        /// Why the old one could not be brought back.
        #[source]
        source: Box<Self>,
    },
    /// A sign-in with the new secret.
    #[error("{who} cannot use it")]
    Test {
        /// Who tried.
        who: String,
        /// What came of it.
        #[source]
        source: Box<Failure>,
    },
    /// The new password leads to somebody else.
    #[error("{who} came in as somebody else with it")]
    Someone {
        /// Who tried.
        who: String,
    },
    /// The new credentials lead to another repository.
    #[error("the new access key of `{0}` leads to another repository")]
    OtherRepository(String),
    /// A database server.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// A reference could not be resolved.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The system has no random numbers.
    #[error("no random numbers from the system")]
    Random(#[source] io::Error),
    /// A file.
    #[error("could not {what} {}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file with the secret.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl RotationError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NoSource { .. } | Self::Several { .. } | Self::NothingGiven => Code::Usage,
            Self::NoDatabase(_)
            | Self::NoCredentials(_)
            | Self::None { .. }
            | Self::NotAFile { .. }
            | Self::OneFile { .. }
            | Self::Elsewhere { .. }
            | Self::Unasked { .. }
            | Self::TooOld(_)
            | Self::OtherServer { .. }
            | Self::Someone { .. }
            | Self::OtherRepository(_) => Code::RotationRefused,
            Self::Busy(_) => Code::Busy,
            Self::NeitherWorks { source, .. } | Self::Test { source, .. } => source.code,
            Self::RolledBack { source, .. } | Self::Stuck { source, .. } => source.code(),
            Self::Connection(error) => error.code(),
            Self::Secret(_) => Code::Config,
            Self::Random(_) => Code::Failed,
            Self::File { .. } => Code::LocalIo,
        }
    }
}

impl From<RotationError> for Failure {
    fn from(error: RotationError) -> Self {
        let mut failure = Self::from_error(error.code(), &error);
        // A failure is the end of a chain of errors, and holds the rest of it as text.
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(last) = cause.downcast_ref::<Box<Self>>() {
                failure.causes.extend(last.causes.iter().cloned());
            }
            source = cause.source();
        }
        failure
    }
}
