//! Who opens epochs: let in, given more, put out.

use backup_model::JobName;

use super::{Edit, EditError, KeyFileName, NewKeyFile, epochs::list};
use crate::{Administrator, AdministratorKind, TrustRecord};

/// Somebody who shall open epochs.
#[derive(Clone, Debug)]
pub struct NewAdministrator {
    /// His name.
    pub name: JobName,
    /// The kind of his key.
    pub kind: AdministratorKind,
    /// Its recipient; none for a passphrase.
    pub recipient: Option<String>,
    /// One key file for the current epoch, and for every other that he shall open.
    pub files: Vec<NewKeyFile>,
}

/// Trust without an administrator, and what may be deleted once that is stored.
#[derive(Clone, Debug)]
pub struct WithoutAdministrator {
    /// The next record.
    pub trust: TrustRecord,
    /// His key files.
    pub files: Vec<KeyFileName>,
}

impl TrustRecord {
    /// Lets somebody open epochs.
    pub fn add_administrator(&self, edit: Edit, new: &NewAdministrator) -> Result<Self, EditError> {
        if self.administrator(&new.name).is_some() {
            return Err(EditError::NameTaken(new.name.clone()));
        }
        if new.recipient.is_none() != (new.kind == AdministratorKind::Passphrase) {
            return Err(EditError::Recipient);
        }
        if let Some(recipient) = &new.recipient {
            let mut others = self.administrators.iter();
            if let Some(other) = others.find(|a| a.recipient.as_ref() == Some(recipient)) {
                return Err(EditError::RecipientTaken(other.name.clone()));
            }
            if let Some(epoch) = self.epochs.iter().find(|e| e.recipient == *recipient) {
                return Err(EditError::EpochRecipient(epoch.number));
            }
        }
        let mut next = self.next(edit);
        next.administrators.push(Administrator {
            name: new.name.clone(),
            kind: new.kind,
            recipient: new.recipient.clone(),
            added: edit.now,
        });
        next.list_files(edit, &new.name, &new.files)?;
        match next.current_epoch() {
            Some(current) if !current.opened_by(&new.name) => {
                Err(EditError::NoKeyFile(current.number))
            }
            Some(_) => Ok(next),
            None => Err(EditError::NoEpoch(1)),
        }
    }

    /// Lets an administrator open more epochs: a new one that left him out, or an old one.
    pub fn open_more(
        &self,
        edit: Edit,
        name: &JobName,
        files: &[NewKeyFile],
    ) -> Result<Self, EditError> {
        if self.administrator(name).is_none() {
            return Err(EditError::NoAdministrator(name.clone()));
        }
        let mut next = self.next(edit);
        next.list_files(edit, name, files)?;
        Ok(next)
    }

    fn list_files(
        &mut self,
        edit: Edit,
        name: &JobName,
        files: &[NewKeyFile],
    ) -> Result<(), EditError> {
        files.iter().try_for_each(|file| {
            let mut epochs = self.epochs.iter_mut();
            let epoch = epochs.find(|epoch| epoch.number == file.epoch);
            let epoch = epoch.ok_or(EditError::NoEpoch(file.epoch))?;
            list(epoch, name, file, edit.now)
        })
    }

    /// Puts an administrator out. For every epoch that he opens, somebody else must have shown to
    /// open it. What he has read he has read: only a new epoch keeps later data from him.
    pub fn remove_administrator(
        &self,
        edit: Edit,
        name: &JobName,
    ) -> Result<WithoutAdministrator, EditError> {
        if self.administrator(name).is_none() {
            return Err(EditError::NoAdministrator(name.clone()));
        }
        let mut trust = self.next(edit);
        trust.administrators.retain(|a| a.name != *name);
        let mut files = Vec::new();
        for epoch in &mut trust.epochs {
            let (his, others): (Vec<_>, Vec<_>) =
                epoch.keys.drain(..).partition(|k| k.administrator == *name);
            if !his.is_empty() && !others.iter().any(|file| file.tested.is_some()) {
                return Err(EditError::LastTested {
                    administrator: name.clone(),
                    epoch: epoch.number,
                });
            }
            files.extend(his.into_iter().map(|file| KeyFileName {
                epoch: epoch.number,
                administrator: file.administrator,
                number: file.number,
            }));
            epoch.keys = others;
        }
        Ok(WithoutAdministrator { trust, files })
    }
}
