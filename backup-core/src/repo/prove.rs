//! Showing with a repository's own files that an administrator's key opens an epoch.

use backup_keys::{Epoch, EpochError, Identity, OpensKeyFiles, ProofError};
use backup_model::JobName;

use super::{RepoError, Repository};
use crate::format::layout;

/// Opens the administrator's key file of an epoch, as trust lists it or is about to, and, with what is in it, the epoch's canary.
/// Gives the epoch's identity.
pub async fn prove(
    repository: &Repository,
    listed: &Epoch,
    administrator: &JobName,
    key: &dyn OpensKeyFiles,
) -> Result<Identity, RepoError> {
    let epoch = listed.number;
    let wrong_identity = || RepoError::WrongIdentity {
        identity: key.name(),
        epoch,
    };
    let file = listed
        .keys
        .iter()
        .find(|file| file.administrator == *administrator)
        .ok_or_else(wrong_identity)?;
    let file_key = layout::key_file(epoch, administrator, file.number);
    let canary_key = layout::canary(epoch);
    let file = object(repository, &file_key).await?;
    let canary = object(repository, &canary_key).await?;
    let proved = listed.prove(administrator, key, &file, &canary);
    let not_named = "it is not the file that trust names";
    proved.map_err(|error| match error {
        ProofError::NoKeyFile(_) | ProofError::KeyFile(EpochError::NoMatch) => wrong_identity(),
        ProofError::KeyFile(source) => RepoError::KeyFile {
            key: file_key,
            source,
        },
        ProofError::Canary(source) => RepoError::KeyFile {
            key: canary_key,
            source,
        },
        ProofError::OtherKeyFile => RepoError::rule(&file_key, not_named),
        ProofError::OtherCanary => RepoError::rule(&canary_key, not_named),
        ProofError::Recipient(_) => {
            let trust = layout::trust(repository.trust().version);
            RepoError::rule(&trust, "an epoch's recipient is not one")
        }
        _ => RepoError::rule(&canary_key, "it opens to something else than trust names"),
    })
}

async fn object(repository: &Repository, key: &str) -> Result<bytes::Bytes, RepoError> {
    let found = repository.store().find(key).await?;
    found.ok_or_else(|| RepoError::ObjectMissing(key.to_owned()))
}
