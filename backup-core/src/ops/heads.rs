//! What snapshots say of their writer's audit log: its last entry when they were made.

use backup_model::{Digest, SnapshotName};
use jiff::Timestamp;

use super::OpError;
use crate::repo::{Repository, RunState};

/// The heads that a writer's snapshots name, with when they were made. Snapshots that were
/// forgotten, and records that cannot be read, name none.
pub async fn audit_heads(
    repository: &Repository,
    by: [u8; 8],
) -> Result<Vec<(SnapshotName, Timestamp, Digest)>, OpError> {
    let mut heads = Vec::new();
    for job in repository.jobs().await? {
        for (_, state) in repository.runs(&job).await?.runs {
            let RunState::Ended(record) = state else {
                continue;
            };
            if record.signer == by
                && let Ok(commit) = record.commit()
                && let Some(digest) = commit.audit
            {
                heads.push((record.name.clone(), commit.created, digest));
            }
        }
    }
    Ok(heads)
}
