//! From an administrator's key to the identity of an epoch.

use backup_keys::{EpochError, Identity, OpensKeyFiles, Recipient, open_epoch_key};
use backup_model::Digest;
use sha2::{Digest as _, Sha256};

use super::{RepoError, Repository};
use crate::format::layout;

/// Tries the epoch's key files, those that trust lists and no others. A bad file does not stand in
/// the way of the next; if none opens, it is the reason, since it may have been this identity's.
pub async fn unlock(
    repository: &Repository,
    epoch: u64,
    administrator: &dyn OpensKeyFiles,
) -> Result<Identity, RepoError> {
    let trust_key = layout::trust(repository.trust().version);
    let listed = repository
        .trust()
        .epoch(epoch)
        .ok_or_else(|| RepoError::rule(&trust_key, format!("it has no epoch {epoch}")))?;
    let expected: Recipient = listed
        .recipient
        .parse()
        .map_err(|_| RepoError::rule(&trust_key, "an epoch's recipient is not one"))?;
    let mut fault = None;
    for file in &listed.keys {
        let key = layout::key_file(epoch, &file.administrator, file.number);
        let Some(bytes) = repository.store().find(&key).await? else {
            fault.get_or_insert(RepoError::ObjectMissing(key));
            continue;
        };
        if Digest(Sha256::digest(&bytes).into()) != file.sha256 {
            let rule = "it is not the file that trust names";
            fault.get_or_insert_with(|| RepoError::rule(&key, rule));
            continue;
        }
        match open_epoch_key(&bytes, administrator, &expected) {
            Ok(identity) => return Ok(identity),
            Err(EpochError::NoMatch) => {}
            Err(source) => {
                fault.get_or_insert(RepoError::KeyFile { key, source });
            }
        }
    }
    Err(fault.unwrap_or_else(|| RepoError::WrongIdentity {
        identity: administrator.name(),
        epoch,
    }))
}
