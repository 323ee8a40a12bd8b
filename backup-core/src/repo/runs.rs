//! Reading what a job has done: every run's end, verified, in an unbroken chain.
//!
//! One bad record must not hide the others, so each run has its own verdict. A record that is
//! missing below a later one is a fault: numbers have no gaps.

use std::collections::{BTreeMap, BTreeSet};

use backup_keys::{Record, Role};
use backup_model::{Code, Digest, HoldInfo, JobName, Seq, SnapshotName};
use futures::{StreamExt as _, stream};

use super::{Dead, Forgotten, RepoError, Repository, Unended, open::invalid, sign::record_digest};
use crate::format::{Commit, RunEnd, layout};

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
    /// The id of the key that signed it.
    pub signer: [u8; 8],
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
    /// It was forgotten, whatever is still there of it.
    Dead(Dead),
    /// It has begun and has no end.
    Open(Box<Unended>),
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
    /// What of them is held.
    pub holds: Vec<HoldInfo>,
}

impl JobRuns {
    /// The newest snapshot.
    pub fn latest(&self) -> Option<&RunRecord> {
        self.runs.iter().rev().find_map(|(_, state)| match state {
            RunState::Ended(record) if record.commit().is_ok() => Some(&**record),
            _ => None,
        })
    }

    /// The hold on one of its snapshots.
    pub fn hold(&self, seq: Seq) -> Option<&HoldInfo> {
        self.holds.iter().find(|hold| hold.snapshot.seq == seq)
    }
}

impl Repository {
    /// The jobs of which anything is there, or was when this machine looked before, by name.
    pub async fn jobs(&self) -> Result<Vec<JobName>, RepoError> {
        let mut jobs = Vec::new();
        for folder in [layout::SESSIONS, layout::SNAPSHOTS] {
            let objects = self.store().list(folder).await?;
            let named = objects
                .iter()
                .filter_map(|object| layout::parse_run(folder, &object.key));
            jobs.extend(named.map(|(job, _)| job));
        }
        jobs.extend(self.remembered_jobs().cloned());
        jobs.sort();
        jobs.dedup();
        Ok(jobs)
    }

    /// All runs of a job.
    pub async fn runs(&self, job: &JobName) -> Result<JobRuns, RepoError> {
        let known = self.forgotten().await?;
        self.runs_since(job, &known).await
    }

    /// The same for somebody who has read what is forgotten. Sessions are listed before snapshots,
    /// so that a run which ends meanwhile is seen as ended and not as missing; and what is
    /// forgotten is read once more at the end, so that one that dies meanwhile is seen as dead.
    pub async fn runs_since(&self, job: &JobName, known: &Forgotten) -> Result<JobRuns, RepoError> {
        let listed = self.listed(job, known).await?;
        let alive = listed.iter().copied();
        let alive = alive.filter(|&seq| known.dead(job, seq).is_none());
        let records: BTreeMap<Seq, _> = stream::iter(alive)
            .map(|seq| async move { (seq, self.run_end(job, seq).await) })
            .buffered(FETCHES)
            .collect()
            .await;
        let forgotten = self.forgotten_since(known).await?;
        let mut runs = self.in_chain(job, listed, records, &forgotten).await;
        self.remember_runs(job, &mut runs);
        let ours = |hold: &&HoldInfo| hold.snapshot.job == *job;
        Ok(JobRuns {
            job: job.clone(),
            runs,
            holds: forgotten.holds().filter(ours).cloned().collect(),
        })
    }

    /// Puts what was read in order, and each record beside the one before.
    async fn in_chain(
        &self,
        job: &JobName,
        listed: BTreeSet<Seq>,
        mut records: BTreeMap<Seq, Result<Option<RunRecord>, RepoError>>,
        forgotten: &Forgotten,
    ) -> Vec<(Seq, RunState)> {
        let missing = |seq| RunState::Bad(RepoError::ObjectMissing(layout::snapshot(job, seq)));
        let mut numbers = listed;
        numbers.extend(forgotten.dead_of(job).map(|(seq, _)| seq));
        let highest = numbers.last().copied();
        let mut runs = Vec::with_capacity(numbers.len());
        let mut before = Chained::Start;
        let mut next = Seq::FIRST;
        for seq in numbers {
            if seq != next {
                let gap = (next.0..seq.0).map(Seq).take(NAMED_MISSING);
                runs.extend(gap.map(|seq| (seq, missing(seq))));
                before = Chained::Broken;
            }
            next = seq.next();
            let state = match (forgotten.dead(job, seq), records.remove(&seq)) {
                (Some(dead), _) => RunState::Dead(dead),
                (None, Some(Ok(Some(record)))) => before
                    .check(&record)
                    .map_or_else(RunState::Bad, |()| RunState::Ended(Box::new(record))),
                (None, Some(Ok(None))) if Some(seq) == highest => self.open_run(job, seq).await,
                (None, Some(Ok(None)) | None) => missing(seq),
                (None, Some(Err(error))) => RunState::Bad(error),
            };
            before = match &state {
                RunState::Ended(record) => Chained::At(record.digest),
                RunState::Dead(dead) => Chained::At(dead.digest),
                RunState::Open(_) | RunState::Bad(_) => Chained::Broken,
            };
            runs.push((seq, state));
        }
        runs
    }

    /// The newest live snapshot of a job before run `seq`, reading no more than the runs after it.
    /// A run without a valid end stops the search: what comes before it is not built on.
    pub async fn snapshot_before(
        &self,
        job: &JobName,
        seq: Seq,
        forgotten: &Forgotten,
    ) -> Result<Option<RunRecord>, RepoError> {
        let mut at = seq;
        while let Some(before) = at.previous() {
            if forgotten.dead(job, before).is_some() {
                at = before;
                continue;
            }
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

    /// The numbers of the runs of a job that have begun and are not known as dead, and perhaps some
    /// that are. A listing may be late or end early, so what follows its highest number is asked for
    /// by name.
    pub(super) async fn listed(
        &self,
        job: &JobName,
        known: &Forgotten,
    ) -> Result<BTreeSet<Seq>, RepoError> {
        let mut listed = BTreeSet::new();
        for folder in [layout::SESSIONS, layout::SNAPSHOTS] {
            let objects = self.store().list(&format!("{folder}/{job}")).await?;
            let runs = objects
                .iter()
                .filter_map(|object| layout::parse_run(folder, &object.key));
            listed.extend(runs.map(|(_, seq)| seq));
        }
        let dead = known.dead_of(job).map(|(seq, _)| seq).last();
        let mut next = listed
            .last()
            .copied()
            .max(dead)
            .map_or(Seq::FIRST, Seq::next);
        while self.begun(job, next).await? {
            listed.insert(next);
            next = next.next();
        }
        Ok(listed)
    }

    /// How a run ended: the digest of its record, and the record itself unless it is dead. The
    /// newest forget is read after the record, so one that dies meanwhile is not missed. An end that
    /// a removed key has signed and that does not count is an end all the same, or whoever has such
    /// a key could stop a job.
    pub(super) async fn end_of(
        &self,
        job: &JobName,
        seq: Seq,
    ) -> Result<Option<(Digest, Option<RunEnd>)>, RepoError> {
        let record = self.run_end(job, seq).await;
        if let Some(dead) = self.forgotten().await?.dead(job, seq) {
            return Ok(Some((dead.digest, None)));
        }
        match record {
            Err(RepoError::NotAccepted { digest, .. }) => Ok(Some((digest, None))),
            record => Ok(record?.map(|record| (record.digest, Some(record.end)))),
        }
    }

    /// The digest by which a run that has ended can be forgotten. Of a record that is damaged or gone
    /// the run after it knows the digest; where that one does not tell either, nobody asks for it,
    /// and what lies there is as good.
    pub(crate) async fn end_digest(
        &self,
        name: &SnapshotName,
        forgotten: &Forgotten,
    ) -> Result<Digest, RepoError> {
        let (job, next) = (&name.job, name.seq.next());
        let mut dead = forgotten.dead_of(job);
        let passed = dead.any(|(seq, _)| seq > name.seq);
        let error = match self.ended(name).await {
            Ok(record) => return Ok(record.digest),
            Err(error) if error.code() == Code::RepositoryDamaged => error,
            Err(error @ (RepoError::Busy { .. } | RepoError::NoSnapshot(_))) if passed => error,
            Err(error) => return Err(error),
        };
        if forgotten.dead(job, next).is_none() {
            match self.run_end(job, next).await {
                Ok(Some(next)) => return next.end.prev().ok_or(error),
                // It is under way, and will tell.
                Ok(None) if self.begun(job, next).await? => {
                    let run = SnapshotName {
                        job: job.clone(),
                        seq: next,
                    };
                    return Err(RepoError::Busy { run });
                }
                Ok(None) => {}
                Err(next) if next.code() == Code::RepositoryDamaged => {}
                Err(store) => return Err(store),
            }
        }
        let bytes = self.store().find(&layout::snapshot(job, name.seq)).await?;
        Ok(record_digest(&bytes.unwrap_or_default()))
    }

    /// The end of a run that must have one. Whether it is dead is not looked at.
    pub(crate) async fn ended(&self, name: &SnapshotName) -> Result<RunRecord, RepoError> {
        let (job, seq) = (&name.job, name.seq);
        if let Some(record) = self.run_end(job, seq).await? {
            return Ok(record);
        }
        let run = name.clone();
        if self.begun(job, seq.next()).await? {
            // A run only begins once the one before it has ended.
            return Err(RepoError::RecordMissing(layout::snapshot(job, seq)));
        }
        if self.begun(job, seq).await? {
            return Err(RepoError::Busy { run });
        }
        Err(RepoError::NoSnapshot(run))
    }

    async fn begun(&self, job: &JobName, seq: Seq) -> Result<bool, RepoError> {
        let size = self.store().size(&layout::session(job, seq)).await?;
        Ok(size.is_some())
    }

    /// Reads and verifies the end of a run, if it has one. Whether it is dead is not looked at.
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
        if let RunEnd::Commit(commit) = &end {
            self.check_trust(&key, commit.trust).await?;
        }
        Ok(Some(RunRecord {
            name: SnapshotName {
                job: job.clone(),
                seq,
            },
            digest: record.digest(),
            signer: record.key_id(),
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

    async fn open_run(&self, job: &JobName, seq: Seq) -> RunState {
        let run = self.unended(job, seq).await;
        run.map_or_else(RunState::Bad, |run| RunState::Open(Box::new(run)))
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
