//! Writers: let in, and taken out with what is there of them.

use backup_keys::{Accepted, EditError, LastRecord, NewWriter, TrustRecord, Writer};
use backup_model::{JobName, TrustChange};

use super::{super::OpError, Authority};
use crate::repo::RunState;

/// How often a writer may have stored something more while it is removed.
const LOOKS: u32 = 8;

impl Authority<'_> {
    /// Lets a key sign.
    pub async fn add_writer(&self, new: &NewWriter) -> Result<TrustChange, OpError> {
        let root = &self.repository.record().root;
        let next = self.trust().add_writer(self.edit(), root, new);
        Ok(changed(self.store(next).await?))
    }

    /// Takes a key out. Of what it signed, what is in the repository now goes on to count; a run of
    /// its that is under way will not be a snapshot.
    pub async fn remove_writer(&self, name: &JobName) -> Result<TrustChange, OpError> {
        let accepted = self.accepted(name).await?;
        let next = self.trust().remove_writer(self.edit(), name, &accepted);
        self.take_out(name, accepted, next).await
    }

    /// Gives a writer another key in one step, and other roles and jobs if they are others.
    pub async fn replace_writer(
        &self,
        name: &JobName,
        new: &NewWriter,
    ) -> Result<TrustChange, OpError> {
        let accepted = self.accepted(name).await?;
        let root = &self.repository.record().root;
        let next = self
            .trust()
            .replace_writer(self.edit(), root, name, &accepted, new);
        self.take_out(name, accepted, next).await
    }

    /// What is in the repository of a writer. A record that cannot be read might be its last one,
    /// so it is an error.
    async fn accepted(&self, name: &JobName) -> Result<Accepted, OpError> {
        let Some(writer) = self.trust().writer_named(name) else {
            // The edit says what is wrong with the name.
            return Ok(Accepted::default());
        };
        let mut accepted = Accepted::default();
        for job in self.repository.jobs().await? {
            accepted.last.extend(self.last_of(writer, &job).await?);
        }
        accepted.forget = self.repository.forgotten().await?.record();
        accepted.prune = self.repository.last_prune().await?;
        Ok(accepted)
    }

    /// Stores a removal. What the writer has stored since it was looked at is not lost, nor is it in
    /// anybody's way: it is let count by one more record. By the trust of before, it can be read.
    async fn take_out(
        &self,
        name: &JobName,
        mut accepted: Accepted,
        next: Result<TrustRecord, EditError>,
    ) -> Result<TrustChange, OpError> {
        let mut trust = next.map_err(OpError::Trust)?;
        let mut edit = self.store_record(&trust).await?;
        for _ in 0..LOOKS {
            let late = self.accepted(name).await?;
            if late == accepted {
                break;
            }
            let next = trust.extend_removal(edit, name, &late);
            trust = next.map_err(OpError::Trust)?;
            edit = self.store_record(&trust).await?;
            accepted = late;
        }
        Ok(changed(trust.version))
    }

    /// The last record of a job that a writer signed.
    async fn last_of(&self, writer: &Writer, job: &JobName) -> Result<Option<LastRecord>, OpError> {
        let runs = self.repository.runs(job).await?;
        for (seq, state) in runs.runs.into_iter().rev() {
            match state {
                RunState::Ended(record) if record.signer == writer.key.key_id() => {
                    return Ok(Some(LastRecord {
                        job: job.clone(),
                        seq,
                        sha256: record.digest,
                    }));
                }
                RunState::Ended(_) | RunState::Dead(_) | RunState::Open(_) => {}
                RunState::Bad(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

fn changed(trust: u64) -> TrustChange {
    TrustChange {
        trust,
        epochs: Vec::new(),
        tested: false,
        left_out: Vec::new(),
        left: Vec::new(),
    }
}
