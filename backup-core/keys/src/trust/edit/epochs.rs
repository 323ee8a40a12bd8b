//! Epochs and their key files: a new one begun, and who has shown to open what.

use backup_model::{Digest, JobName};
use jiff::Timestamp;

use super::{Edit, EditError};
use crate::{Administrator, CanaryFile, Epoch, KeyFile, TrustRecord, names};

/// A key file that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewKeyFile {
    /// For which epoch.
    pub epoch: u64,
    /// Counts the files of one administrator in one epoch, from 1.
    pub number: u64,
    /// Its size.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// Whether the administrator decrypted the canary with it.
    pub tested: bool,
}

/// A new epoch, stored.
#[derive(Clone, Debug)]
pub struct NewKeys {
    /// Its number.
    pub number: u64,
    /// Its recipient.
    pub recipient: String,
    /// Its canary.
    pub canary: CanaryFile,
    /// Its key files, by administrator.
    pub files: Vec<(JobName, NewKeyFile)>,
}

/// Where a key file is: `keys/<epoch>/<administrator>-<number>.age`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyFileName {
    /// The epoch.
    pub epoch: u64,
    /// Whose.
    pub administrator: JobName,
    /// Which.
    pub number: u64,
}

impl KeyFileName {
    /// The object's name.
    pub fn object(&self) -> String {
        names::key_file(self.epoch, &self.administrator, self.number)
    }

    /// What an object's name says, if it is a key file's.
    pub fn parse(object: &str) -> Option<Self> {
        let (epoch, administrator, number) = names::parse_key_file(object)?;
        Some(Self {
            epoch,
            administrator,
            number,
        })
    }
}

impl TrustRecord {
    /// Begins a new epoch: what is backed up from now on is encrypted to another recipient.
    pub fn new_epoch(&self, edit: Edit, new: &NewKeys) -> Result<Self, EditError> {
        let last = self.epochs.last().map_or(0, |epoch| epoch.number);
        let taken = self.epochs.iter().any(|e| e.recipient == new.recipient);
        if new.number != last + 1 || taken {
            return Err(EditError::NotNext(last));
        }
        let his = |a: &&Administrator| a.recipient.as_ref() == Some(&new.recipient);
        if let Some(administrator) = self.administrators.iter().find(his) {
            return Err(EditError::RecipientTaken(administrator.name.clone()));
        }
        let mut epoch = Epoch {
            number: new.number,
            recipient: new.recipient.clone(),
            created: edit.now,
            canary: new.canary.clone(),
            keys: Vec::new(),
        };
        for (name, file) in &new.files {
            if self.administrator(name).is_none() {
                return Err(EditError::NoAdministrator(name.clone()));
            }
            if file.epoch != new.number {
                return Err(EditError::NoEpoch(file.epoch));
            }
            list(&mut epoch, name, file, edit.now)?;
        }
        if !epoch.keys.iter().any(|file| file.tested.is_some()) {
            return Err(EditError::Untested);
        }
        let mut next = self.next(edit);
        next.epochs.push(epoch);
        Ok(next)
    }

    /// Says that an administrator decrypted the canaries of these epochs, with these of his files.
    pub fn mark_tested(&self, edit: Edit, files: &[KeyFileName]) -> Result<Self, EditError> {
        let mut next = self.next(edit);
        for name in files {
            if self.administrator(&name.administrator).is_none() {
                return Err(EditError::NoAdministrator(name.administrator.clone()));
            }
            let mut epochs = next.epochs.iter_mut();
            let epoch = epochs.find(|epoch| epoch.number == name.epoch);
            let epoch = epoch.ok_or(EditError::NoEpoch(name.epoch))?;
            let file = epoch
                .keys
                .iter_mut()
                .find(|f| f.administrator == name.administrator && f.number == name.number);
            file.ok_or(EditError::NoKeyFile(name.epoch))?.tested = Some(edit.now);
        }
        Ok(next)
    }
}

impl Epoch {
    /// Whether an administrator has a key file for it.
    pub fn opened_by(&self, name: &JobName) -> bool {
        self.keys.iter().any(|file| file.administrator == *name)
    }

    /// The number of the next key file of an administrator, given those that are stored, listed or
    /// not: who died before signing has left one that cannot be written again.
    pub fn next_file(
        &self,
        name: &JobName,
        stored: impl IntoIterator<Item = KeyFileName>,
    ) -> KeyFileName {
        let of_his = |file: &KeyFileName| file.epoch == self.number && file.administrator == *name;
        let stored = stored.into_iter().filter(of_his).map(|file| file.number);
        let listed = self.keys.iter().filter(|file| file.administrator == *name);
        let highest = stored.chain(listed.map(|file| file.number)).max();
        KeyFileName {
            epoch: self.number,
            administrator: name.clone(),
            number: highest.map_or(1, |highest| highest + 1),
        }
    }
}

/// Lists a key file. Each administrator has one for an epoch, or none.
pub(super) fn list(
    epoch: &mut Epoch,
    administrator: &JobName,
    file: &NewKeyFile,
    now: Timestamp,
) -> Result<(), EditError> {
    if epoch.opened_by(administrator) {
        return Err(EditError::KeyFileTwice {
            administrator: administrator.clone(),
            epoch: epoch.number,
            number: file.number,
        });
    }
    epoch.keys.push(KeyFile {
        administrator: administrator.clone(),
        number: file.number,
        size: file.size,
        sha256: file.sha256,
        tested: file.tested.then_some(now),
    });
    Ok(())
}
