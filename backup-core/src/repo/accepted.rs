//! What of a writer goes on to count when it is removed: what is in the repository of it.
//!
//! Whoever may write to the store must not be able to stop a removal. So what cannot be read is
//! named and passed over, where everybody else would stop; only a store that fails is an error.

use std::collections::{BTreeMap, BTreeSet};

use backup_keys::{Accepted, AcceptedRun, AcceptedRuns, LastForget, LastPrune, PrunePart, Writer};
use backup_model::{Digest, JobName, Seq};
use futures::{StreamExt as _, stream};

use super::{RepoError, Repository, RunRecord};
use crate::format::{Done, Final, Plan, layout};

/// Records are fetched side by side, this many at once.
const FETCHES: usize = 16;

/// What counts of a writer, and what could not be read and might be of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) accepted: Accepted,
    pub(crate) unread: Vec<RepoError>,
}

impl Found {
    /// Passes over what is not valid. A store that fails is not passed over.
    fn take<T>(&mut self, read: Result<Option<T>, RepoError>) -> Result<Option<T>, RepoError> {
        match read {
            Ok(found) => Ok(found),
            Err(RepoError::Store(error)) => Err(error.into()),
            // Of somebody who was removed before, and so not of this one.
            Err(RepoError::NotAccepted { .. }) => Ok(None),
            Err(error) => {
                self.unread.push(error);
                Ok(None)
            }
        }
    }
}

impl Repository {
    /// What is there of a writer now.
    pub(crate) async fn accepted(&self, writer: &Writer) -> Result<Found, RepoError> {
        let mut found = Found::default();
        for job in self.jobs().await? {
            let covered = writer.jobs.as_ref().is_none_or(|jobs| jobs.contains(&job));
            if covered {
                self.accepted_runs(writer, job, &mut found).await?;
            }
        }
        if writer.maintains_all() {
            found.accepted.forget = self.accepted_forget(&mut found).await?;
            found.accepted.prune = self.accepted_prune(&mut found).await?;
        }
        Ok(found)
    }

    /// The ends of a job's runs that the writer signed. Of one that cannot be read, the run after
    /// it tells the digest: if it is mended, it counts.
    async fn accepted_runs(
        &self,
        writer: &Writer,
        job: JobName,
        found: &mut Found,
    ) -> Result<(), RepoError> {
        let folder = format!("{}/{job}", layout::SNAPSHOTS);
        let listed = self.store().list(&folder).await?;
        let numbers: BTreeSet<Seq> = listed
            .iter()
            .filter_map(|object| layout::parse_run(layout::SNAPSHOTS, &object.key))
            .map(|(_, seq)| seq)
            .collect();
        let of_job = &job;
        let read: Vec<(Seq, Result<Option<RunRecord>, RepoError>)> = stream::iter(numbers)
            .map(|seq| async move { (seq, self.run_end(of_job, seq).await) })
            .buffered(FETCHES)
            .collect()
            .await;
        let valid = read
            .iter()
            .filter_map(|(_, read)| read.as_ref().ok()?.as_ref());
        let told: BTreeMap<Seq, Digest> = valid
            .filter_map(|record| Some((record.name.seq.previous()?, record.end.prev()?)))
            .collect();
        let mut runs = Vec::new();
        for (seq, read) in read {
            let known = read.is_err().then(|| told.get(&seq)).flatten();
            if let Some(&digest) = known {
                runs.push(AcceptedRun(seq, digest));
            } else if let Some(record) = found.take(read)?
                && record.signer == writer.key.key_id()
            {
                runs.push(AcceptedRun(seq, record.digest));
            }
        }
        if !runs.is_empty() {
            found.accepted.runs.push(AcceptedRuns { job, runs });
        }
        Ok(())
    }

    /// The newest forget that is valid.
    async fn accepted_forget(&self, found: &mut Found) -> Result<Option<LastForget>, RepoError> {
        if let Some(newest) = found.take(self.forgotten().await.map(Some))? {
            return Ok(newest.record());
        }
        let listed = self.store().list(layout::FORGET).await?;
        let versions: BTreeSet<u64> = listed
            .iter()
            .filter_map(|object| layout::parse_forget(&object.key))
            .collect();
        for version in versions.into_iter().rev() {
            match self.forget_record(version).await {
                Ok(Some(forgotten)) => return Ok(forgotten.record()),
                Err(error @ RepoError::Store(_)) => return Err(error),
                // What is wrong with the newest has been said.
                Ok(None) | Err(_) => {}
            }
        }
        Ok(None)
    }

    /// The newest prune whose plan is valid, and what else of it is.
    async fn accepted_prune(&self, found: &mut Found) -> Result<Option<LastPrune>, RepoError> {
        let mut newest = None;
        // From the first on, since a generation without the one before it is none.
        for generation in 1.. {
            // `done` before the others, as always: what is there then is whole.
            let done = self.prune_record::<Done>(generation, PrunePart::Done);
            let done = found.take(done.await)?;
            let last = self.prune_record::<Final>(generation, PrunePart::Final);
            let last = found.take(last.await)?;
            let plan = self.prune_record::<Plan>(generation, PrunePart::Plan);
            let Some((plan, digest)) = found.take(plan.await)? else {
                break;
            };
            if (plan.repository, plan.generation) != (self.id(), generation) {
                break;
            }
            newest = Some(LastPrune {
                generation,
                plan: digest,
                last: last.map(|(_, digest)| digest),
                done: done.map(|(_, digest)| digest),
            });
        }
        Ok(newest)
    }
}
