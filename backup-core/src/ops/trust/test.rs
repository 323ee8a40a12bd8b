//! Trying a key on all that there is.

use backup_keys::OpensKeyFiles;
use backup_model::{Code, KeyTest};

use super::super::OpError;
use crate::repo::{RepoError, Repository, prove};

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
            match prove(repository, epoch, &file.administrator, key).await {
                Ok(_) => {
                    test.administrator = Some(file.administrator.clone());
                    test.number = Some(file.number);
                    break;
                }
                Err(error @ RepoError::Store(_)) => return Err(error.into()),
                Err(error) if error.code() == Code::WrongIdentity => {}
                Err(error) => test.faults.push(OpError::from(error).to_failure()),
            }
        }
        tests.push(test);
    }
    Ok(tests)
}
