//! What goes wrong with a repository's records: always with the object's key.

use std::{io, path::PathBuf};

use backup_keys::{EpochError, PublicKey, RecordError};
use backup_model::{Code, Digest, HoldInfo, JobName, SnapshotName, Why};

use crate::{
    codec::CodecError,
    crypt::CryptError,
    format::{EntryError, LinesError},
    store::StoreError,
};

/// A repository, its records or its protocol.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepoError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing is there.
    #[error("no repository at {0}")]
    Missing(String),
    /// Something is there, but no `repository.json`.
    #[error("{0} holds other things and no repository")]
    NotOurs(String),
    /// There is one already.
    #[error("a repository is at {0} already")]
    Exists(String),
    /// A repository is only made where nothing is.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// A newer format.
    #[error("the repository has format {found}; this program knows format {known}")]
    Newer {
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Nobody said which root key to expect.
    #[error("the repository is signed by {0}, and nobody said that this key is trusted")]
    Untrusted(PublicKey),
    /// Another root key than expected.
    #[error("the repository is signed by {found}, not by {expected}")]
    OtherRoot {
        /// The key it names.
        found: PublicKey,
        /// The key that was asked for.
        expected: PublicKey,
    },
    /// A record is not what it must be.
    #[error("the record {key} is not valid")]
    Record {
        /// Its key.
        key: String,
        /// Why.
        source: RecordError,
    },
    /// A record breaks a rule that signatures do not cover.
    #[error("the record {key} breaks a rule: {rule}")]
    Rule {
        /// Its key.
        key: String,
        /// Which.
        rule: String,
    },
    /// A record of a key that was removed, and none of those that were there then.
    #[error("the record {key} does not count: the key `{writer}` was removed without it")]
    NotAccepted {
        /// Its key.
        key: String,
        /// Whose key signed it.
        writer: JobName,
        /// Its digest.
        digest: Digest,
    },
    /// A record that this machine has seen is gone.
    #[error("the record {key} was here when this machine last looked, and is gone ({} says so)", memory.display())]
    RolledBack {
        /// Its key.
        key: String,
        /// Where that is remembered.
        memory: PathBuf,
    },
    /// A record that this machine has seen has become another.
    #[error("the record {key} is not the one that this machine has seen here ({} says so)", memory.display())]
    Forked {
        /// Its key.
        key: String,
        /// Where that is remembered.
        memory: PathBuf,
    },
    /// A record of the repository itself is missing.
    #[error("the record {0} is missing")]
    RecordMissing(String),
    /// An object that is there and was not listed.
    #[error("{0} is there, but the store's listing does not have it")]
    Unlisted(String),
    /// An object that a record names is missing.
    #[error("{0} is missing")]
    ObjectMissing(String),
    /// An object is not of the size or digest that a record names.
    #[error("{key}: {expected} expected, {found} found")]
    ObjectDiffers {
        /// Its key.
        key: String,
        /// What the record says.
        expected: String,
        /// What is there.
        found: String,
    },
    /// An object does not decrypt.
    #[error("could not decrypt {key}")]
    Decrypt {
        /// Its key.
        key: String,
        /// Why.
        source: CryptError,
    },
    /// An object does not decompress.
    #[error("could not decompress {key}")]
    Decompress {
        /// Its key.
        key: String,
        /// Why.
        source: CodecError,
    },
    /// An object's text is not what the format asks for.
    #[error("could not read {key}")]
    Lines {
        /// Its key.
        key: String,
        /// Why.
        source: LinesError,
    },
    /// A line of a list of entries is none.
    #[error("{key}: line {line} is not an entry")]
    Entry {
        /// The list.
        key: String,
        /// Counted from 1.
        line: u64,
        /// Why.
        source: EntryError,
    },
    /// The identity opens no key file of the epoch.
    #[error("the identity ({identity}) opens no key of epoch {epoch}")]
    WrongIdentity {
        /// The identity's recipient.
        identity: String,
        /// The epoch.
        epoch: u64,
    },
    /// A key file or canary is not what trust says.
    #[error("the key file {key} is not valid")]
    KeyFile {
        /// Its key.
        key: String,
        /// Why.
        source: EpochError,
    },
    /// The writer's key is not in the trust record, or may not write this job.
    #[error("the writer key {key} may not back up {job}: {rule}")]
    Writer {
        /// The key.
        key: PublicKey,
        /// The job.
        job: JobName,
        /// Why not.
        rule: &'static str,
    },
    /// The key may not forget, prune or fence.
    #[error("the key {key} may not maintain the repository: {rule}")]
    Maintainer {
        /// The key.
        key: PublicKey,
        /// Why not.
        rule: &'static str,
    },
    /// The snapshot is held.
    #[error("{} is held: {}", .0.snapshot, .0.reason)]
    Held(HoldInfo),
    /// The run is dead.
    #[error("{run} was forgotten ({})", why.as_str())]
    Forgotten {
        /// The run.
        run: SnapshotName,
        /// Why.
        why: Why,
    },
    /// Our run was forgotten before it could commit.
    #[error("{run} was ended and forgotten by somebody else before it could commit")]
    ForgottenMeanwhile {
        /// The run.
        run: SnapshotName,
    },
    /// Our run has committed, but the last look that makes sure of it failed.
    #[error("{run} is stored, but could not make sure that nobody had ended and forgotten it")]
    Unconfirmed {
        /// The run.
        run: SnapshotName,
        /// Why.
        source: Box<Self>,
    },
    /// Others were first, again and again.
    #[error("could not create the next record in {0}/: others were first each time")]
    Contended(&'static str),
    /// Trust has changed since the repository was opened.
    #[error("{0} is there since the repository was opened: somebody has changed trust meanwhile")]
    Outdated(String),
    /// The job runs elsewhere.
    #[error("{run} has begun and has no end: it runs elsewhere, or died there")]
    Busy {
        /// The run.
        run: SnapshotName,
    },
    /// Our run was ended by somebody else.
    #[error("{run} was ended by somebody else before it could commit")]
    Ended {
        /// The run.
        run: SnapshotName,
    },
    /// No such job.
    #[error("the repository has no job `{0}`")]
    NoJob(JobName),
    /// The job has begun runs, and none made a snapshot.
    #[error("no run of `{0}` has made a snapshot yet")]
    NoneCommitted(JobName),
    /// No such run.
    #[error("the repository has no snapshot {0}")]
    NoSnapshot(SnapshotName),
    /// The run made no snapshot.
    #[error("{run} made no snapshot: it {how}")]
    NotCommitted {
        /// The run.
        run: SnapshotName,
        /// How it ended.
        how: String,
    },
    /// What asks the store for objects is gone, and nothing is known of this one.
    #[error("could not ask for {0}: what reads the store has ended")]
    FetchEnded(String),
    /// No thread to read with.
    #[error("could not start a thread to read a stream")]
    Thread(#[source] io::Error),
    /// No randomness from the system.
    #[error("no random numbers from the system")]
    Random,
}

impl RepoError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Missing(_) => Code::RepositoryMissing,
            Self::NotOurs(_) => Code::NotARepository,
            Self::Exists(_) | Self::NotEmpty(_) => Code::RepositoryExists,
            Self::Newer { .. } => Code::RepositoryNewer,
            Self::Untrusted(_) | Self::OtherRoot { .. } => Code::NotTrusted,
            Self::WrongIdentity { .. }
            | Self::KeyFile {
                source: EpochError::WrongPassphrase,
                ..
            } => Code::WrongIdentity,
            Self::KeyFile {
                source: EpochError::Plugin(_),
                ..
            }
            | Self::Ended { .. }
            | Self::ForgottenMeanwhile { .. }
            | Self::FetchEnded(_)
            | Self::Random => Code::Failed,
            Self::Record { .. }
            | Self::Rule { .. }
            | Self::NotAccepted { .. }
            | Self::RecordMissing(_)
            | Self::KeyFile { .. } => Code::RepositoryDamaged,
            Self::ObjectMissing(_)
            | Self::ObjectDiffers { .. }
            | Self::Decrypt { .. }
            | Self::Decompress { .. }
            | Self::Lines { .. }
            | Self::Entry { .. } => Code::Damaged,
            Self::RolledBack { .. } | Self::Forked { .. } => Code::RolledBack,
            Self::Writer { .. } | Self::Maintainer { .. } => Code::WriterRefused,
            Self::Unconfirmed { source, .. } => source.code(),
            Self::Held(_) => Code::Held,
            Self::Forgotten { .. } => Code::Forgotten,
            Self::Busy { .. } | Self::Contended(_) | Self::Outdated(_) => Code::Busy,
            Self::Unlisted(_) => Code::Store,
            Self::NoJob(_) => Code::NoJob,
            Self::NoSnapshot(_) | Self::NoneCommitted(_) | Self::NotCommitted { .. } => {
                Code::NoSnapshot
            }
            Self::Thread(_) => Code::LocalIo,
        }
    }

    pub(crate) fn rule(key: &str, rule: impl Into<String>) -> Self {
        Self::Rule {
            key: key.to_owned(),
            rule: rule.into(),
        }
    }
}
