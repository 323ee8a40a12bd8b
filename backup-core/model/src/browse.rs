//! What is in a snapshot's folders, what differs between two snapshots, and what was found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, SnapshotName, StreamInfo};

/// What an entry of a `files` stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// One more name of a file.
    Hardlink,
}

/// A file, folder or link in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EntryInfo {
    /// The stream that it is in.
    pub stream: String,
    /// Its path; lossily if it is not UTF-8.
    pub path: String,
    /// The path's bytes in hexadecimal, if it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hex: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file's content.
    pub size_bytes: u64,
    /// The twelve permission bits.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// When its content changed last; unknown if no calendar has it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::Instant>"))]
    pub modified: Option<Timestamp>,
    /// Where a link points, lossily as UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The digest of its bytes in the tar: header, content and padding.
    pub digest: Digest,
}

/// How something differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Change {
    /// Only in the second snapshot.
    Added,
    /// Only in the first.
    Removed,
    /// In both, and not the same.
    Changed,
}

/// What of something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Aspect {
    /// What it is.
    Kind,
    /// How long it is.
    Size,
    /// Its bytes, though size and times are the same.
    Content,
    /// When its content changed last.
    Modified,
    /// Its permissions.
    Mode,
    /// Its owner or group.
    Owner,
    /// Where a link points.
    Target,
    /// The digest of a stream.
    Digest,
    /// What the source knew about a stream.
    Facts,
}

/// One difference between two snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "of", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Difference {
    /// In a stream as a whole.
    Stream {
        /// Its name.
        name: String,
        /// How it differs.
        change: Change,
        /// What of it, if it is in both.
        aspects: Vec<Aspect>,
        /// As it is in the first snapshot.
        before: Option<Box<StreamInfo>>,
        /// As it is in the second.
        after: Option<Box<StreamInfo>>,
    },
    /// In an entry of a `files` stream.
    Entry {
        /// How it differs.
        change: Change,
        /// What of it, if it is in both.
        aspects: Vec<Aspect>,
        /// As it is in the first snapshot.
        before: Option<Box<EntryInfo>>,
        /// As it is in the second.
        after: Option<Box<EntryInfo>>,
    },
}

/// An entry in a snapshot that was searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// When it was made.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub created: Timestamp,
    /// The entry.
    #[serde(flatten)]
    pub entry: EntryInfo,
}
