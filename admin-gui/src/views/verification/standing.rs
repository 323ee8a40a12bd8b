//! How a job stands as far as it was verified, and how all of them stand at one level.

use std::collections::BTreeMap;

use backup_model::{
    JobName, JobStatus, Level, ProtectionReason, Proven, RunInfo, RunOutcome, Span,
};
use jiff::Timestamp;

use crate::kit::Mark;

/// When a verification of each job last ended well. What the daemon calls the proof of a job is the
/// deepest one, so of what was looked at since, only the runs tell.
pub(super) fn looked(runs: &[RunInfo]) -> BTreeMap<&JobName, Timestamp> {
    let mut looked: BTreeMap<&JobName, Timestamp> = BTreeMap::new();
    // A round in which nothing was due has shown nothing.
    let good = |run: &&RunInfo| run.outcome == RunOutcome::Succeeded && run.bytes.read_bytes > 0;
    for run in runs.iter().filter(good) {
        if let (Some(job), Some(ended)) = (&run.job, run.ended) {
            let last = looked.entry(job).or_insert(ended);
            *last = ended.max(*last);
        }
    }
    looked
}

/// How one job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) mark: Mark,
    pub(super) word: &'static str,
    /// Why, where there is more to say.
    pub(super) why: String,
    /// When something of it was last found good at a level, or at a deeper one.
    proofs: BTreeMap<Level, Timestamp>,
    /// The levels at which something waits for too long.
    late: Vec<Level>,
}

impl Standing {
    pub(super) fn of(job: &JobStatus, looked: &BTreeMap<&JobName, Timestamp>) -> Self {
        let reasons = &job.protection.reasons;
        let damaged: Vec<String> = reasons.iter().filter_map(damaged).collect();
        let overdue: Vec<(Level, String)> = reasons.iter().filter_map(overdue).collect();
        let (late, overdue): (Vec<Level>, Vec<String>) = overdue.into_iter().unzip();
        let proofs = proofs(job.proven, looked.get(&job.protection.job).copied());
        let (mark, word) = match (damaged.is_empty(), late.is_empty(), proofs.is_empty()) {
            (false, _, _) => (Mark::Failed, "Damaged"),
            (true, false, _) => (Mark::Warn, "Overdue"),
            (true, true, false) => (Mark::Ok, "In time"),
            (true, true, true) => (Mark::Unknown, "Not yet"),
        };
        let why = match mark {
            Mark::Unknown => "no snapshot of it was found to be good yet".to_owned(),
            _ => [damaged, overdue].concat().join("; "),
        };
        Self {
            mark,
            word,
            why,
            proofs,
            late,
        }
    }

    /// When something of it was last found good at this level, or at a deeper one.
    pub(super) fn proof(&self, level: Level) -> Option<Timestamp> {
        self.proofs.get(&level).copied()
    }
}

/// Whoever looks deeper has looked at what lies above it too.
fn proofs(proven: Option<Proven>, looked: Option<Timestamp>) -> BTreeMap<Level, Timestamp> {
    let mut proofs = BTreeMap::new();
    if let Some(Proven { level, at }) = proven {
        let levels = [Level::Storage, Level::Data].into_iter();
        proofs.extend(levels.filter(|one| *one <= level).map(|one| (one, at)));
    }
    if let Some(looked) = looked {
        let last = proofs.entry(Level::Storage).or_insert(looked);
        *last = looked.max(*last);
    }
    proofs
}

/// Every snapshot by its name: somebody must know which not to count on.
fn damaged(reason: &ProtectionReason) -> Option<String> {
    let ProtectionReason::Damaged { snapshots } = reason else {
        return None;
    };
    let names: Vec<String> = snapshots.iter().map(ToString::to_string).collect();
    let are = match names.len() {
        1 => "is",
        _ => "are",
    };
    Some(format!("{} {are} damaged", names.join(", ")))
}

fn overdue(reason: &ProtectionReason) -> Option<(Level, String)> {
    let ProtectionReason::VerificationOverdue { level, age, limit } = reason else {
        return None;
    };
    let why = format!(
        "not all verified at {} for {}, limit {}",
        level.as_str(),
        Span(*age),
        Span(*limit)
    );
    Some((*level, why))
}

/// How all jobs stand at one level.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ladder {
    pub(super) mark: Mark,
    /// Of how many jobs something was found good so deep, and of how many there are.
    pub(super) reached: (usize, usize),
    /// How many of them wait for longer than they should.
    pub(super) overdue: usize,
    /// The job that was looked at last, and the one that waits longest.
    pub(super) newest: Option<Timestamp>,
    pub(super) oldest: Option<Timestamp>,
}

impl Ladder {
    pub(super) fn of(level: Level, jobs: &[Standing]) -> Self {
        let proofs = jobs.iter().filter_map(|job| job.proof(level));
        let proofs: Vec<Timestamp> = proofs.collect();
        let late = jobs.iter().filter(|job| job.late.contains(&level));
        let overdue = late.count();
        let mark = if jobs.iter().any(|job| job.mark == Mark::Failed) {
            Mark::Failed
        } else if overdue > 0 {
            Mark::Warn
        } else if proofs.len() == jobs.len() {
            Mark::Ok
        } else {
            Mark::Unknown
        };
        Self {
            mark,
            reached: (proofs.len(), jobs.len()),
            overdue,
            newest: proofs.iter().max().copied(),
            oldest: proofs.iter().min().copied(),
        }
    }

    pub(super) fn share(&self) -> f32 {
        let (reached, all) = self.reached;
        reached as f32 / all.max(1) as f32
    }
}

#[cfg(test)]
mod tests;
