//! What goes wrong with a store, classified once.

use std::{error::Error, io};

use backup_model::Code;

/// A call to the store failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation} `{key}`")]
pub struct StoreError {
    operation: &'static str,
    key: String,
    source: object_store::Error,
}

impl StoreError {
    pub(super) fn new(operation: &'static str, key: &str, source: object_store::Error) -> Self {
        Self {
            operation,
            key: key.to_owned(),
            source,
        }
    }

    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self.source, object_store::Error::NotFound { .. })
    }

    /// An object that a put brought in, and that is not there.
    pub(super) fn vanished(key: &str) -> Self {
        let source = object_store::Error::Generic {
            store: "backupd",
            source: "the store acknowledged it, and does not have it".into(),
        };
        Self::new("write", key, source)
    }

    /// No randomness from the system for a probe's names.
    pub(super) fn random() -> Self {
        let source = object_store::Error::Generic {
            store: "backupd",
            source: "no random numbers from the system".into(),
        };
        Self::new("probe", "probe/", source)
    }

    /// Whether the store says that the object is there already.
    pub(super) fn is_already_exists(&self) -> bool {
        matches!(self.source, object_store::Error::AlreadyExists { .. })
    }

    /// Whether the store is there and says no, to this object or to us.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.source, object_store::Error::PermissionDenied { .. })
            || self.io_kind() == Some(io::ErrorKind::PermissionDenied)
    }

    /// Whether this machine's own file system failed: `AlreadyExists` is another variant.
    pub(super) fn is_local_io(&self) -> bool {
        matches!(
            self.source,
            object_store::Error::Generic {
                store: "LocalFileSystem",
                ..
            }
        )
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        match self.source {
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => return Code::StoreDenied,
            _ => {}
        }
        match self.io_kind() {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => Code::NoSpace,
            Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
                Code::StoreDenied
            }
            _ => Code::Store,
        }
    }

    /// The operating system's error below, if one is.
    fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut source: Option<&(dyn Error + 'static)> = Some(&self.source);
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return Some(io.kind());
            }
            source = error.source();
        }
        None
    }
}
