//! Reading what a job has done: every run's end, verified, in an unbroken chain.
//!
//! One bad record must not hide the others, so each run has its own verdict. A record that is
//! missing below a later one is a fault: numbers have no gaps.

use std::collections::BTreeSet;

use backup_keys::{Record, Role};
use backup_model::{Code, Digest, JobName, Seq, SnapshotName};
use futures::{StreamExt as _, stream};

use super::{RepoError, Repository, open::invalid};
use crate::format::{Commit, RunEnd, Session, layout};

/// Records are fetched side by side, this many at once.
const FETCHES: usize = 16;

/// Of a gap in the numbers, however wide somebody made it, so many are named.
const NAMED_MISSING: usize = 1_000;

/// A verified end of a run.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Which run.
    pub name: SnapshotName,
    /// The record's digest.
    pub digest: Digest,
    /// What it says.
    pub end: RunEnd,
}

impl RunRecord {
    /// The commit, if the run made a snapshot.
    pub fn commit(&self) -> Result<&Commit, RepoError> {
        let how = match &self.end {
            RunEnd::Commit(commit) => return Ok(commit),
            RunEnd::Aborted(aborted) => format!("was aborted ({})", aborted.reason),
            RunEnd::Fence(_) => "was ended by somebody else".to_owned(),
        };
        Err(RepoError::NotCommitted {
            run: self.name.clone(),
            how,
        })
    }
}

/// What is known of one run.
#[derive(Debug)]
pub enum RunState {
    /// It has a valid end.
    Ended(Box<RunRecord>),
    /// It has begun and has no end.
    Open(Session),
    /// Its record is missing or not valid.
    Bad(RepoError),
}

/// All runs of a job, by number from 1.
#[derive(Debug)]
pub struct JobRuns {
    /// The job.
    pub job: JobName,
    /// Its runs, in order.
    pub runs: Vec<(Seq, RunState)>,
}

impl JobRuns {
    /// The newest snapshot.
    pub fn latest(&self) -> Option<&RunRecord> {
        self.runs.iter().rev().find_map(|(_, state)| match state {
            RunState::Ended(record) if record.commit().is_ok() => Some(&**record),
            _ => None,
        })
    }
}

impl Repository {
    /// The jobs that have ever begun a run, by name.
    pub async fn jobs(&self) -> Result<Vec<JobName>, RepoError> {
        let mut jobs = Vec::new();
        for folder in [layout::SESSIONS, layout::SNAPSHOTS] {
            let objects = self.store().list(folder).await?;
            let named = objects
                .iter()
                .filter_map(|object| layout::parse_run(folder, &object.key));
            jobs.extend(named.map(|(job, _)| job));
        }
        jobs.sort();
        jobs.dedup();
        Ok(jobs)
    }

    /// All runs of a job. Sessions are listed before snapshots, so that a run which ends
    /// meanwhile is seen as ended and not as missing.
    pub async fn runs(&self, job: &JobName) -> Result<JobRuns, RepoError> {
        let listed = self.listed(job).await?;
        let highest = listed.last().copied();
        let records: Vec<_> = stream::iter(listed)
            .map(|seq| async move { (seq, self.run_end(job, seq).await) })
            .buffered(FETCHES)
            .collect()
            .await;
        let missing = |seq| RunState::Bad(RepoError::ObjectMissing(layout::snapshot(job, seq)));
        let mut runs = Vec::with_capacity(records.len());
        let mut before = Chained::Start;
        let mut next = Seq::FIRST;
        for (seq, read) in records {
            if seq != next {
                let gap = (next.0..seq.0).map(Seq).take(NAMED_MISSING);
                runs.extend(gap.map(|seq| (seq, missing(seq))));
                before = Chained::Broken;
            }
            next = seq.next();
            let state = match read {
                Ok(Some(record)) => before
                    .check(&record)
                    .map_or_else(RunState::Bad, |()| RunState::Ended(Box::new(record))),
                Ok(None) if Some(seq) == highest => self.open_run(job, seq).await,
                Ok(None) => missing(seq),
                Err(error) => RunState::Bad(error),
            };
            before = match &state {
                RunState::Ended(record) => Chained::At(record.digest),
                RunState::Open(_) | RunState::Bad(_) => Chained::Broken,
            };
            runs.push((seq, state));
        }
        Ok(JobRuns {
            job: job.clone(),
            runs,
        })
    }

    /// The newest snapshot of a job before run `seq`, reading no more than the runs after it. A
    /// run without a valid end stops the search: what comes before it is not built on.
    pub async fn snapshot_before(
        &self,
        job: &JobName,
        seq: Seq,
    ) -> Result<Option<RunRecord>, RepoError> {
        let mut at = seq;
        while let Some(before) = at.previous() {
            match self.run_end(job, before).await {
                Ok(Some(record)) if record.commit().is_ok() => return Ok(Some(record)),
                Ok(Some(_)) => at = before,
                Ok(None) => return Ok(None),
                Err(error) if error.code() == Code::RepositoryDamaged => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The numbers of the runs of a job that have begun, in order.
    pub(super) async fn listed(&self, job: &JobName) -> Result<BTreeSet<Seq>, RepoError> {
        let mut listed = BTreeSet::new();
        for folder in [layout::SESSIONS, layout::SNAPSHOTS] {
            let objects = self.store().list(&format!("{folder}/{job}")).await?;
            let runs = objects
                .iter()
                .filter_map(|object| layout::parse_run(folder, &object.key));
            listed.extend(runs.map(|(_, seq)| seq));
        }
        Ok(listed)
    }

    /// Reads and verifies the end of a run, if it has one.
    pub async fn run_end(&self, job: &JobName, seq: Seq) -> Result<Option<RunRecord>, RepoError> {
        let key = layout::snapshot(job, seq);
        let Some(bytes) = self.store().find(&key).await? else {
            return Ok(None);
        };
        let record =
            Record::parse(&bytes, self.id(), &key).map_err(|source| invalid(&key, source))?;
        // Which roles may have signed depends on the type, so the type is looked at first; the
        // signature decides whether it is believed.
        let roles: &[Role] = match record.peek() {
            Ok(RunEnd::Fence(_)) => &[Role::Write, Role::Maintain],
            Ok(RunEnd::Commit(_) | RunEnd::Aborted(_)) | Err(_) => &[Role::Write],
        };
        let signer = self.signer(&record, &key, roles, job, seq)?;
        let end: RunEnd = record
            .open(signer)
            .map_err(|source| invalid(&key, source))?;
        let (repository, named_job, named_seq, _) = end.run();
        if (repository, named_job, named_seq) != (self.id(), job, seq) {
            return Err(RepoError::rule(&key, "it is the record of another run"));
        }
        let writer = self.trust().writer(record.key_id());
        let accepted = writer.and_then(|writer| writer.accepted(job, seq));
        if accepted.is_some_and(|digest| digest != record.digest()) {
            let rule = "it is not the record that was accepted when its key was removed";
            return Err(RepoError::rule(&key, rule));
        }
        if let RunEnd::Commit(commit) = &end {
            self.check_trust(&key, commit.trust).await?;
        }
        Ok(Some(RunRecord {
            name: SnapshotName {
                job: job.clone(),
                seq,
            },
            digest: record.digest(),
            end,
        }))
    }

    /// A writer had seen this version of trust, so it must be here: whoever takes the newest away
    /// brings removed keys back. It may be newer than what was there when we opened.
    async fn check_trust(&self, key: &str, version: u64) -> Result<(), RepoError> {
        if (1..=self.trust().version).contains(&version) {
            return Ok(());
        }
        let named = layout::trust(version);
        if version > 0 && self.store().find(&named).await?.is_some() {
            return Ok(());
        }
        let rule = format!("it names {named}, which is not there");
        Err(RepoError::rule(key, rule))
    }

    /// Reads and verifies the beginning of a run.
    pub(super) async fn session(
        &self,
        job: &JobName,
        seq: Seq,
    ) -> Result<(Record, Session), RepoError> {
        let key = layout::session(job, seq);
        let bytes = self
            .store()
            .find(&key)
            .await?
            .ok_or_else(|| RepoError::ObjectMissing(key.clone()))?;
        let record =
            Record::parse(&bytes, self.id(), &key).map_err(|source| invalid(&key, source))?;
        let signer = self.signer(&record, &key, &[Role::Write], job, seq)?;
        let session: Session = record
            .open(signer)
            .map_err(|source| invalid(&key, source))?;
        if (session.repository, &session.job, session.seq) != (self.id(), job, seq) {
            return Err(RepoError::rule(&key, "it is the record of another run"));
        }
        Ok((record, session))
    }

    async fn open_run(&self, job: &JobName, seq: Seq) -> RunState {
        self.session(job, seq)
            .await
            .map_or_else(RunState::Bad, |(_, session)| RunState::Open(session))
    }
}

/// What the record before says about `prev`.
enum Chained {
    Start,
    At(Digest),
    /// It is bad itself; what follows cannot be compared with it.
    Broken,
}

impl Chained {
    fn check(&self, record: &RunRecord) -> Result<(), RepoError> {
        let expected = match self {
            Self::Start => None,
            Self::At(digest) => Some(*digest),
            Self::Broken => return Ok(()),
        };
        if record.end.prev() == expected {
            return Ok(());
        }
        let key = layout::snapshot(&record.name.job, record.name.seq);
        Err(RepoError::rule(
            &key,
            "it does not follow the record before",
        ))
    }
}
