//! Retention records: what the policy is applied to, from a job's public records.

use backup_model::{JobName, Selection};

use super::{OpError, list};
use crate::{repo::Repository, retention::Record};

/// The runs of a job that are not forgotten. A record that is not valid is an error: what it was
/// must be known before anything beside it goes. No proofs are stored yet, so none is proven.
pub async fn retention_records(
    repository: &Repository,
    job: &JobName,
) -> Result<Vec<Record>, OpError> {
    let runs = list(repository, &Selection::Job(job.clone())).await?;
    let mut records = Vec::with_capacity(runs.len());
    for run in runs {
        let info = run?;
        records.push(Record {
            name: info.snapshot,
            created: info.created,
            end: info.end,
            stored_bytes: info.stored_bytes,
            held: info.held.is_some(),
            proven: false,
        });
    }
    Ok(records)
}
