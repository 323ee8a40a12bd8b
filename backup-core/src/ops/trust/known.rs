//! What a repository's trust is changed by: its records, its key files, and the names of these.

use backup_keys::{Known, names};
use backup_model::KeyObject;

use super::super::OpError;
use crate::{
    format::layout,
    repo::{RepoError, Repository},
    store::SizedObject,
};

/// What is known of a repository. Key files and canaries that are missing, or not as trust lists
/// them, are left out: who needs them says so.
pub async fn known_trust(repository: &Repository) -> Result<Known, OpError> {
    let objects = key_objects(repository).await?;
    let stored = stored_names(repository).await?;
    let trust = (repository.trust().clone(), repository.trust_digest());
    Ok(Known::new(
        repository.record().clone(),
        trust,
        objects,
        stored,
    ))
}

/// The same for whoever is elsewhere, who has to check it: the records as they are stored.
#[derive(Clone, Debug)]
pub struct TrustTexts {
    /// `repository.json`.
    pub repository: String,
    /// The newest trust record.
    pub trust: String,
    /// The key files and canaries that it lists.
    pub objects: Vec<KeyObject>,
    /// The names of all that is stored under `keys/`.
    pub stored: Vec<String>,
}

/// What somebody elsewhere needs to change a repository's trust.
pub async fn trust_texts(repository: &Repository) -> Result<TrustTexts, OpError> {
    let newest = layout::trust(repository.trust().version);
    Ok(TrustTexts {
        repository: text(repository, layout::REPOSITORY).await?,
        trust: text(repository, &newest).await?,
        objects: key_objects(repository).await?,
        stored: stored_names(repository).await?,
    })
}

async fn text(repository: &Repository, key: &str) -> Result<String, RepoError> {
    let found = repository.store().find(key).await?;
    let found = found.ok_or_else(|| RepoError::RecordMissing(key.to_owned()))?;
    String::from_utf8(found.to_vec()).map_err(|_| RepoError::rule(key, "it is no text"))
}

async fn key_objects(repository: &Repository) -> Result<Vec<KeyObject>, RepoError> {
    let mut objects = Vec::new();
    for (object, size) in listed(repository) {
        let found = repository.store().find_sized(&object, size).await?;
        if let SizedObject::Bytes(bytes) = found {
            let bytes = bytes.to_vec();
            objects.push(KeyObject { object, bytes });
        }
    }
    Ok(objects)
}

/// Key files and canaries that trust lists, with their sizes.
fn listed(repository: &Repository) -> impl Iterator<Item = (String, u64)> {
    repository.trust().epochs.iter().flat_map(|epoch| {
        let canary = (names::canary(epoch.number), epoch.canary.size);
        let files = epoch.keys.iter().map(|file| {
            let name = names::key_file(epoch.number, &file.administrator, file.number);
            (name, file.size)
        });
        std::iter::once(canary).chain(files)
    })
}

async fn stored_names(repository: &Repository) -> Result<Vec<String>, RepoError> {
    let listed = repository.store().list(layout::KEYS).await?;
    Ok(listed.into_iter().map(|object| object.key).collect())
}
