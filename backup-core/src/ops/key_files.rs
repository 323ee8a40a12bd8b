//! Key files, for who opens them elsewhere: an administrator's key never comes here.

use backup_model::{Digest, EpochFiles, Selection, WrappedKey};
use sha2::{Digest as _, Sha256};

use super::OpError;
use crate::{
    format::layout,
    repo::{RepoError, Repository},
};

/// The key files of the epochs that a selection may need, newest epoch first: of one snapshot, its
/// own epoch. What is missing or not as trust says is left out; whoever reads the data tells it.
pub async fn key_files(
    repository: &Repository,
    selection: &Selection,
) -> Result<Vec<EpochFiles>, OpError> {
    let own = match selection {
        // What is wrong with its record is told by who reads it.
        Selection::One(name) => match repository.run_end(&name.job, name.seq).await {
            Ok(Some(record)) => record.commit().ok().map(|commit| commit.epoch),
            Ok(None) | Err(_) => None,
        },
        Selection::All | Selection::Job(_) | Selection::Latest => None,
    };
    let trust = repository.trust();
    let mut epochs = Vec::new();
    for epoch in trust.epochs.iter().rev() {
        if own.is_some_and(|own| own != epoch.number) {
            continue;
        }
        let mut files = Vec::new();
        for file in &epoch.keys {
            let object = layout::key_file(epoch.number, &file.administrator, file.number);
            let mut all = trust.administrators.iter();
            let Some(whose) = all.find(|whose| whose.name == file.administrator) else {
                continue;
            };
            let found = repository.store().find(&object).await;
            let Some(bytes) = found.map_err(RepoError::from)? else {
                continue;
            };
            if Digest(Sha256::digest(&bytes).into()) == file.sha256 {
                files.push(WrappedKey {
                    object,
                    kind: whose.kind.to_string(),
                    recipient: whose.recipient.clone(),
                    bytes: bytes.to_vec(),
                });
            }
        }
        epochs.push(EpochFiles {
            epoch: epoch.number,
            recipient: epoch.recipient.clone(),
            files,
        });
    }
    Ok(epochs)
}
