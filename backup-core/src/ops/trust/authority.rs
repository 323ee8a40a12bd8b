//! The root key at work on a repository: changes of trust are made, and stored.

use std::collections::BTreeMap;

use backup_keys::{
    Change, ChangeError, Edit, EditError, KeyFileName, Known, OpensKeyFiles, RootSigner, SecretKey,
    TrustRecord,
    administrator::{Access, AdministratorRecipient},
};
use backup_model::{JobName, KeyTest, TrustChange};
use jiff::Timestamp;

use super::{
    super::OpError,
    known::known_trust,
    stored::{store, store_record},
};
use crate::repo::Repository;

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
            return Err(OpError::Trust(ChangeError::NotRoot {
                found: root.public().clone(),
                expected: expected.clone(),
            }));
        }
        Ok(Self {
            repository,
            root,
            now,
        })
    }

    /// Lets somebody open epochs: see [`RootSigner::add_administrator`].
    pub async fn add_administrator(
        &self,
        name: &JobName,
        recipient: &AdministratorRecipient,
        by: &dyn OpensKeyFiles,
        proof: Option<&dyn OpensKeyFiles>,
        access: &Access,
    ) -> Result<TrustChange, OpError> {
        self.make(|signer| signer.add_administrator(name, recipient, by, proof, access))
            .await
    }

    /// Puts an administrator out: see [`RootSigner::remove_administrator`].
    pub async fn remove_administrator(&self, name: &JobName) -> Result<TrustChange, OpError> {
        self.make(|signer| signer.remove_administrator(name)).await
    }

    /// Begins a new epoch: see [`RootSigner::rotate`].
    pub async fn rotate(
        &self,
        tester: (&JobName, &dyn OpensKeyFiles),
        without: Option<&JobName>,
        passphrases: &BTreeMap<JobName, AdministratorRecipient>,
        access: &Access,
    ) -> Result<TrustChange, OpError> {
        self.make(|signer| signer.rotate(tester, without, passphrases, access))
            .await
    }

    /// Says in trust what a test has shown.
    pub async fn mark_tested(&self, tests: &[KeyTest]) -> Result<TrustChange, OpError> {
        let shown = tests.iter().filter_map(|test| {
            Some(KeyFileName {
                epoch: test.epoch,
                administrator: test.administrator.clone()?,
                number: test.number?,
            })
        });
        let shown: Vec<_> = shown.collect();
        self.make(|signer| signer.mark_tested(&shown)).await
    }

    /// Makes a change of what is known now, and stores it.
    pub(super) async fn make(
        &self,
        change: impl FnOnce(&RootSigner<'_>) -> Result<Change, ChangeError>,
    ) -> Result<TrustChange, OpError> {
        let known: Known = known_trust(self.repository).await?;
        let made = change(&RootSigner::new(&known, self.root, self.now)?)?;
        store(self.repository, made).await
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

    /// Stores the next trust record, and gives what the record after it needs.
    pub(super) async fn store(&self, next: &TrustRecord) -> Result<Edit, OpError> {
        let signed = next.sign(self.root)?;
        let prev = signed.1;
        store_record(self.repository, next, signed).await?;
        Ok(Edit {
            prev,
            now: self.now,
        })
    }

    /// That a change makes no sense.
    pub(super) fn refused(error: EditError) -> OpError {
        OpError::Trust(ChangeError::Refused(error))
    }
}
