//! What goes wrong with the log's files.

use std::{
    io,
    path::{Path, PathBuf},
};

use backup_model::Code;

/// Why the log cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A file or folder cannot be used.
    #[error("the audit log cannot use {}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No randomness from the system.
    #[error("no random numbers from the system")]
    Random,
}

impl AuditError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::NoSpace,
                _ => Code::AuditLog,
            },
            Self::Random => Code::AuditLog,
        }
    }
}

pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> AuditError {
    let path = path.to_owned();
    |source| AuditError::Io { path, source }
}
