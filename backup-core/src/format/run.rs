//! The two records of a run: that it began, and how it ended.

use backup_keys::RecordKind;
use backup_model::{Digest, JobName, Nonce, RepositoryId, Seq};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `sessions/<job>/<seq>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "session")]
pub struct Session {
    /// The repository.
    pub repository: RepositoryId,
    /// The job.
    pub job: JobName,
    /// The run's number.
    pub seq: Seq,
    /// Tells this run from every other.
    pub nonce: Nonce,
    /// When it began.
    pub created: Timestamp,
    /// After how long without an end it may be fenced.
    pub limit_secs: u64,
    /// The program's version.
    pub program: String,
}

impl RecordKind for Session {}

/// `snapshots/<job>/<seq>.json`: how a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum RunEnd {
    /// It made a snapshot.
    Commit(Commit),
    /// It gave up.
    Aborted(Aborted),
    /// Somebody else ended it.
    Fence(Fence),
}

impl RecordKind for RunEnd {}

impl RunEnd {
    /// The run that it ends: repository, job, number, nonce.
    pub fn run(&self) -> (RepositoryId, &JobName, Seq, Nonce) {
        match self {
            Self::Commit(c) => (c.repository, &c.job, c.seq, c.nonce),
            Self::Aborted(a) => (a.repository, &a.job, a.seq, a.nonce),
            Self::Fence(f) => (f.repository, &f.job, f.seq, f.nonce),
        }
    }

    /// The digest of the record before.
    pub fn prev(&self) -> Option<Digest> {
        match self {
            Self::Commit(c) => c.prev,
            Self::Aborted(a) => a.prev,
            Self::Fence(f) => f.prev,
        }
    }

    /// When it was written.
    pub fn created(&self) -> Timestamp {
        match self {
            Self::Commit(c) => c.created,
            Self::Aborted(a) => a.created,
            Self::Fence(f) => f.created,
        }
    }
}

/// An object by digest and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRef {
    /// The digest of its bytes as stored.
    pub sha256: Digest,
    /// Its size as stored.
    pub size: u64,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The repository.
    pub repository: RepositoryId,
    /// The job.
    pub job: JobName,
    /// The run's number.
    pub seq: Seq,
    /// The digest of the record before; `None` for the first.
    pub prev: Option<Digest>,
    /// The session's nonce.
    pub nonce: Nonce,
    /// The epoch of its data.
    pub epoch: u64,
    /// The trust version that the writer knew.
    pub trust: u64,
    /// When it was written.
    pub created: Timestamp,
    /// The recipe.
    pub recipe: ObjectRef,
    /// The refs.
    pub refs: ObjectRef,
    /// Packs that refs names.
    pub packs: u64,
    /// Their stored size.
    pub bytes: u64,
    /// Those of them that this run stored.
    pub added_packs: u64,
    /// Their stored size.
    pub added_bytes: u64,
    /// The kinds of its streams but `list`, sorted, each once.
    pub kinds: Vec<String>,
    /// Whether everything could be read.
    pub complete: bool,
    /// The head of the writer's audit log.
    pub audit: Option<Digest>,
}

/// A run that gave up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aborted {
    /// The repository.
    pub repository: RepositoryId,
    /// The job.
    pub job: JobName,
    /// The run's number.
    pub seq: Seq,
    /// The digest of the record before; `None` for the first.
    pub prev: Option<Digest>,
    /// The session's nonce.
    pub nonce: Nonce,
    /// When it was written.
    pub created: Timestamp,
    /// Why: a stable error code, nothing private.
    pub reason: String,
}

/// A run that was ended by somebody else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The repository.
    pub repository: RepositoryId,
    /// The job.
    pub job: JobName,
    /// The run's number.
    pub seq: Seq,
    /// The digest of the record before; `None` for the first.
    pub prev: Option<Digest>,
    /// The session's nonce.
    pub nonce: Nonce,
    /// When it was written.
    pub created: Timestamp,
}
