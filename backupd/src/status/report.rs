//! The report: one function of what is known, without a clock and without I/O.

use std::{cmp::Reverse, collections::BTreeMap};

use backup_model::{JobName, JobStatus, Level, Proven, Running, SnapshotName};
use jiff::{SignedDuration, Timestamp};

use super::{Known, Seen};
use crate::{
    config::JobConfig,
    ledger::Verified,
    protection::{self, Facts, LastRun, VerificationFact},
    schedule::{Agenda, Task},
};

/// A run that was due is overdue when it has not begun by so much later: a start takes a moment,
/// and others may have to end first.
const SLACK: SignedDuration = SignedDuration::from_mins(5);

/// Everything that is known at one time.
#[derive(Debug)]
pub struct Sight<'a> {
    /// The time.
    pub now: Timestamp,
    /// What there is to protect.
    pub jobs: &'a BTreeMap<JobName, JobConfig>,
    /// The repositories, by name, as they were last seen.
    pub seen: &'a BTreeMap<String, Seen>,
    /// What the ledger knows.
    pub known: &'a Known,
    /// What is planned; none without a daemon.
    pub agenda: Option<&'a Agenda>,
    /// What is under way.
    pub running: &'a BTreeMap<JobName, Running>,
    /// Since when the daemon plans by this configuration: what was due before is no news.
    pub planned_since: Option<Timestamp>,
}

/// How every job stands, the worst first.
pub fn jobs(sight: &Sight<'_>) -> Vec<JobStatus> {
    let jobs = sight.jobs.iter();
    let mut jobs: Vec<JobStatus> = jobs.map(|(name, job)| status(sight, name, job)).collect();
    // Stable: among equals the order is that of names.
    jobs.sort_by_key(|job| Reverse(job.protection.rank()));
    jobs
}

fn status(sight: &Sight<'_>, name: &JobName, job: &JobConfig) -> JobStatus {
    let repository = job.repository.as_str();
    let seen = sight.seen.get(repository);
    let past = sight.known.past.get(name);
    let last_run = past.and_then(|past| past.last_ended.clone());
    let verified = sight.known.verified.get(repository);
    let verified = verified.map_or(&[][..], Vec::as_slice);
    let snapshots = snapshots(seen, name);
    let facts = Facts {
        rpo: rpo(job),
        newest: seen.and_then(|seen| seen.newest(name)).cloned(),
        last_run: last_run.as_ref().map(LastRun::of),
        overdue: overdue(sight, name, job),
        pause: sight.known.pauses.get(name).cloned(),
        running: sight.running.get(name).copied(),
        damaged: protection::damaged(&snapshots, verified),
        unreadable: seen.and_then(|seen| seen.unreadable.clone()),
        kit: seen.and_then(|seen| seen.kit.clone()),
        conditional: sight.known.conditional.get(repository).copied(),
        verification: vec![verification(job, &snapshots, verified)],
        ..Facts::new(name.clone(), sight.now)
    };
    let planned = sight.agenda.map(|agenda| {
        let standing = agenda.tasks.get(&Task::Backup(name.clone()));
        standing.and_then(|standing| standing.next)
    });
    let next = planned.unwrap_or_else(|| job.timing.as_ref()?.schedule.next_after(sight.now));
    let can_be_counted = seen.is_some_and(|seen| seen.snapshots.is_some());
    JobStatus {
        protection: protection::judge(facts),
        repository: repository.to_owned(),
        schedule: job.timing.as_ref().map(|it| it.schedule.to_string()),
        next,
        proven: proven(&snapshots, verified),
        snapshots: can_be_counted.then_some(snapshots.len() as u64),
        last_run,
    }
}

/// How the rolling verification of a job stands. One that has just come due is not late yet: the
/// next round is to come.
fn verification(
    job: &JobConfig,
    snapshots: &[(SnapshotName, Timestamp)],
    verified: &[Verified],
) -> VerificationFact {
    let limit = SignedDuration::try_from(job.verify.full_coverage);
    let limit = limit.unwrap_or(SignedDuration::MAX);
    protection::verification(snapshots, verified, Level::Storage, limit)
}

/// The RPO of a job: its own, or the default.
fn rpo(job: &JobConfig) -> Option<SignedDuration> {
    let own = job.rpo.and_then(|rpo| SignedDuration::try_from(rpo).ok());
    own.or_else(|| {
        let gap = job.timing.as_ref()?.schedule.longest_gap();
        protection::default_rpo(SignedDuration::try_from(gap).ok())
    })
}

fn snapshots(seen: Option<&Seen>, job: &JobName) -> Vec<(SnapshotName, Timestamp)> {
    let of = seen.into_iter().flat_map(|seen| seen.of(job));
    of.map(|info| (info.snapshot.clone(), info.created))
        .collect()
}

/// Since when a run is due that has not begun: the first due time after the last one that was
/// served.
fn overdue(sight: &Sight<'_>, name: &JobName, job: &JobConfig) -> Option<Timestamp> {
    let timing = job
        .timing
        .as_ref()
        .filter(|_| !sight.running.contains_key(name))?;
    let past = sight.known.past.get(name)?;
    let served = past.last_due.max(past.last_success);
    let since = served.max(sight.planned_since)?;
    let jitter = timing
        .jitter
        .and_then(|it| SignedDuration::try_from(it).ok());
    let slack = jitter.unwrap_or_default().saturating_add(SLACK);
    let due = timing.schedule.next_after(since)?;
    (sight.now.duration_since(due) > slack).then_some(due)
}

/// The deepest level at which a snapshot that is there was found to be good; of those the latest.
fn proven(snapshots: &[(SnapshotName, Timestamp)], verified: &[Verified]) -> Option<Proven> {
    let there = |one: &&Verified| snapshots.iter().any(|(name, _)| *name == one.snapshot);
    let good = verified.iter().filter(there).filter_map(|one| {
        Some(Proven {
            level: one.level,
            at: one.good?,
        })
    });
    good.max_by_key(|proven| (proven.level, proven.at))
}
