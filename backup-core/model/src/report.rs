//! What operations plan and report: the same data for CLI, API and GUI.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DatabaseFacts, Digest, Failure, FilesFacts, SnapshotName, StreamKind};

/// How deep a verification looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Level {
    /// Everything is there, whole, rightly signed, in an unbroken chain. Needs no key.
    Storage,
    /// Also: every stream decrypts, decompresses and has its recorded length and digest.
    Data,
}

impl Level {
    /// The word on the command line and in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Data => "data",
        }
    }
}

/// How a run of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum End {
    /// A snapshot of everything that was asked for.
    Complete,
    /// A snapshot; something could not be read.
    Partial,
    /// The run gave up and said so.
    Aborted,
    /// Somebody else ended a run that had stopped answering.
    Fenced,
    /// The run has no end: it goes on, or died.
    Open,
}

/// A run of a job as the repository's public records tell it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SnapshotInfo {
    /// Which one.
    pub snapshot: SnapshotName,
    /// How it ended.
    pub end: End,
    /// When its record was written, by the writer's clock.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// What it holds.
    pub kinds: Vec<String>,
    /// Packs that it uses.
    pub packs: u64,
    /// Their stored size.
    pub stored_bytes: u64,
    /// Bytes that were stored for it, all told: packs that it added, recipe, refs.
    pub added_bytes: u64,
    /// The digest of its record.
    pub record: Digest,
    /// Why it was aborted: a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why it must not be forgotten, if somebody holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
}

/// A stream of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StreamInfo {
    /// Its name, for `cat` and `--stream`.
    pub name: String,
    /// What it is.
    pub kind: StreamKind,
    /// Its length in bytes.
    pub length_bytes: u64,
    /// Its digest.
    pub digest: Digest,
    /// Entries of a `files` stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// What the database was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseFacts>,
    /// What the folders were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesFacts>,
}

/// A snapshot with what only an identity can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SnapshotDetail {
    /// What everybody can read.
    #[serde(flatten)]
    pub info: SnapshotInfo,
    /// The streams; `None` without an identity.
    pub streams: Option<Vec<StreamInfo>>,
}

/// A finished backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackupReport {
    /// The snapshot that it made.
    pub snapshot: SnapshotName,
    /// Whether everything could be read.
    pub complete: bool,
    /// When it was committed.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// Bytes that the sources gave.
    pub read_bytes: u64,
    /// Bytes of them that no earlier snapshot of the job had, before compression.
    pub new_bytes: u64,
    /// Bytes that were stored for it, all told.
    pub added_bytes: u64,
    /// Of these, what a run that broke off had stored already.
    #[serde(default)]
    pub resumed_bytes: u64,
    /// Stored size of all packs that the snapshot uses.
    pub stored_bytes: u64,
    /// How long it took.
    pub took_secs: f64,
    /// The streams.
    pub streams: Vec<StreamInfo>,
    /// What went wrong without stopping it.
    pub warnings: Vec<Failure>,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing wrong at this level.
    Good,
    /// The backup is bad.
    Damaged {
        /// Each fault with the object it is in.
        faults: Vec<Failure>,
    },
    /// The environment cannot test it; the backup may be good.
    Untested {
        /// Why not.
        reason: Failure,
    },
}

/// The verification of one snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyReport {
    /// Which one.
    pub snapshot: SnapshotName,
    /// When it was made; unknown if its record is not to be believed.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub created: Option<Timestamp>,
    /// How deep it was looked at.
    pub level: Level,
    /// What was found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Packs that it uses.
    pub packs: u64,
    /// Their stored size.
    pub stored_bytes: u64,
    /// Bytes of streams that were read and compared.
    pub read_bytes: u64,
    /// How long it took.
    pub took_secs: f64,
}

/// Where a stream is restored to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "target", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RestoreTarget {
    /// A database that will be made, or replaced.
    Database {
        /// Its name.
        database: String,
        /// The server: host and port, or socket folder.
        server: String,
    },
    /// A folder that will be made, or a folder or file that will be replaced.
    Folder {
        /// Its absolute path.
        path: PathBuf,
    },
}

/// How much of a stream was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChosenEntries {
    /// Entries.
    pub entries: u64,
    /// Their bytes in the stream.
    pub length_bytes: u64,
}

/// One stream and its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestoreStep {
    /// The stream.
    pub stream: StreamInfo,
    /// How much of it, if only some entries are restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenEntries>,
    /// Where it goes.
    #[serde(flatten)]
    pub target: RestoreTarget,
    /// In place: the path or the database's name under which what is there now is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_as: Option<String>,
    /// Free space there, where it can be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_bytes: Option<u64>,
    /// What speaks against it. With any of these the restore will not start.
    pub obstacles: Vec<Failure>,
}

/// What a restore would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestorePlan {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// When it was made.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// What is restored, in order.
    pub steps: Vec<RestoreStep>,
    /// Streams that are left out, by name.
    pub left_out: Vec<String>,
    /// Stored bytes to fetch.
    pub fetch_bytes: u64,
    /// In place: what must be said again, word for word, before it is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
    /// In place: whether the job is backed up before anything is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub safety_backup: bool,
}

/// One restored stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestoredStream {
    /// The stream's name.
    pub name: String,
    /// Where it is now.
    #[serde(flatten)]
    pub target: RestoreTarget,
    /// The path or the database's name under which what was there is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_as: Option<String>,
    /// Bytes of the stream, all compared with its digest or those of its entries.
    pub read_bytes: u64,
    /// Entries of a folder that were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
}

/// A finished restore.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestoreReport {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// What was restored.
    pub streams: Vec<RestoredStream>,
    /// In place: the snapshot that was made before anything was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety: Option<SnapshotName>,
    /// What is not as it was, and why.
    pub warnings: Vec<Failure>,
    /// How long it took.
    pub took_secs: f64,
}
