//! What goes wrong while streams become packs.

use std::io;

use backup_model::Code;

use crate::{
    codec::CodecError, crypt::CryptError, format::LinesError, repo::RepoError, store::StoreError,
};

/// Writing packs failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A block could not be compressed.
    #[error("could not compress a block")]
    Compress(#[source] CodecError),
    /// A pack could not be sealed.
    #[error("could not seal a pack")]
    Seal(#[source] CryptError),
    /// A sealed pack does not open to what went in: a fault of this machine or program.
    #[error("a new pack does not decode to what went into it")]
    SelfCheck,
    /// The recipe breaks the format's own rules.
    #[error("the snapshot's recipe would not be readable")]
    Recipe(#[source] LinesError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store gives back something else than was written.
    #[error("the store does not give back what was written as {0}")]
    ReadBack(String),
    /// A temporary file of this host.
    #[error("could not use a temporary file of this host's state")]
    Scratch(#[source] io::Error),
    /// What this run stored cannot be looked up.
    #[error("could not remember what was stored in this host's state")]
    LocalIndex(#[source] io::Error),
    /// The other end of a channel is gone; its own error says why.
    #[error("the upload has stopped")]
    UploadStopped,
    /// A thread could not be started, or died.
    #[error("a worker thread failed")]
    Thread(#[source] io::Error),
    /// More chunks or packs than the format can number.
    #[error("more packs in one snapshot than can be numbered")]
    TooManyPacks,
}

impl PipelineError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::ReadBack(_) => Code::Store,
            Self::Compress(_)
            | Self::Seal(_)
            | Self::SelfCheck
            | Self::Recipe(_)
            | Self::UploadStopped => Code::Bug,
            Self::Scratch(source) | Self::LocalIndex(source) => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::NoSpace,
                _ => Code::LocalIo,
            },
            Self::Thread(_) | Self::TooManyPacks => Code::Failed,
        }
    }
}

/// Finds the engine's own error inside an I/O error that carried it through a `Read` or `Write`.
pub(crate) fn unwrap_io(error: io::Error) -> Carried {
    match error.downcast::<PipelineError>() {
        Ok(error) => Carried::Pipeline(error),
        Err(error) => match error.downcast::<RepoError>() {
            Ok(error) => Carried::Repo(error),
            Err(error) => Carried::Io(error),
        },
    }
}

/// What an I/O error carried.
#[derive(Debug)]
pub(crate) enum Carried {
    /// Writing packs failed.
    Pipeline(PipelineError),
    /// Reading packs failed.
    Repo(RepoError),
    /// It is what it seems.
    Io(io::Error),
}
