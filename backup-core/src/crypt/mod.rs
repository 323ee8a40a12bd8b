//! Sealing and opening: stock age files, to one recipient, in memory, whole or in parts.
//!
//! What is sealed can be opened once more before it is uploaded, without any identity: the file
//! key is kept aside for just that check and wiped with the [`FileKeyOnce`]. Nothing here knows
//! what is inside.

mod error;
mod open;
mod seal;
mod sealed_file;

pub use error::CryptError;
pub use open::{head_digest, open, open_reader};
pub use seal::{FileKeyOnce, Sealed, Sealer};
pub use sealed_file::{SealedFile, TAIL_BYTES};
