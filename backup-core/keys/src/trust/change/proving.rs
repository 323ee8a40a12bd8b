//! What a key opens, by the files that are known.

use backup_model::JobName;

use super::{ChangeError, Known};
use crate::{
    Administrator, Epoch, EpochError, Identity, KeyFileName, OpensKeyFiles, Recipient,
    administrator::AdministratorIdentity, names, open_epoch_key,
};

impl Known {
    /// The identity of an epoch. Key files are tried that trust lists, and no others. A bad one
    /// does not stand in the way of the next; if none opens, it is the reason, since it may have
    /// been this key's.
    pub(super) fn open(
        &self,
        epoch: &Epoch,
        key: &dyn OpensKeyFiles,
    ) -> Result<Identity, ChangeError> {
        let number = epoch.number;
        let expected: Recipient = epoch.recipient.parse().map_err(|_| {
            let rule = "an epoch's recipient is not one";
            ChangeError::rule(names::trust(self.trust().version), rule)
        })?;
        let mut fault = None;
        for file in &epoch.keys {
            let name = names::key_file(number, &file.administrator, file.number);
            let Some(bytes) = self.key_file(number, file) else {
                fault.get_or_insert(ChangeError::Missing(name));
                continue;
            };
            match open_epoch_key(bytes, key, &expected) {
                Ok(identity) => return Ok(identity),
                Err(EpochError::NoMatch | EpochError::WrongPassphrase) => {}
                Err(source) => {
                    fault.get_or_insert(ChangeError::Unopened { key: name, source });
                }
            }
        }
        Err(fault.unwrap_or_else(|| ChangeError::WrongIdentity {
            identity: key.name(),
            epoch: number,
        }))
    }

    /// Shows that an administrator's key opens an epoch: his key file, and with it the canary.
    pub fn prove(
        &self,
        epoch: &Epoch,
        administrator: &JobName,
        key: &dyn OpensKeyFiles,
    ) -> Result<(), ChangeError> {
        let mut files = epoch.keys.iter();
        let file = files.find(|file| file.administrator == *administrator);
        let file = file.ok_or_else(|| ChangeError::WrongIdentity {
            identity: key.name(),
            epoch: epoch.number,
        })?;
        let name = names::key_file(epoch.number, administrator, file.number);
        let bytes = self.key_file(epoch.number, file);
        let bytes = bytes.ok_or_else(|| ChangeError::Missing(name.clone()))?;
        self.prove_with(epoch, administrator, key, (name, bytes))
    }

    /// The same with a key file that may not be stored yet.
    pub(super) fn prove_with(
        &self,
        epoch: &Epoch,
        administrator: &JobName,
        key: &dyn OpensKeyFiles,
        (name, file): (String, &[u8]),
    ) -> Result<(), ChangeError> {
        let canary = self.canary(epoch);
        let canary = canary.ok_or_else(|| ChangeError::Missing(names::canary(epoch.number)))?;
        prove(epoch, administrator, key, (name, file), canary)
    }

    /// The key files that a key shows to open, at most one of each epoch. What does not open is
    /// left out, for whatever reason.
    pub fn opened_by(&self, key: &dyn OpensKeyFiles) -> Vec<KeyFileName> {
        let epochs = self.trust().epochs.iter();
        let opened = epochs.filter_map(|epoch| {
            let mut files = epoch.keys.iter();
            let opened = files.find(|f| self.prove(epoch, &f.administrator, key).is_ok())?;
            Some(KeyFileName {
                epoch: epoch.number,
                administrator: opened.administrator.clone(),
                number: opened.number,
            })
        });
        opened.collect()
    }

    /// Whose key it is: the newest epoch's key file of that administrator opens with it.
    pub fn owner(&self, key: &AdministratorIdentity) -> Result<&Administrator, ChangeError> {
        let trust = self.trust();
        let Some(epoch) = trust.current_epoch() else {
            let rule = "it has no epoch";
            return Err(ChangeError::rule(names::trust(trust.version), rule));
        };
        let recipient = key.recipient();
        let candidates = trust.administrators.iter().filter(|administrator| {
            administrator.kind == key.kind()
                && (recipient.is_none() || administrator.recipient == recipient)
        });
        let mut refused = None;
        for administrator in candidates {
            match self.prove(epoch, &administrator.name, key) {
                Ok(()) => return Ok(administrator),
                Err(error) if error.code() == backup_model::Code::WrongIdentity => {
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| ChangeError::WrongIdentity {
            identity: key.name(),
            epoch: epoch.number,
        }))
    }
}

/// Shows that a key opens an epoch with these files.
pub(super) fn prove(
    epoch: &Epoch,
    administrator: &JobName,
    key: &dyn OpensKeyFiles,
    (name, file): (String, &[u8]),
    canary: &[u8],
) -> Result<(), ChangeError> {
    let proved = epoch.prove(administrator, key, file, canary);
    let proved = proved.map(drop);
    proved.map_err(|error| ChangeError::unproven(error, key.name(), epoch.number, name))
}
