//! What is dead and what is held: the newest forget, read, and followed by the next.
//!
//! The newest forget says all, so whoever creates the next one decides: two that forget, or one
//! that forgets and one that holds, meet at one object, and the second starts over from what the
//! first has left.
//!
//! Dead is dead for ever: a dead number is never used again, and its record, should it come back,
//! counts for nothing.

use std::collections::BTreeMap;

use backup_keys::{LastForget, Record, SecretKey};
use backup_model::{Digest, HoldInfo, JobName, Seq, SnapshotName, Why};
use jiff::Timestamp;

use super::{RepoError, Repository, open::invalid, sign::sign};
use crate::{
    format::{DeadRun, DeadRuns, Forget, Hold, layout},
    store::Put,
};

/// How often somebody else's forget may come first.
const TRIES: u32 = 16;

/// A dead run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead {
    /// The digest of its end.
    pub digest: Digest,
    /// Why it died.
    pub why: Why,
}

/// What the newest forget says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Its version; 0 if there is none.
    version: u64,
    digest: Option<Digest>,
    dead: BTreeMap<JobName, BTreeMap<Seq, Dead>>,
    holds: BTreeMap<SnapshotName, HoldInfo>,
}

impl Forgotten {
    /// The record that says it; none if there never was one.
    pub(crate) fn record(&self) -> Option<LastForget> {
        self.digest.map(|sha256| LastForget {
            version: self.version,
            sha256,
        })
    }

    fn link(&self) -> Option<(u64, Digest)> {
        self.digest.map(|digest| (self.version, digest))
    }

    /// The dead run of a number.
    pub fn dead(&self, job: &JobName, seq: Seq) -> Option<Dead> {
        self.dead.get(job)?.get(&seq).copied()
    }

    /// The dead runs of a job, by number.
    pub fn dead_of(&self, job: &JobName) -> impl Iterator<Item = (Seq, Dead)> {
        let runs = self.dead.get(job).into_iter().flatten();
        runs.map(|(&seq, &dead)| (seq, dead))
    }

    /// The jobs that have dead runs.
    pub fn jobs(&self) -> impl Iterator<Item = &JobName> {
        self.dead.keys()
    }

    /// The hold on a snapshot.
    pub fn hold(&self, name: &SnapshotName) -> Option<&HoldInfo> {
        self.holds.get(name)
    }

    /// All holds.
    pub fn holds(&self) -> impl Iterator<Item = &HoldInfo> {
        self.holds.values()
    }

    /// Adds a dead run. One that is held cannot die.
    pub(crate) fn kill(&mut self, name: &SnapshotName, dead: Dead) -> Result<(), RepoError> {
        if let Some(hold) = self.holds.get(name) {
            return Err(RepoError::Held(hold.clone()));
        }
        let runs = self.dead.entry(name.job.clone()).or_default();
        runs.entry(name.seq).or_insert(dead);
        Ok(())
    }

    /// Adds a hold, or gives another reason to one that is there.
    pub(crate) fn add_hold(&mut self, hold: HoldInfo) {
        self.holds.insert(hold.snapshot.clone(), hold);
    }

    /// Takes a hold away, and says whether it was there.
    pub(crate) fn remove_hold(&mut self, name: &SnapshotName) -> bool {
        self.holds.remove(name).is_some()
    }

    fn of_record(record: Forget, digest: Digest) -> Self {
        let runs = |runs: Vec<DeadRun>| {
            let runs = runs.into_iter();
            runs.map(|DeadRun(seq, digest, why)| (seq, Dead { digest, why }))
                .collect()
        };
        let dead = record.dead.into_iter();
        let holds = record.holds.into_iter().map(|hold| {
            let snapshot = SnapshotName {
                job: hold.job,
                seq: hold.seq,
            };
            let info = HoldInfo {
                snapshot: snapshot.clone(),
                reason: hold.reason,
                created: hold.created,
            };
            (snapshot, info)
        });
        Self {
            version: record.version,
            digest: Some(digest),
            dead: dead.map(|dead| (dead.job, runs(dead.runs))).collect(),
            holds: holds.collect(),
        }
    }

    /// The record that follows the one that this came from.
    fn next_record(&self, repository: &Repository, now: Timestamp) -> Forget {
        let dead = self.dead.iter().map(|(job, runs)| DeadRuns {
            job: job.clone(),
            runs: runs
                .iter()
                .map(|(&seq, dead)| DeadRun(seq, dead.digest, dead.why))
                .collect(),
        });
        let holds = self.holds.iter().map(|(name, hold)| Hold {
            job: name.job.clone(),
            seq: name.seq,
            created: hold.created,
            reason: hold.reason.clone(),
        });
        Forget {
            repository: repository.id(),
            version: self.version.saturating_add(1),
            prev: self.digest,
            created: now,
            dead: dead.collect(),
            holds: holds.collect(),
        }
    }
}

impl Repository {
    /// Reads the newest forget.
    pub async fn forgotten(&self) -> Result<Forgotten, RepoError> {
        self.forgotten_since(&Forgotten::default()).await
    }

    /// The same for somebody who has read one before. A listing may be late, so what follows its
    /// highest version is asked for by name.
    pub async fn forgotten_since(&self, known: &Forgotten) -> Result<Forgotten, RepoError> {
        let listed = self.store().list(layout::FORGET).await?;
        let versions = listed.iter().filter_map(|o| layout::parse_forget(&o.key));
        let mut version = versions.max().unwrap_or(0).max(known.version);
        let mut newest = None;
        if version > known.version {
            newest = Some(
                self.forget_record(version)
                    .await?
                    .ok_or_else(|| RepoError::RecordMissing(layout::forget(version)))?,
            );
        }
        while let Some(next) = self.forget_record(version.saturating_add(1)).await? {
            version += 1;
            newest = Some(next);
        }
        // Whoever takes the newest away brings back what was forgotten.
        match self.trust().pinned_forget() {
            Some(pinned) if version < pinned.version => {
                Err(RepoError::RecordMissing(layout::forget(pinned.version)))
            }
            _ => {
                let newest = newest.unwrap_or_else(|| known.clone());
                let link = newest
                    .record()
                    .map(|record| (record.version, record.sha256));
                self.remember_forget(link).await?;
                Ok(newest)
            }
        }
    }

    /// Changes what is dead or held: the change is made to the newest forget, and made again when
    /// somebody else's came first. A change that changes nothing stores nothing.
    // Not an async closure that borrows: its future could not be seen to be `Send`.
    pub(crate) async fn change_forgotten<T, F>(
        &self,
        key: &SecretKey,
        now: Timestamp,
        mut change: impl FnMut(Forgotten) -> F,
    ) -> Result<T, RepoError>
    where
        F: Future<Output = Result<(Forgotten, T), RepoError>> + Send,
    {
        self.may_maintain(key)?;
        let mut known = self.forgotten().await?;
        for _ in 0..TRIES {
            let changed = change(known.clone()).await;
            if let Ok((changed, outcome)) = changed {
                if changed == known || self.create_forget(key, &changed, now).await? {
                    return Ok(outcome);
                }
                known = self.forgotten_since(&known).await?;
                continue;
            }
            // What was forgotten while it was looked at is no reason to fail.
            let newest = self.forgotten_since(&known).await?;
            if newest == known {
                return changed.map(|(_, outcome)| outcome);
            }
            known = newest;
        }
        Err(RepoError::Contended(layout::FORGET))
    }

    /// Creates the next forget; false if somebody else did.
    async fn create_forget(
        &self,
        key: &SecretKey,
        changed: &Forgotten,
        now: Timestamp,
    ) -> Result<bool, RepoError> {
        let record = changed.next_record(self, now);
        let object = layout::forget(record.version);
        let bytes = sign(&record, self.id(), &object, key)?;
        // What a reader would refuse must not be stored.
        let read = self.read_forget(&bytes, record.version)?;
        self.trust_is_newest().await?;
        let put = self.store().put_deciding(&object, bytes.into()).await?;
        if put == Put::Stored {
            self.note_forget(read.link());
        }
        Ok(put == Put::Stored)
    }

    pub(super) async fn forget_record(&self, version: u64) -> Result<Option<Forgotten>, RepoError> {
        let bytes = self.store().find(&layout::forget(version)).await?;
        bytes
            .map(|bytes| self.read_forget(&bytes, version))
            .transpose()
    }

    fn read_forget(&self, bytes: &[u8], version: u64) -> Result<Forgotten, RepoError> {
        let key = layout::forget(version);
        let signed =
            Record::parse_list(bytes, self.id(), &key).map_err(|source| invalid(&key, source))?;
        let signer = self.maintainer(&signed, &key, |writer| writer.forget_counts(version))?;
        let record: Forget = signed
            .open(signer)
            .map_err(|source| invalid(&key, source))?;
        if record.repository != self.id() || record.version != version {
            return Err(RepoError::rule(&key, "it is the record of another place"));
        }
        if let Some(rule) = record.broken_rule() {
            return Err(RepoError::rule(&key, rule));
        }
        let pinned = self.trust().pinned_forget();
        if pinned.is_some_and(|at| at.version == version && at.sha256 != signed.digest()) {
            let rule = "it is not the one that was there when a maintainer was removed";
            return Err(RepoError::rule(&key, rule));
        }
        Ok(Forgotten::of_record(record, signed.digest()))
    }
}
