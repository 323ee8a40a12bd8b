//! From one trust record to the next: who is let in and who is put out, and what is refused.
//!
//! Pure functions: what they are given they do not look up, and what they return is neither signed
//! nor stored. Signing and creating `trust/<version>.json` is what commits; of two administrators
//! who change trust at once, the store lets one through, and the other starts over.
//!
//! Letting in: key files are stored before the record that lists them. Putting out: the record
//! first, then the files that it no longer lists are deleted. So whoever dies in between leaves
//! files that count for nothing.

use std::collections::BTreeSet;

use backup_model::{Digest, JobName};
use jiff::Timestamp;

use super::{
    Administrator, AdministratorKind, CanaryFile, Epoch, KeyFile, LastForget, LastPrune,
    LastRecord, Removal, Role, TrustRecord, Writer,
};
use crate::PublicKey;

/// Why a change of trust is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// An administrator or writer of this name is there.
    #[error("the name `{0}` is taken")]
    NameTaken(JobName),
    /// Somebody has this recipient already.
    #[error("`{0}` has the same recipient")]
    RecipientTaken(JobName),
    /// The recipient is that of an epoch: whoever opens it opens no other.
    #[error("the recipient is that of epoch {0}, not of an administrator")]
    EpochRecipient(u64),
    /// A passphrase has no recipient, everything else has one.
    #[error("an administrator of another kind than passphrase needs a recipient, and only then")]
    Recipient,
    /// No such administrator.
    #[error("no administrator is called `{0}`")]
    NoAdministrator(JobName),
    /// No such epoch.
    #[error("there is no epoch {0}")]
    NoEpoch(u64),
    /// An epoch lacks a key file of the new administrator, or of everybody.
    #[error("no key file for epoch {0}")]
    NoKeyFile(u64),
    /// Two key files of one administrator for an epoch, or one that is listed already.
    #[error("key file {number} of `{administrator}` for epoch {epoch} comes twice")]
    KeyFileTwice {
        /// Whose.
        administrator: JobName,
        /// For which epoch.
        epoch: u64,
        /// Which.
        number: u64,
    },
    /// Nobody else has shown that he opens an epoch.
    #[error("nobody but `{administrator}` has shown to open epoch {epoch}")]
    LastTested {
        /// Who was to go.
        administrator: JobName,
        /// What would be lost.
        epoch: u64,
    },
    /// Nobody has shown that he opens the new epoch.
    #[error("nobody has shown to open the new epoch")]
    Untested,
    /// The new epoch has the number or the recipient of another.
    #[error("the new epoch is not the one after {0}, or has the recipient of one that is there")]
    NotNext(u64),
    /// Somebody has this key already, perhaps one who was removed.
    #[error("`{0}` has the same key")]
    KeyTaken(JobName),
    /// One key, one purpose.
    #[error("this is the root key, which signs trust and nothing else")]
    RootKey,
    /// It may do nothing.
    #[error("a writer needs a role, and each once")]
    Roles,
    /// It may do it nowhere.
    #[error("a writer needs a job, and each once, or all of them")]
    Jobs,
    /// It ends before it begins.
    #[error("it would end ({until}) before it begins ({from})")]
    Times {
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// No such writer.
    #[error("no writer is called `{0}`")]
    NoWriter(JobName),
    /// Removed before.
    #[error("`{name}` was removed on {at}")]
    Removed {
        /// Which.
        name: JobName,
        /// When.
        at: Timestamp,
    },
    /// Two last records for one job.
    #[error("two last records for job `{0}`")]
    JobTwice(JobName),
}

/// What every next record needs.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// The digest of the record that is changed.
    pub prev: Digest,
    /// The time.
    pub now: Timestamp,
}

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

/// A key that shall sign records of runs.
#[derive(Clone, Debug)]
pub struct NewWriter {
    /// Its name.
    pub name: JobName,
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub roles: Vec<Role>,
    /// For which jobs; `None` for all.
    pub jobs: Option<Vec<JobName>>,
    /// From when it may begin backups.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// What is in the repository of a writer that is removed, and goes on to count.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// The last record that it signed of each job: commits, aborts and fences.
    pub last: Vec<LastRecord>,
    /// The newest forget, whoever signed it.
    pub forget: Option<LastForget>,
    /// The newest prune, whoever signed it.
    pub prune: Option<LastPrune>,
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

/// Trust without an administrator, and what may be deleted once that is stored.
#[derive(Clone, Debug)]
pub struct WithoutAdministrator {
    /// The next record.
    pub trust: TrustRecord,
    /// His key files.
    pub files: Vec<KeyFileName>,
}

impl TrustRecord {
    fn next(&self, edit: Edit) -> Self {
        Self {
            version: self.version + 1,
            prev: edit.prev,
            created: edit.now,
            ..self.clone()
        }
    }

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
        for file in &new.files {
            let mut epochs = next.epochs.iter_mut();
            let epoch = epochs.find(|epoch| epoch.number == file.epoch);
            let epoch = epoch.ok_or(EditError::NoEpoch(file.epoch))?;
            list(epoch, &new.name, file, edit.now)?;
        }
        match next.current_epoch() {
            Some(current) if !current.keys.iter().any(|k| k.administrator == new.name) => {
                Err(EditError::NoKeyFile(current.number))
            }
            Some(_) => Ok(next),
            None => Err(EditError::NoEpoch(1)),
        }
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

    /// Lets a key sign.
    pub fn add_writer(
        &self,
        edit: Edit,
        root: &PublicKey,
        new: &NewWriter,
    ) -> Result<Self, EditError> {
        if new.key == *root {
            return Err(EditError::RootKey);
        }
        if self.writers.iter().any(|writer| writer.name == new.name) {
            return Err(EditError::NameTaken(new.name.clone()));
        }
        if let Some(other) = self.writer(new.key.key_id()) {
            return Err(EditError::KeyTaken(other.name.clone()));
        }
        let has = |role| new.roles.iter().filter(|&&r| r == role).count();
        let counts = [Role::Write, Role::Maintain, Role::Prove].map(has);
        if new.roles.is_empty() || counts.iter().any(|&count| count > 1) {
            return Err(EditError::Roles);
        }
        if let Some(jobs) = &new.jobs {
            let each: BTreeSet<_> = jobs.iter().collect();
            if jobs.is_empty() || each.len() < jobs.len() {
                return Err(EditError::Jobs);
            }
        }
        if let Some(until) = new.until.filter(|&until| until <= new.from) {
            return Err(EditError::Times {
                from: new.from,
                until,
            });
        }
        let mut next = self.next(edit);
        next.writers.push(Writer {
            name: new.name.clone(),
            key: new.key.clone(),
            roles: new.roles.clone(),
            jobs: new.jobs.clone(),
            from: new.from,
            until: new.until,
            removed: None,
        });
        Ok(next)
    }

    /// Takes a key out. Of what it signed, what is there goes on to count, and nothing more.
    pub fn remove_writer(
        &self,
        edit: Edit,
        name: &JobName,
        accepted: &Accepted,
    ) -> Result<Self, EditError> {
        let mut next = self.next(edit);
        let writer = next.writers.iter_mut().find(|writer| writer.name == *name);
        let writer = writer.ok_or_else(|| EditError::NoWriter(name.clone()))?;
        if let Some(removal) = &writer.removed {
            return Err(EditError::Removed {
                name: name.clone(),
                at: removal.at,
            });
        }
        let mut last = accepted.last.clone();
        last.sort_by(|a, b| a.job.cmp(&b.job));
        if let Some([twice, _]) = last.array_windows().find(|[a, b]| a.job == b.job) {
            return Err(EditError::JobTwice(twice.job.clone()));
        }
        let maintainer = writer.roles.contains(&Role::Maintain) && writer.jobs.is_none();
        writer.removed = Some(Removal {
            at: edit.now,
            last,
            forget: accepted.forget.filter(|_| maintainer),
            prune: accepted.prune.filter(|_| maintainer),
        });
        Ok(next)
    }
}

fn list(
    epoch: &mut Epoch,
    administrator: &JobName,
    file: &NewKeyFile,
    now: Timestamp,
) -> Result<(), EditError> {
    if epoch.keys.iter().any(|k| k.administrator == *administrator) {
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
