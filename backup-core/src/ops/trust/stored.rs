//! A change of trust is stored: no key is needed for that, its signature is its right.

use backup_keys::{Change, TrustRecord};
use backup_model::{Code, Digest, Failure, KeyObject, TrustChange};
use bytes::Bytes;

use super::super::OpError;
use crate::{
    format::layout,
    repo::{RepoError, Repository},
    store::{Deleted, Put},
};

/// Stores a change that somebody elsewhere has made, if the root key has signed it, it follows the
/// newest record, and with it came just what it adds.
pub async fn change_trust(
    repository: &Repository,
    objects: Vec<KeyObject>,
    record: String,
) -> Result<TrustChange, OpError> {
    let current = (repository.trust(), repository.trust_digest());
    let change = Change::accept(repository.record(), current, objects, record)?;
    store(repository, change).await
}

/// Stores a change: what its record names, the record, and then the deletions.
pub(super) async fn store(repository: &Repository, change: Change) -> Result<TrustChange, OpError> {
    let mut put = Vec::new();
    for KeyObject { object, bytes } in change.objects {
        let bytes = Bytes::from(bytes);
        let stored = repository
            .store()
            .put_deciding(&object, bytes.clone())
            .await;
        match stored.map_err(RepoError::from)? {
            Put::Stored => put.push((object, bytes)),
            // Names that are stored are passed over, so it came a moment ago.
            Put::Taken => return Err(RepoError::Contended(layout::KEYS).into()),
        }
    }
    // What opened them was shown on the bytes: so those must be what is stored.
    for (object, bytes) in put {
        let found = repository.store().find(&object).await;
        let found = found.map_err(RepoError::from)?;
        if found.is_none_or(|found| found != bytes) {
            let rule = "the store does not give it back as it was put";
            return Err(RepoError::rule(&object, rule).into());
        }
    }
    store_record(repository, &change.trust, (change.record, change.digest)).await?;
    let mut report = change.report;
    for key in change.unlisted {
        report.left.extend(delete(repository, &key).await);
    }
    Ok(report)
}

/// Stores the next trust record: from then on it counts.
pub(super) async fn store_record(
    repository: &Repository,
    next: &TrustRecord,
    (record, digest): (String, Digest),
) -> Result<(), RepoError> {
    let key = layout::trust(next.version);
    match repository.store().put_deciding(&key, record.into()).await? {
        Put::Stored => {
            repository.remember_trust(next.version, digest);
            Ok(())
        }
        Put::Taken => Err(RepoError::Contended(layout::TRUST)),
    }
}

async fn delete(repository: &Repository, key: &str) -> Option<Failure> {
    match repository.store().delete(key).await {
        Ok(Deleted::Gone) => None,
        Ok(Deleted::Retained) => Some(Failure::new(
            Code::Retained,
            format!("the store keeps {key}"),
        )),
        Err(error) => Some(Failure::from_error(error.code(), &error)),
    }
}
