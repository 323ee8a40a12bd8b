//! What goes wrong with age files.

use std::io;

/// What goes wrong with age files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CryptError {
    /// It could not be encrypted.
    #[error("could not encrypt")]
    Encrypt(#[source] age::EncryptError),
    /// The writer failed.
    #[error("could not write the encrypted data")]
    Write(#[source] io::Error),
    /// The identity does not open it.
    #[error("the identity does not open it")]
    NoMatch,
    /// Not an age file, or its header was changed.
    #[error("not a readable age file")]
    Header(#[source] age::DecryptError),
    /// Its content was cut or changed.
    #[error("its content does not authenticate")]
    Content(#[source] io::Error),
    /// Its header is larger than the format allows.
    #[error("its age header is over 64 KiB, or has no end")]
    HeaderTooLong,
}
