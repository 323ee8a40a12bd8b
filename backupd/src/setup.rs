//! Setting up: keys for the administrator, a key for this host, a repository that trusts both.
//!
//! The order keeps every crash harmless: keys are on disk before anything is encrypted for them,
//! the host's key is kept before trust names it, and the repository exists last. What is left
//! after a failure is keys that open nothing.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use backup_core::{
    repo::{AdministratorKey, Host, NewRepository, WriterKey, init, new_repository_id},
    store::{Store, probe},
};
use backup_keys::{Identity, SecretKey, SigningError, write_private};
use backup_model::{Code, Failure, InvalidId, RepositoryId};
use jiff::Timestamp;

use crate::{
    config::{RepositoryUrl, S3Config, SecretSources},
    storage,
};

/// What to set up.
#[derive(Clone, Debug)]
pub struct SetUp {
    /// The new repository; a folder is made if it is not there, a bucket must exist.
    pub url: RepositoryUrl,
    /// How it is reached, for a bucket.
    pub s3: Option<S3Config>,
    /// Where secrets are.
    pub secrets: SecretSources,
    /// The folder for the administrator's keys: these do not belong on the backup host for long.
    pub keys: PathBuf,
    /// The host's state folder.
    pub state: PathBuf,
    /// The time.
    pub now: Timestamp,
}

/// What was set up.
#[derive(Clone, Debug)]
pub struct Created {
    /// The repository's id.
    pub id: RepositoryId,
    /// The root public key: what the repository must be signed by, for `trust`.
    pub root: String,
    /// The administrator's identity: restores.
    pub identity: PathBuf,
    /// The root secret key: decides who else may read and write.
    pub root_key: PathBuf,
    /// What is wrong with the store, though it can be used.
    pub warnings: Vec<Failure>,
}

/// The name of the administrator's identity file.
pub const ADMIN_KEY: &str = "admin.key";
/// The name of the root key file.
pub const ROOT_KEY: &str = "root.key";

/// Sets up a repository.
pub async fn create_repository(set_up: &SetUp) -> Result<Created, Failure> {
    if let Some(folder) = set_up.url.folder() {
        private_folder(folder)?;
    }
    let store = storage::open(&set_up.url, set_up.s3.as_ref(), &set_up.secrets).await?;
    must_be_free(&store, &set_up.url).await?;
    private_folder(&set_up.keys)?;

    let identity = Identity::generate();
    let root = SecretKey::generate().map_err(|error| signing(&error))?;
    let writer = SecretKey::generate().map_err(|error| signing(&error))?;
    let mut created = Created {
        id: new_repository_id().map_err(|error| Failure::from_error(error.code(), &error))?,
        root: root.public().to_string(),
        identity: set_up.keys.join(ADMIN_KEY),
        root_key: set_up.keys.join(ROOT_KEY),
        warnings: Vec::new(),
    };
    let identity_text = identity.to_file_text("backupd administrator: restores every backup");
    let root_text = root
        .to_file_text("backupd root key: decides who may read and write")
        .map_err(|error| signing(&error))?;
    for (path, text) in [
        (&created.identity, &identity_text),
        (&created.root_key, &root_text),
    ] {
        write_private(path, text).map_err(|error| Failure::from_error(Code::LocalIo, &error))?;
    }
    let writer_public = writer.public().clone();
    Host::create(&set_up.state, created.id, writer)
        .map_err(|error| Failure::from_error(error.code(), &error))?;
    // The first words that are written there, when all that can fail on this host has not.
    let probed = probe(&store).await;
    let good = probed.map_err(|error| storage::failure(&error))?.is_good();
    let store = if good {
        store
    } else {
        let (store, warning) = storage::single_writer(store);
        created.warnings.push(warning);
        store
    };
    let new = NewRepository {
        id: created.id,
        root,
        administrator: AdministratorKey {
            name: "admin".parse().map_err(|error| name(&error))?,
            identity,
        },
        writer: WriterKey {
            name: "host".parse().map_err(|error| name(&error))?,
            key: writer_public,
        },
        now: set_up.now,
    };
    init(&store, &new)
        .await
        .map_err(|error| Failure::from_error(error.code(), &error))?;
    Ok(created)
}

/// Refuses a place that holds anything, before keys are made for it.
async fn must_be_free(store: &Store, url: &RepositoryUrl) -> Result<(), Failure> {
    let failed = |error| storage::failure(&error);
    // A folder's other files are none of the store's objects, but no less somebody's. What an
    // earlier probe left is nobody's.
    let occupied = |path: &Path| {
        path.read_dir().is_ok_and(|names| {
            names
                .filter_map(Result::ok)
                .any(|entry| entry.file_name() != "probe")
        })
    };
    let (code, what) = if store
        .size("repository.json")
        .await
        .map_err(failed)?
        .is_some()
    {
        (Code::RepositoryExists, "holds a repository already")
    } else if url.folder().is_some_and(occupied) || !store.is_empty().await.map_err(failed)? {
        (Code::TargetNotEmpty, "is not empty")
    } else {
        return Ok(());
    };
    Err(Failure::new(code, format!("{} {what}", url.shown())))
}

fn private_folder(path: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Failure {
            causes: vec![error.to_string()],
            ..Failure::new(Code::LocalIo, format!("could not make {}", path.display()))
        })
}

fn signing(error: &SigningError) -> Failure {
    Failure::from_error(Code::Failed, error)
}

fn name(error: &InvalidId) -> Failure {
    Failure::from_error(Code::Bug, error)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::service::Place;

    #[tokio::test]
    async fn a_set_up_that_failed_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "in the way").unwrap();
        let repository = folder.path().join("repository");
        let set_up = SetUp {
            url: RepositoryUrl::Folder(repository.clone()),
            s3: None,
            secrets: SecretSources {
                env: |_| None,
                credentials: None,
            },
            keys: file.join("keys"),
            state: folder.path().join("state"),
            now: Timestamp::UNIX_EPOCH,
        };
        let failed = create_repository(&set_up).await.unwrap_err();
        assert_eq!(failed.code, Code::LocalIo);
        assert!(!repository.join("probe").exists());

        // What a probe left is no reason to refuse the place.
        fs::create_dir(repository.join("probe")).unwrap();
        fs::write(repository.join("probe/create"), [0]).unwrap();
        let keys = folder.path().join("keys");
        let created = create_repository(&SetUp {
            keys,
            ..set_up.clone()
        })
        .await
        .unwrap();
        assert_eq!(created.warnings, []);

        // A store that was seen to lose races looks good when asked once: the configuration says it.
        let mut place = Place {
            name: "main".to_owned(),
            url: set_up.url,
            trust: Some(created.root),
            single_writer: true,
            s3: None,
            state: set_up.state.clone(),
        };
        let (_, warning) = place.open_to_write(&set_up.secrets).await.unwrap();
        assert_eq!(warning.unwrap().code, Code::SingleWriter);
        place.single_writer = false;
        let (_, warning) = place.open_to_write(&set_up.secrets).await.unwrap();
        assert_eq!(warning, None);
    }
}
