//! An entry as a line of JSON, in the one spelling that `doc/format.md` gives.
//!
//! What was parsed is written again and compared, so no two lines mean the same entry.

use backup_model::{Code, Digest};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{Entry, FileTime, Node, NodeKind, PathFault, check_path};

/// Integers in stored JSON are below this.
const INTEGER_LIMIT: u64 = 1 << 53;

/// Why a line is not an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not the JSON of an entry.
    #[error("could not read an entry's line")]
    Json(#[source] serde_json::Error),
    /// A path that no entry may have.
    #[error("an entry's path is refused")]
    Path(#[source] PathFault),
    /// A key is missing for this kind, or its value is out of range.
    #[error("an entry's `{0}` is missing or out of range")]
    Value(&'static str),
    /// The same entry has another spelling.
    #[error("an entry's line is not in its one spelling")]
    Spelling,
}

impl EntryError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Json(_) | Self::Path(_) | Self::Value(_) | Self::Spelling => Code::Damaged,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    File,
    Directory,
    Symlink,
    Hardlink,
    End,
}

/// The keys in their order; every one but three depends on the kind.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    kind: Word,
    length: u64,
    sha256: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mtime: Option<(i64, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ctime: Option<(i64, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dev: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ino: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target_hex: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sparse: bool,
}

impl Entry {
    /// The line of this entry, without a line feed.
    pub fn to_line(&self) -> Vec<u8> {
        serde_json::to_vec(&Line::from(self)).expect("plain data has a JSON form")
    }

    /// Reads a line without its line feed.
    pub fn parse(line: &[u8]) -> Result<Self, EntryError> {
        let parsed: Line = serde_json::from_slice(line).map_err(EntryError::Json)?;
        let entry = parsed.into_entry()?;
        if entry.to_line() == line {
            Ok(entry)
        } else {
            Err(EntryError::Spelling)
        }
    }
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let mut line = Self {
            path: None,
            path_hex: None,
            kind: Word::End,
            length: entry.length,
            sha256: entry.sha256,
            size: None,
            mode: None,
            uid: None,
            gid: None,
            mtime: None,
            ctime: None,
            dev: None,
            ino: None,
            target: None,
            target_hex: None,
            sparse: false,
        };
        let Some(node) = &entry.node else {
            return line;
        };
        (line.path, line.path_hex) = text_or_hex(&node.path);
        line.kind = match &node.kind {
            NodeKind::File { sparse } => {
                line.sparse = *sparse;
                Word::File
            }
            NodeKind::Directory => Word::Directory,
            NodeKind::Symlink { target } => {
                (line.target, line.target_hex) = text_or_hex(target);
                Word::Symlink
            }
            NodeKind::Hardlink { target } => {
                (line.target, line.target_hex) = text_or_hex(target);
                Word::Hardlink
            }
        };
        line.size = Some(node.size);
        line.mode = Some(node.mode);
        line.uid = Some(node.uid);
        line.gid = Some(node.gid);
        line.mtime = Some((node.mtime.secs, node.mtime.nanos));
        line.ctime = Some((node.ctime.secs, node.ctime.nanos));
        line.dev = Some(node.dev);
        line.ino = Some(node.ino);
        line
    }
}

impl Line {
    /// Keys that the kind does not have are dropped here and show as another spelling later.
    fn into_entry(self) -> Result<Entry, EntryError> {
        let (length, sha256) = (below_limit(Some(self.length), "length")?, self.sha256);
        if self.kind == Word::End {
            return Ok(Entry {
                length,
                sha256,
                node: None,
            });
        }
        let path = bytes(self.path, self.path_hex, "path")?;
        check_path(&path).map_err(EntryError::Path)?;
        let target = || bytes(self.target, self.target_hex, "target");
        let kind = match self.kind {
            Word::Symlink => NodeKind::Symlink {
                target: checked_symlink(target()?)?,
            },
            Word::Hardlink => {
                let target = target()?;
                check_path(&target).map_err(EntryError::Path)?;
                NodeKind::Hardlink { target }
            }
            Word::Directory => NodeKind::Directory,
            Word::File | Word::End => NodeKind::File {
                sparse: self.sparse,
            },
        };
        let size = below_limit(self.size, "size")?;
        if size > 0 && !matches!(kind, NodeKind::File { .. }) {
            return Err(EntryError::Value("size"));
        }
        let mode = self.mode.filter(|&mode| mode <= 0o7777);
        let node = Node {
            path,
            kind,
            size,
            mode: mode.ok_or(EntryError::Value("mode"))?,
            uid: self.uid.ok_or(EntryError::Value("uid"))?,
            gid: self.gid.ok_or(EntryError::Value("gid"))?,
            mtime: time(self.mtime, "mtime")?,
            ctime: time(self.ctime, "ctime")?,
            dev: below_limit(self.dev, "dev")?,
            ino: below_limit(self.ino, "ino")?,
        };
        Ok(Entry {
            length,
            sha256,
            node: Some(node),
        })
    }
}

fn text_or_hex(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(HEXLOWER.encode(bytes))),
    }
}

fn bytes(
    text: Option<String>,
    hex: Option<String>,
    key: &'static str,
) -> Result<Vec<u8>, EntryError> {
    match (text, hex) {
        (Some(text), None) => Ok(text.into_bytes()),
        (None, Some(hex)) => HEXLOWER
            .decode(hex.as_bytes())
            .map_err(|_| EntryError::Value(key)),
        (Some(_), Some(_)) | (None, None) => Err(EntryError::Value(key)),
    }
}

fn checked_symlink(target: Vec<u8>) -> Result<Vec<u8>, EntryError> {
    let fits = !target.is_empty() && target.len() <= super::MAX_PATH_BYTES && !target.contains(&0);
    if fits {
        Ok(target)
    } else {
        Err(EntryError::Value("target"))
    }
}

fn below_limit(value: Option<u64>, key: &'static str) -> Result<u64, EntryError> {
    value
        .filter(|&value| value < INTEGER_LIMIT)
        .ok_or(EntryError::Value(key))
}

fn time(value: Option<(i64, u32)>, key: &'static str) -> Result<FileTime, EntryError> {
    value
        .filter(|&(secs, nanos)| secs.unsigned_abs() < INTEGER_LIMIT && nanos < 1_000_000_000)
        .map(|(secs, nanos)| FileTime { secs, nanos })
        .ok_or(EntryError::Value(key))
}
