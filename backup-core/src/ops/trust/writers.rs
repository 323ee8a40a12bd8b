//! Writers: let in, and taken out with what is there of them.

use backup_keys::{Edit, EditError, NewWriter, TrustRecord};
use backup_model::{Failure, JobName, TrustChange};

use super::{super::OpError, Authority};
use crate::repo::Found;

/// How often a writer may have stored something more while it is removed. A run that began before
/// looks for newer trust itself before it ends: more than one more is not honest.
const LOOKS: u32 = 2;

impl Authority<'_> {
    /// Lets a key sign.
    pub async fn add_writer(&self, new: &NewWriter) -> Result<TrustChange, OpError> {
        self.make(|signer| signer.add_writer(new)).await
    }

    /// Takes a key out. Of what it signed, what is in the repository now goes on to count; a run of
    /// its that is under way will not be a snapshot. What cannot be read does not stop this: it is
    /// named, and does not count.
    pub async fn remove_writer(&self, name: &JobName) -> Result<TrustChange, OpError> {
        let found = self.found(name).await?;
        let next = self
            .trust()
            .remove_writer(self.edit(), name, &found.accepted);
        self.take_out(name, found, next).await
    }

    /// Gives a writer another key in one step, and other roles and jobs if they are others.
    pub async fn replace_writer(
        &self,
        name: &JobName,
        new: &NewWriter,
    ) -> Result<TrustChange, OpError> {
        let found = self.found(name).await?;
        let (root, accepted) = (&self.repository.record().root, &found.accepted);
        let next = self
            .trust()
            .replace_writer(self.edit(), root, name, accepted, new);
        self.take_out(name, found, next).await
    }

    /// What is in the repository of a writer.
    async fn found(&self, name: &JobName) -> Result<Found, OpError> {
        match self.trust().writer_named(name) {
            Some(writer) => Ok(self.repository.accepted(writer).await?),
            // The edit says what is wrong with the name.
            None => Ok(Found::default()),
        }
    }

    /// Stores a removal. What the writer has stored since it was looked at is not lost, nor is it in
    /// anybody's way: it is let count by one more record. By the trust of before, it can be read.
    async fn take_out(
        &self,
        name: &JobName,
        mut found: Found,
        next: Result<TrustRecord, EditError>,
    ) -> Result<TrustChange, OpError> {
        let mut trust = next.map_err(Self::refused)?;
        let mut edit = self.store(&trust).await?;
        let mut failed = None;
        for _ in 0..LOOKS {
            // The writer is out: what goes wrong from here on is told, and is no failure of that.
            match self.extend(name, &trust, edit, &mut found).await {
                Ok(None) => break,
                Ok(Some(next)) => (trust, edit) = next,
                Err(error) => {
                    failed = Some(error.to_failure());
                    break;
                }
            }
        }
        let unread = found.unread.iter();
        let unread = unread.map(|error| Failure::from_error(error.code(), error));
        Ok(TrustChange {
            unread: unread.chain(failed).collect(),
            trust: trust.version,
            epochs: Vec::new(),
            tested: false,
            left_out: Vec::new(),
            left: Vec::new(),
        })
    }

    /// Lets count what has come since; none if nothing has.
    async fn extend(
        &self,
        name: &JobName,
        trust: &TrustRecord,
        edit: Edit,
        found: &mut Found,
    ) -> Result<Option<(TrustRecord, Edit)>, OpError> {
        let late = self.found(name).await?;
        let accepted = found.accepted.and(&late.accepted);
        if accepted == found.accepted {
            return Ok(None);
        }
        let next = trust.extend_removal(edit, name, &accepted);
        let next = next.map_err(Self::refused)?;
        let edit = self.store(&next).await?;
        found.accepted = accepted;
        Ok(Some((next, edit)))
    }
}
