//! Entries: the table of contents of a `files` stream, one line an entry.
//!
//! Owns the rules for names and the one spelling of each line. Must not know how the tar looks
//! like, nor that there is a file system.

#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

mod line;

use backup_model::{Code, Digest};

pub use self::line::EntryError;

/// The longest path of an entry, in bytes.
pub const MAX_PATH_BYTES: usize = 4096;

/// The most parts that a path may have.
pub const MAX_DEPTH: usize = 128;

/// One entry of a `files` stream: header, content and padding in the tar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its bytes in the tar: headers, content and padding.
    pub length: u64,
    /// The SHA-256 of these bytes.
    pub sha256: Digest,
    /// What it describes; `None` for the end of the archive.
    pub node: Option<Node>,
}

/// A file, folder or link as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its path: relative, any bytes but NUL, no `.`, `..` or empty part.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: NodeKind,
    /// The length of a file's content; zero for everything else.
    pub size: u64,
    /// The twelve permission bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// When the content changed last.
    pub mtime: FileTime,
    /// When anything about it changed last.
    pub ctime: FileTime,
    /// The device that it was on.
    pub dev: u64,
    /// Its inode, the lowest 53 bits.
    pub ino: u64,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A file with content.
    File {
        /// Whether the tar leaves out its holes.
        sparse: bool,
    },
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Where it points, verbatim.
        target: Vec<u8>,
    },
    /// One more name of a file that came earlier.
    Hardlink {
        /// The path of the earlier entry.
        target: Vec<u8>,
    },
}

/// A time of a file system: seconds since 1970, possibly negative, and nanoseconds above that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime {
    /// Whole seconds, rounded down.
    pub secs: i64,
    /// Nanoseconds, below 10^9.
    pub nanos: u32,
}

/// Why bytes are not the path of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathFault {
    /// Nothing there.
    #[error("the path is empty")]
    Empty,
    /// It starts with a slash.
    #[error("the path is absolute")]
    Absolute,
    /// A part is empty, `.` or `..`.
    #[error("a part of the path is empty, `.` or `..`")]
    Part,
    /// It has a zero byte.
    #[error("the path has a NUL byte")]
    Nul,
    /// More than [`MAX_PATH_BYTES`].
    #[error("the path is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_DEPTH`].
    #[error("the path has more than {MAX_DEPTH} parts")]
    TooDeep,
}

impl PathFault {
    /// The stable code.
    pub fn code(self) -> Code {
        match self {
            Self::Empty
            | Self::Absolute
            | Self::Part
            | Self::Nul
            | Self::TooLong
            | Self::TooDeep => Code::Damaged,
        }
    }
}

/// Whether these bytes may be the path of an entry.
pub fn check_path(path: &[u8]) -> Result<(), PathFault> {
    if path.is_empty() {
        return Err(PathFault::Empty);
    }
    if path.first() == Some(&b'/') {
        return Err(PathFault::Absolute);
    }
    if path.len() > MAX_PATH_BYTES {
        return Err(PathFault::TooLong);
    }
    if path.contains(&0) {
        return Err(PathFault::Nul);
    }
    let mut parts = path.split(|&byte| byte == b'/');
    if parts.any(|part| matches!(part, b"" | b"." | b"..")) {
        return Err(PathFault::Part);
    }
    if path.split(|&byte| byte == b'/').count() > MAX_DEPTH {
        return Err(PathFault::TooDeep);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
