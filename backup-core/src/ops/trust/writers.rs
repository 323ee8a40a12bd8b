//! Writers: let in, and taken out with what is there of them.

use backup_keys::{Accepted, LastRecord, NewWriter, Writer};
use backup_model::{Code, Failure, JobName, SnapshotName, TrustChange};

use super::{super::OpError, Authority};
use crate::repo::RunState;

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
        let trust = self.store(next).await?;
        self.too_late(name, &accepted, trust).await
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
        let trust = self.store(next).await?;
        self.too_late(name, &accepted, trust).await
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

    /// What a writer has stored while it was put out counts for nothing, and is in its job's way
    /// until somebody forgets it. By the trust of before, it can still be read.
    async fn too_late(
        &self,
        name: &JobName,
        accepted: &Accepted,
        trust: u64,
    ) -> Result<TrustChange, OpError> {
        let mut change = changed(trust);
        for late in self.accepted(name).await?.last {
            if !accepted.last.contains(&late) {
                let run = SnapshotName {
                    job: late.job,
                    seq: late.seq,
                };
                let text = format!("{run} was stored meanwhile and does not count: forget it");
                change.left.push(Failure::new(Code::TrustRefused, text));
            }
        }
        Ok(change)
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
