//! The root key at work: signs the next trust record, and stores it.

use backup_keys::{
    Edit, EditError, KeyFileName, NewKeyFile, OpensKeyFiles, Record, SecretKey, TrustRecord,
};
use backup_model::{Digest, JobName};
use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::super::OpError;
use crate::{
    format::layout,
    repo::{RepoError, Repository, prove, record_digest, sign},
    store::Put,
};

/// Who may change trust. Of two who do so at once one is let through, and the other is told to
/// look again.
#[derive(Debug)]
pub struct Authority<'a> {
    pub(super) repository: &'a Repository,
    root: &'a SecretKey,
    now: Timestamp,
}

impl<'a> Authority<'a> {
    /// Takes up the repository's root key.
    pub fn new(
        repository: &'a Repository,
        root: &'a SecretKey,
        now: Timestamp,
    ) -> Result<Self, OpError> {
        let expected = &repository.record().root;
        if root.public() != expected {
            return Err(OpError::NotRoot {
                found: root.public().clone(),
                expected: expected.clone(),
            });
        }
        Ok(Self {
            repository,
            root,
            now,
        })
    }

    pub(super) fn edit(&self) -> Edit {
        Edit {
            prev: self.repository.trust_digest(),
            now: self.now,
        }
    }

    pub(super) fn trust(&self) -> &'a TrustRecord {
        self.repository.trust()
    }

    /// Stores the next trust record: from then on it counts. Gives its version.
    pub(super) async fn store(&self, next: Result<TrustRecord, EditError>) -> Result<u64, OpError> {
        let next = next.map_err(OpError::Trust)?;
        self.store_record(&next).await?;
        Ok(next.version)
    }

    /// The same; gives what the record after it needs.
    pub(super) async fn store_record(&self, next: &TrustRecord) -> Result<Edit, OpError> {
        let key = layout::trust(next.version);
        if let Some(rule) = next.broken_rule() {
            return Err(RepoError::rule(&key, rule).into());
        }
        let bytes = Bytes::from(sign(next, self.repository.id(), &key, self.root)?);
        // What a reader would refuse, since it is too long, must not be stored.
        let parsed = Record::parse_list(&bytes, self.repository.id(), &key);
        parsed.map_err(|source| RepoError::Record {
            key: key.clone(),
            source,
        })?;
        let prev = record_digest(&bytes);
        let put = self.repository.store().put_deciding(&key, bytes).await;
        match put.map_err(RepoError::from)? {
            Put::Stored => {
                self.repository.remember_trust(next.version, prev);
                Ok(Edit {
                    prev,
                    now: self.now,
                })
            }
            Put::Taken => Err(RepoError::Contended(layout::TRUST).into()),
        }
    }

    /// That an administrator's key opens an epoch as the next trust record will list it.
    pub(super) async fn prove(
        &self,
        next: &TrustRecord,
        number: u64,
        administrator: &JobName,
        key: &dyn OpensKeyFiles,
    ) -> Result<(), OpError> {
        let trust_key = layout::trust(next.version);
        let missing = || RepoError::rule(&trust_key, format!("it has no epoch {number}"));
        let epoch = next.epoch(number).ok_or_else(missing)?;
        prove(self.repository, epoch, administrator, key).await?;
        Ok(())
    }

    /// Stores a key file, of which nothing is known yet.
    pub(super) async fn store_file(
        &self,
        name: &KeyFileName,
        file: Vec<u8>,
    ) -> Result<NewKeyFile, OpError> {
        let key = layout::key_file(name.epoch, &name.administrator, name.number);
        let listed = NewKeyFile {
            epoch: name.epoch,
            number: name.number,
            size: file.len() as u64,
            sha256: Digest(Sha256::digest(&file).into()),
            tested: false,
        };
        let put = self
            .repository
            .store()
            .put_deciding(&key, file.into())
            .await;
        match put.map_err(RepoError::from)? {
            Put::Stored => Ok(listed),
            // Numbers that are stored are passed over, so it came a moment ago.
            Put::Taken => Err(RepoError::Contended(layout::KEYS).into()),
        }
    }

    /// The key files that are stored, listed in trust or not.
    pub(super) async fn stored_files(&self) -> Result<Vec<KeyFileName>, OpError> {
        let listed = self.repository.store().list(layout::KEYS).await;
        let listed = listed.map_err(RepoError::from)?;
        let names = listed.iter();
        Ok(names
            .filter_map(|object| layout::parse_key_file(&object.key))
            .map(|(epoch, administrator, number)| KeyFileName {
                epoch,
                administrator,
                number,
            })
            .collect())
    }
}
