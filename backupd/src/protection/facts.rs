//! What must be known of a job to say how it stands.

use backup_keys::kit::KitStanding;
use backup_model::{
    Failure, GoodSnapshot, JobName, Level, Pause, RunId, RunInfo, RunOutcome, Running, SnapshotName,
};
use jiff::{SignedDuration, Timestamp};

/// All that is known of one job. What could not be found out is left out, and is no reason to
/// worry by itself: that the repository cannot be read is.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Which job.
    pub job: JobName,
    /// The time to judge it by.
    pub now: Timestamp,
    /// How old the newest good snapshot may get: as configured, else [`default_rpo`](super::default_rpo).
    pub rpo: Option<SignedDuration>,
    /// The newest good snapshot.
    pub newest: Option<GoodSnapshot>,
    /// The last run that ended.
    pub last_run: Option<LastRun>,
    /// Since when a run is due that has not begun.
    pub overdue: Option<Timestamp>,
    /// Its pause.
    pub pause: Option<Pause>,
    /// The run that is under way.
    pub running: Option<Running>,
    /// For each level that is to be verified, how that stands.
    pub verification: Vec<VerificationFact>,
    /// Snapshots that are there and were last found to be damaged.
    pub damaged: Vec<SnapshotName>,
    /// Nobody has looked at the repository yet.
    pub unseen: bool,
    /// Why the repository cannot be read, and since when.
    pub unreadable: Option<(Failure, Timestamp)>,
    /// How the recovery kit stands.
    pub kit: Option<KitStanding>,
    /// In how much time the storage will be full, at the rate of the last weeks.
    pub full_in: Option<SignedDuration>,
    /// Whether the store keeps a second writer out.
    pub conditional: Option<bool>,
}

impl Facts {
    /// Nothing known yet.
    pub const fn new(job: JobName, now: Timestamp) -> Self {
        Self {
            job,
            now,
            rpo: None,
            newest: None,
            last_run: None,
            overdue: None,
            pause: None,
            running: None,
            verification: Vec::new(),
            damaged: Vec::new(),
            unseen: false,
            unreadable: None,
            kit: None,
            full_in: None,
            conditional: None,
        }
    }
}

/// The last run of a job that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRun {
    /// Which.
    pub run: RunId,
    /// How it ended.
    pub outcome: RunOutcome,
    /// How many warnings it had.
    pub warnings: u64,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl LastRun {
    /// What of a run matters here.
    pub fn of(info: &RunInfo) -> Self {
        Self {
            run: info.run,
            outcome: info.outcome,
            warnings: info.warnings,
            failure: info.failure.clone(),
        }
    }
}

/// How the rolling verification of one level stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerificationFact {
    /// The level.
    pub level: Level,
    /// Since when the snapshot that waits longest was not verified; none if there is no snapshot.
    pub waits_since: Option<Timestamp>,
    /// Within how much time everything should be verified.
    pub limit: SignedDuration,
}
