//! Making a repository: root record, first epoch with its key files and canary, first trust.
//!
//! `repository.json` is written last, so that an interrupted `init` leaves no repository that
//! looks whole. Before that, the canary is read back from the store and decrypted through the
//! administrator's key file: keys that cannot open what they just made are never put to use.

use backup_keys::{
    Administrator, AdministratorKind, CanaryFile, Epoch, EpochError, Identity, KeyFile, NewEpoch,
    PublicKey, RepositoryRecord, Role, SecretKey, TrustRecord, Writer, canary_digest,
    open_epoch_key,
};
use backup_model::{Digest, JobName, RepositoryId};
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{
    RepoError,
    open::FORMAT,
    sign::{record_digest, sign},
};
use crate::{
    format::layout,
    store::{Put, Store},
};

/// The first administrator.
#[derive(Debug)]
pub struct AdministratorKey {
    /// The name that trust gives to the key.
    pub name: JobName,
    /// The key: `init` proves that it opens what was made.
    pub identity: Identity,
}

/// The first writer.
#[derive(Debug)]
pub struct WriterKey {
    /// The name that trust gives to the key.
    pub name: JobName,
    /// The key.
    pub key: PublicKey,
}

/// What a new repository is made of.
#[derive(Debug)]
pub struct NewRepository {
    /// Its id, from [`new_repository_id`].
    pub id: RepositoryId,
    /// Signs trust; stays with the administrators.
    pub root: SecretKey,
    /// Who can restore.
    pub administrator: AdministratorKey,
    /// Who can back up.
    pub writer: WriterKey,
    /// The time.
    pub now: Timestamp,
}

/// Stored size at which writers close a pack.
const PACK_BYTES: u64 = 16 << 20;
/// Decompressed size at which writers close a block.
const BLOCK_BYTES: u64 = 1 << 20;

/// A random id. It exists before the repository, so that the host can keep its key before anything
/// is stored that needs it.
pub fn new_repository_id() -> Result<RepositoryId, RepoError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| RepoError::Random)?;
    Ok(RepositoryId(id))
}

/// Makes a repository in an empty store.
pub async fn init(store: &Store, new: &NewRepository) -> Result<(), RepoError> {
    if store.find(layout::REPOSITORY).await?.is_some() {
        return Err(RepoError::Exists(store.place().to_owned()));
    }
    if !store.is_empty().await? {
        return Err(RepoError::NotEmpty(store.place().to_owned()));
    }
    let record = RepositoryRecord {
        format: FORMAT,
        repository: new.id,
        created: new.now,
        root: new.root.public().clone(),
        pack_bytes: PACK_BYTES,
        block_bytes: BLOCK_BYTES,
    };
    let root_bytes = sign(&record, record.repository, layout::REPOSITORY, &new.root)?;
    let epoch = store_epoch(store, &record, new).await?;
    let trust = TrustRecord {
        repository: record.repository,
        version: 1,
        prev: record_digest(&root_bytes),
        created: new.now,
        administrators: vec![Administrator {
            name: new.administrator.name.clone(),
            kind: AdministratorKind::X25519,
            recipient: Some(new.administrator.identity.recipient().to_string()),
            added: new.now,
        }],
        epochs: vec![epoch],
        writers: vec![Writer {
            name: new.writer.name.clone(),
            key: new.writer.key.clone(),
            roles: vec![Role::Write, Role::Maintain],
            jobs: None,
            from: new.now,
            until: None,
            removed: None,
        }],
    };
    let key = layout::trust(1);
    let trust_bytes = sign(&trust, record.repository, &key, &new.root)?;
    create(store, &key, trust_bytes).await?;
    create(store, layout::REPOSITORY, root_bytes).await
}

/// Stores key file and canary of epoch 1, reads both back, and opens the canary through them.
async fn store_epoch(
    store: &Store,
    record: &RepositoryRecord,
    new: &NewRepository,
) -> Result<Epoch, RepoError> {
    let admin = &new.administrator;
    let file_key = layout::key_file(1, &admin.name, 1);
    let canary_key = layout::canary(1);
    let wrong = |key: &str| {
        let key = key.to_owned();
        move |source: EpochError| RepoError::KeyFile { key, source }
    };
    let epoch = NewEpoch::generate(record.repository, 1).map_err(wrong(&canary_key))?;
    let file = epoch
        .wrap_for(&admin.identity.recipient())
        .map_err(wrong(&file_key))?;
    create(store, &file_key, file.clone()).await?;
    create(store, &canary_key, epoch.canary.file.clone()).await?;

    let stored_file = store.get(&file_key).await?;
    let stored_canary = store.get(&canary_key).await?;
    let identity = open_epoch_key(&stored_file, &admin.identity, &epoch.recipient)
        .map_err(wrong(&file_key))?;
    let opened = canary_digest(&stored_canary, &identity).map_err(wrong(&canary_key))?;
    if opened != epoch.canary.opens_to {
        return Err(RepoError::rule(&canary_key, "it opens to something else"));
    }
    Ok(Epoch {
        number: 1,
        recipient: epoch.recipient.to_string(),
        created: new.now,
        canary: CanaryFile {
            size: epoch.canary.file.len() as u64,
            sha256: Digest(Sha256::digest(&epoch.canary.file).into()),
            opens_to: epoch.canary.opens_to,
        },
        keys: vec![KeyFile {
            administrator: admin.name.clone(),
            number: 1,
            size: file.len() as u64,
            sha256: Digest(Sha256::digest(&file).into()),
            tested: Some(new.now),
        }],
    })
}

async fn create(store: &Store, key: &str, bytes: Vec<u8>) -> Result<(), RepoError> {
    match store.put_new(key, Bytes::from(bytes)).await? {
        Put::Stored => Ok(()),
        Put::Taken => Err(RepoError::NotEmpty(store.place().to_owned())),
    }
}
