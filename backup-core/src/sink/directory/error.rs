//! What can go wrong with a folder: the target, the disk, or the archive.

use std::{io, path::PathBuf};

use backup_model::Code;
use rustix::io::Errno;

use crate::format::{PathFault, pax::PaxFault};

/// Why a folder could not be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The target is not an absolute path with a name.
    #[error("`{}` cannot be a target: not an absolute path of a folder", path.display())]
    Target {
        /// The target.
        path: PathBuf,
    },
    /// Something is there already.
    #[error("`{}` exists and is not an empty folder", path.display())]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The quarantine folder of another restore is there.
    #[error("`{}` is left over from an interrupted restore, or one that still runs", path.display())]
    LeftOver {
        /// The quarantine folder.
        path: PathBuf,
    },
    /// The target's name is a symbolic link.
    #[error("`{}` is a symbolic link", path.display())]
    Link {
        /// The target.
        path: PathBuf,
    },
    /// The target is where a file system begins: its name cannot be given to anything else.
    #[error("`{}` is a mount point", path.display())]
    MountPoint {
        /// The target.
        path: PathBuf,
    },
    /// What is replaced cannot be kept under this name.
    #[error("`{}` exists: what is replaced could not be kept under this name", path.display())]
    KeptTaken {
        /// The name that is taken.
        path: PathBuf,
    },
    /// The file system refused something.
    #[error("could not {action} `{}`", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The archive could not be read to its end.
    #[error("could not read the archive")]
    Read(#[source] io::Error),
    /// The archive holds what an honest one would not.
    #[error("the archive is refused at `{path}`")]
    Refused {
        /// The entry's path, as far as it is known.
        path: String,
        /// What is wrong with it.
        #[source]
        fault: TarFault,
    },
    /// The caller wanted no more.
    #[error("restoring files was cancelled")]
    Cancelled,
}

impl DirectoryError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Target { .. } | Self::Link { .. } | Self::MountPoint { .. } => {
                Code::TargetRefused
            }
            Self::NotEmpty { .. } | Self::LeftOver { .. } | Self::KeptTaken { .. } => {
                Code::TargetNotEmpty
            }
            Self::Io { source, .. } => match Errno::from_io_error(source) {
                Some(Errno::NOSPC | Errno::DQUOT) => Code::NoSpace,
                Some(Errno::ACCESS | Errno::ROFS) => Code::TargetRefused,
                _ => Code::LocalIo,
            },
            Self::Read(_) => Code::Failed,
            Self::Refused { fault, .. } => fault.code(),
            Self::Cancelled => Code::Interrupted,
        }
    }
}

/// What is wrong with an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TarFault {
    /// A path or the target of a hard link is none that may be made.
    #[error("its name is refused")]
    Path(#[source] PathFault),
    /// A header is not a ustar header with the right checksum and plain octal numbers.
    #[error("a header is malformed")]
    Header,
    /// An extended header is malformed.
    #[error("an extended header is refused")]
    Pax(#[source] PaxFault),
    /// An extended header that is too long, doubled, or without an entry after it.
    #[error("an extended header is out of place")]
    PaxPlace,
    /// A kind of entry that is never restored: a device, a pipe, or an unknown one.
    #[error("entries of type {:?} are never restored", char::from(*.0))]
    Kind(u8),
    /// The extended header and the old one disagree about the size.
    #[error("two sizes contradict each other")]
    Size,
    /// A link or folder with content.
    #[error("something without content has some")]
    Content,
    /// A sparse map out of order, past the end, or of another format.
    #[error("its map of holes is refused")]
    Sparse,
    /// The target of a symbolic link is empty, too long or has a NUL byte.
    #[error("a symbolic link's target is refused")]
    Symlink,
    /// A hard link to what was not restored before as a file.
    #[error("a hard link names no earlier file")]
    Hardlink,
    /// The same path again.
    #[error("the path comes twice")]
    Twice,
    /// A path beneath something that is not a folder.
    #[error("the path goes through something that is not a folder")]
    Through,
    /// The archive stops in the middle.
    #[error("the archive is cut off")]
    Cut,
    /// Something follows the end of the archive.
    #[error("something follows the end of the archive")]
    AfterEnd,
}

impl TarFault {
    /// The stable code.
    pub fn code(self) -> Code {
        match self {
            Self::Path(fault) => fault.code(),
            Self::Pax(fault) => fault.code(),
            Self::Header
            | Self::PaxPlace
            | Self::Kind(_)
            | Self::Size
            | Self::Content
            | Self::Sparse
            | Self::Symlink
            | Self::Hardlink
            | Self::Twice
            | Self::Through
            | Self::Cut
            | Self::AfterEnd => Code::Damaged,
        }
    }
}

/// Fits `map_err` of one file operation.
pub(super) fn failed<E: Into<io::Error>>(
    action: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(E) -> DirectoryError {
    let path = path.into();
    move |error| DirectoryError::Io {
        action,
        path,
        source: error.into(),
    }
}
