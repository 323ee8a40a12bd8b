//! A kit made of what is known of a repository, and tried on it.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Kit, KitKey};
use crate::{Administrator, ChangeError, Known, OpensKeyFiles, TrustRecord};

impl Kit {
    /// A kit for an administrator of a repository. `location` is its address as a machine reaches
    /// it, and `storage` what that needs besides.
    pub fn of(
        known: &Known,
        owner: &Administrator,
        (location, storage): (String, Vec<SecretString>),
        key: KitKey,
        now: Timestamp,
    ) -> Self {
        let trust = known.trust();
        let opened = trust.epochs.iter().filter(|it| it.opened_by(&owner.name));
        Self {
            made: now,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            repository: trust.repository,
            location,
            storage,
            root: known.repository().root.clone(),
            administrator: owner.name.clone(),
            kind: owner.kind,
            recipient: owner.recipient.clone(),
            opens: opened.map(|it| (it.number, it.recipient.clone())).collect(),
            key,
        }
    }

    /// The epochs that its administrator has no key file for: what was backed up then, the kit does
    /// not restore.
    pub fn left_out(&self, trust: &TrustRecord) -> Vec<u64> {
        let epochs = trust.epochs.iter();
        let out = epochs.filter(|epoch| !epoch.opened_by(&self.administrator));
        out.map(|epoch| epoch.number).collect()
    }

    /// Decrypts with its key the canary of each epoch that its administrator has a key file for.
    /// Gives their numbers.
    pub fn decrypt_canaries(
        &self,
        known: &Known,
        key: &dyn OpensKeyFiles,
    ) -> Result<Vec<u64>, ChangeError> {
        let epochs = known.trust().epochs.iter();
        let opened = epochs.filter(|epoch| epoch.opened_by(&self.administrator));
        opened
            .map(|epoch| {
                known.prove(epoch, &self.administrator, key)?;
                Ok(epoch.number)
            })
            .collect()
    }
}
