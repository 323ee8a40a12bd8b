//! SHA-256 of whole files.

use backup_model::Digest;
use sha2::{Digest as _, Sha256};

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}
