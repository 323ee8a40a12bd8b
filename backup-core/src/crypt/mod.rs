//! Sealing and opening: stock age files, to one recipient, in memory.
//!
//! What is sealed can be opened once more before it is uploaded, without any identity: the file
//! key is kept aside for just that check and wiped with the [`FileKeyOnce`]. Nothing here knows
//! what is inside.

mod open;
mod seal;

pub use open::{head_digest, open};
pub use seal::{FileKeyOnce, Sealed, Sealer};

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
