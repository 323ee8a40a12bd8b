//! Who signs records of runs: let in, taken out, replaced.

use std::collections::BTreeSet;

use backup_model::JobName;
use jiff::Timestamp;

use super::{Edit, EditError};
use crate::{Accepted, PublicKey, Removal, Role, TrustRecord, Writer};

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

impl TrustRecord {
    /// Lets a key sign.
    pub fn add_writer(
        &self,
        edit: Edit,
        root: &PublicKey,
        new: &NewWriter,
    ) -> Result<Self, EditError> {
        let mut next = self.next(edit);
        next.let_in(root, new)?;
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
        next.take_out(edit, name, accepted)?;
        Ok(next)
    }

    /// Gives a writer another key, and other roles or jobs if they are others: one record, so that
    /// there is no time without it. It may keep its name.
    pub fn replace_writer(
        &self,
        edit: Edit,
        root: &PublicKey,
        name: &JobName,
        accepted: &Accepted,
        new: &NewWriter,
    ) -> Result<Self, EditError> {
        let mut next = self.next(edit);
        next.take_out(edit, name, accepted)?;
        next.let_in(root, new)?;
        Ok(next)
    }

    /// Lets more of a removed writer count: what it had stored before the removal was, and whoever
    /// removed it had not seen.
    pub fn extend_removal(
        &self,
        edit: Edit,
        name: &JobName,
        accepted: &Accepted,
    ) -> Result<Self, EditError> {
        let mut next = self.next(edit);
        let mut named = next.writers.iter_mut().rev().filter(|w| w.name == *name);
        let removed = named.find_map(|writer| writer.removed.clone().map(|was| (writer, was)));
        let (writer, was) = removed.ok_or_else(|| EditError::NoWriter(name.clone()))?;
        set_removal(writer, was.at, &was.accepted.and(accepted))?;
        Ok(next)
    }

    /// The writer of a name that was not removed.
    pub fn writer_named(&self, name: &JobName) -> Option<&Writer> {
        let mut writers = self.writers.iter();
        writers.find(|writer| writer.name == *name && writer.removed.is_none())
    }

    fn let_in(&mut self, root: &PublicKey, new: &NewWriter) -> Result<(), EditError> {
        if new.key == *root {
            return Err(EditError::RootKey);
        }
        if self.writer_named(&new.name).is_some() {
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
        self.writers.push(Writer {
            name: new.name.clone(),
            key: new.key.clone(),
            roles: new.roles.clone(),
            jobs: new.jobs.clone(),
            from: new.from,
            until: new.until,
            removed: None,
        });
        Ok(())
    }

    fn take_out(
        &mut self,
        edit: Edit,
        name: &JobName,
        accepted: &Accepted,
    ) -> Result<(), EditError> {
        let named = self.writers.iter().rposition(|writer| writer.name == *name);
        let writer = named.and_then(|at| self.writers.get_mut(at));
        let writer = writer.ok_or_else(|| EditError::NoWriter(name.clone()))?;
        // Names come again only after a removal: the last of a name is the one in office.
        if let Some(removal) = &writer.removed {
            return Err(EditError::Removed {
                name: name.clone(),
                at: removal.at,
            });
        }
        set_removal(writer, edit.now, accepted)
    }
}

/// Says of a writer what of its counts.
fn set_removal(writer: &mut Writer, at: Timestamp, accepted: &Accepted) -> Result<(), EditError> {
    let mut accepted = accepted.clone();
    accepted.runs.sort_by(|a, b| a.job.cmp(&b.job));
    if let Some([twice, _]) = accepted.runs.array_windows().find(|[a, b]| a.job == b.job) {
        return Err(EditError::JobTwice(twice.job.clone()));
    }
    let covers = |job| writer.jobs.as_ref().is_none_or(|jobs| jobs.contains(job));
    if let Some(foreign) = accepted.runs.iter().find(|of_job| !covers(&of_job.job)) {
        return Err(EditError::NotItsJob {
            name: writer.name.clone(),
            job: foreign.job.clone(),
        });
    }
    if !writer.maintains_all() {
        accepted.forget = None;
        accepted.prune = None;
    }
    writer.removed = Some(Removal { at, accepted });
    Ok(())
}
