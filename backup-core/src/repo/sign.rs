//! Signing records for their places.

use backup_keys::{Record, RecordKind, SecretKey};
use backup_model::{Digest, RepositoryId};
use sha2::{Digest as _, Sha256};

use super::RepoError;

/// Signs a record for the object `key` of a repository.
pub(crate) fn sign<T: RecordKind>(
    value: &T,
    repository: RepositoryId,
    key: &str,
    by: &SecretKey,
) -> Result<Vec<u8>, RepoError> {
    Record::sign(value, repository, key, by).map_err(|source| RepoError::Record {
        key: key.to_owned(),
        source,
    })
}

/// The digest of a record that was just signed.
pub(crate) fn record_digest(record: &[u8]) -> Digest {
    let line = record.split_inclusive(|&b| b == b'\n').next();
    Digest(Sha256::digest(line.unwrap_or_default()).into())
}
