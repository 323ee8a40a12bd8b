//! Reading while others prune: a snapshot is pinned while its data is read, where that is allowed;
//! and what is then missing of one that was forgotten meanwhile is no damage.

use backup_model::{Code, SnapshotName};

use super::{OpError, list};
use crate::repo::{RepoError, Repository, RunRecord};

/// Reads a snapshot under a pin.
pub(super) async fn protected<T>(
    repository: &Repository,
    record: &RunRecord,
    work: impl Future<Output = Result<T, OpError>>,
) -> Result<T, OpError> {
    let pinned = repository.pin(record).await?;
    let outcome = work.await;
    if let Some(pinned) = pinned {
        repository.unpin(pinned).await;
    }
    match outcome {
        Err(error) if error.code() == Code::Damaged => {
            still_lives(repository, &record.name).await?;
            Err(error)
        }
        outcome => outcome,
    }
}

/// Fails if a snapshot was forgotten.
pub(super) async fn still_lives(
    repository: &Repository,
    name: &SnapshotName,
) -> Result<(), RepoError> {
    match repository.forgotten().await?.dead(&name.job, name.seq) {
        None => Ok(()),
        Some(dead) => Err(list::forgotten(name.clone(), dead)),
    }
}
