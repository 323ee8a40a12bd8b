//! Showing that a key opens epochs.

use backup_keys::{Epoch, EpochError, OpensKeyFiles, ProofError, TrustRecord};
use backup_model::{JobName, KeyTest};

use super::super::OpError;
use crate::{
    format::layout,
    repo::{RepoError, Repository},
};

/// Tries a key on every epoch: its key files, then the canary. Nothing is changed, and nothing but
/// a store that fails is an error.
pub async fn test_key(
    repository: &Repository,
    key: &dyn OpensKeyFiles,
) -> Result<Vec<KeyTest>, OpError> {
    let mut tests = Vec::new();
    for epoch in &repository.trust().epochs {
        let mut test = KeyTest {
            epoch: epoch.number,
            administrator: None,
            number: None,
            faults: Vec::new(),
        };
        for file in &epoch.keys {
            match try_file(repository, epoch, &file.administrator, key).await {
                Ok(()) => {
                    test.administrator = Some(file.administrator.clone());
                    test.number = Some(file.number);
                    break;
                }
                Err(OpError::Repo(RepoError::Store(error))) => {
                    return Err(RepoError::from(error).into());
                }
                Err(OpError::Unproven {
                    source: ProofError::KeyFile(EpochError::NoMatch),
                    ..
                }) => {}
                Err(error) => test.faults.push(error.to_failure()),
            }
        }
        tests.push(test);
    }
    Ok(tests)
}

/// That an administrator's key opens an epoch, by what `trust` lists.
pub(super) async fn prove(
    repository: &Repository,
    trust: &TrustRecord,
    number: u64,
    administrator: &JobName,
    key: &dyn OpensKeyFiles,
) -> Result<(), OpError> {
    let missing = || RepoError::rule(&layout::trust(trust.version), "it lacks an epoch");
    let epoch = trust.epoch(number).ok_or_else(missing)?;
    try_file(repository, epoch, administrator, key).await
}

async fn try_file(
    repository: &Repository,
    epoch: &Epoch,
    administrator: &JobName,
    key: &dyn OpensKeyFiles,
) -> Result<(), OpError> {
    let unproven = |source| OpError::Unproven {
        administrator: administrator.clone(),
        epoch: epoch.number,
        source,
    };
    let mut files = epoch.keys.iter();
    let file = files
        .find(|file| file.administrator == *administrator)
        .ok_or_else(|| unproven(ProofError::NoKeyFile(administrator.clone())))?;
    let file = layout::key_file(epoch.number, administrator, file.number);
    let file = read(repository, &file).await?;
    let canary = read(repository, &layout::canary(epoch.number)).await?;
    let proven = epoch.prove(administrator, key, &file, &canary);
    proven.map(drop).map_err(unproven)
}

async fn read(repository: &Repository, key: &str) -> Result<bytes::Bytes, RepoError> {
    let bytes = repository.store().find(key).await?;
    bytes.ok_or_else(|| RepoError::ObjectMissing(key.to_owned()))
}
