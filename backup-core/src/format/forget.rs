//! Forgets: which runs are dead for ever, and which snapshots must not die. Cumulative: the newest
//! one says all.

use backup_keys::RecordKind;
use backup_model::{Digest, JobName, RepositoryId, Seq, Why};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `forget/<version>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "forget")]
pub struct Forget {
    /// The repository.
    pub repository: RepositoryId,
    /// 1, 2, 3, … without a gap.
    pub version: u64,
    /// The digest of the version before; `None` for the first.
    pub prev: Option<Digest>,
    /// When it was written.
    pub created: Timestamp,
    /// The dead runs, by job.
    pub dead: Vec<DeadRuns>,
    /// What must not die, by snapshot.
    pub holds: Vec<Hold>,
}

impl RecordKind for Forget {}

/// The dead runs of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadRuns {
    /// The job.
    pub job: JobName,
    /// Its dead runs, by number.
    pub runs: Vec<DeadRun>,
}

/// A dead run: its number, the digest of its end, and why it died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadRun(pub Seq, pub Digest, pub Why);

/// A snapshot that must not die.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Its job.
    pub job: JobName,
    /// Its number.
    pub seq: Seq,
    /// Since when.
    pub created: Timestamp,
    /// Why, in somebody's words.
    pub reason: String,
}

/// A reason is not longer, in bytes.
pub const MAX_REASON: usize = 200;

impl Forget {
    /// What no program of ours writes, beside its place: order, doubles, texts.
    pub fn broken_rule(&self) -> Option<&'static str> {
        if !ascends(self.dead.iter().map(|dead| &dead.job)) {
            return Some("jobs are not sorted, or one comes twice");
        }
        let runs_ascend = |dead: &DeadRuns| ascends(dead.runs.iter().map(|run| run.0));
        if !self.dead.iter().all(runs_ascend) {
            return Some("runs are not sorted, or one comes twice");
        }
        if self
            .dead
            .iter()
            .flat_map(|dead| &dead.runs)
            .any(|run| run.0.0 == 0)
        {
            return Some("runs are numbered from 1");
        }
        if !ascends(self.holds.iter().map(|hold| (&hold.job, hold.seq))) {
            return Some("holds are not sorted, or one comes twice");
        }
        if !self.holds.iter().all(|hold| is_reason(&hold.reason)) {
            return Some("a reason is empty, too long or has control characters");
        }
        None
    }
}

/// Whether a text can say why something is held.
pub fn is_reason(text: &str) -> bool {
    (1..=MAX_REASON).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// Whether each is greater than the one before.
pub(super) fn ascends<T: PartialOrd>(items: impl Iterator<Item = T>) -> bool {
    let mut last = None;
    for item in items {
        if last.as_ref().is_some_and(|last| *last >= item) {
            return false;
        }
        last = Some(item);
    }
    true
}
