//! What can be due, and how it wants to be treated.

use std::{fmt, num::NonZeroU32, time::Duration};

use backup_model::{JobName, RunKind};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::{Paused, Schedule};

/// Something with a schedule of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Task {
    /// A job's backup.
    Backup(JobName),
    /// Forgetting what a job's policy lets go.
    Retention(JobName),
    /// Deleting what no snapshot of a repository names.
    Prune(String),
    /// Verifying some of a job's snapshots.
    Verify(JobName),
    /// Asking a repository's store how it keeps writers apart.
    Probe(String),
}

impl Task {
    /// What kind of run it is.
    pub const fn kind(&self) -> RunKind {
        match self {
            Self::Backup(_) => RunKind::Backup,
            Self::Retention(_) => RunKind::Retention,
            Self::Prune(_) => RunKind::Prune,
            Self::Verify(_) => RunKind::Verify,
            Self::Probe(_) => RunKind::Probe,
        }
    }

    /// The job that it is about; none where it is about a whole repository.
    pub const fn job(&self) -> Option<&JobName> {
        match self {
            Self::Backup(job) | Self::Retention(job) | Self::Verify(job) => Some(job),
            Self::Prune(_) | Self::Probe(_) => None,
        }
    }

    /// The repository that it is about as a whole.
    pub fn repository(&self) -> Option<&str> {
        match self {
            Self::Prune(repository) | Self::Probe(repository) => Some(repository),
            Self::Backup(_) | Self::Retention(_) | Self::Verify(_) => None,
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backup(job) => write!(f, "backup of {job}"),
            Self::Retention(job) => write!(f, "retention of {job}"),
            Self::Prune(repository) => write!(f, "prune of {repository}"),
            Self::Verify(job) => write!(f, "verification of {job}"),
            Self::Probe(repository) => write!(f, "probe of {repository}"),
        }
    }
}

/// When a task is due, and what is done when that did not go as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The due times.
    pub schedule: Schedule,
    /// It begins up to so much later than it is due.
    pub jitter: Option<Duration>,
    /// What becomes of due times that were missed.
    pub catch_up: CatchUp,
    /// What becomes of a run that failed.
    pub retry: Retry,
}

/// What becomes of due times that were missed while nobody was there, or during a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// One run makes up for all of them.
    #[default]
    Once,
    /// Nothing.
    Skip,
}

/// How a failed run is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a due time is tried in all.
    pub attempts: NonZeroU32,
    /// The wait before the second attempt; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Retry {
    /// The wait after so many failed attempts; none if there is to be no other.
    pub fn wait_after(&self, tries: u32) -> Option<Duration> {
        if tries >= self.attempts.get() {
            return None;
        }
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let wait = self.first_wait.saturating_mul(doubled);
        Some(wait.min(self.longest_wait))
    }
}

impl Default for Retry {
    /// Three attempts, five minutes apart at first.
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN.saturating_add(2),
            first_wait: Duration::from_mins(5),
            longest_wait: Duration::from_hours(1),
        }
    }
}

impl Timing {
    /// How much later than a due time the run begins: another for each task and time, but
    /// always the same for one, so that a restart does not draw again.
    pub fn delay(&self, task: &Task, due: Timestamp) -> Duration {
        let Some(jitter) = self.jitter else {
            return Duration::ZERO;
        };
        let digest = Sha256::new()
            .chain_update(task.to_string())
            .chain_update(due.as_second().to_be_bytes())
            .finalize();
        let drawn = digest
            .iter()
            .take(8)
            .fold(0, |n, &byte| n << 8 | u64::from(byte));
        Duration::from_secs(drawn % (jitter.as_secs() + 1))
    }
}

/// A task, its timing, and what is remembered of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed {
    /// Which.
    pub task: Task,
    /// When.
    pub timing: Timing,
    /// What the ledger knows; asked for only when the task is new to the plan.
    pub remembered: Remembered,
}

/// What is known of a task's past: plain facts out of the run ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The latest due time for which a run was begun, or that was skipped on purpose.
    pub last_due: Option<Timestamp>,
    /// When the last successful run began, whoever asked for it.
    pub last_success: Option<Timestamp>,
    /// How many runs for `last_due` were begun without success, one cut short by our end among
    /// them; 0 when it succeeded or was not to be tried again.
    pub failed_tries: u32,
    /// When the last of these ended; none if that is not known.
    pub failed_at: Option<Timestamp>,
    /// Whether somebody has paused it.
    pub paused: Option<Paused>,
}

impl Remembered {
    /// The same; but what has never run counts as due when it last would have been, so that it
    /// need not wait for its next time.
    #[must_use]
    pub fn or_due_before(self, now: Timestamp, schedule: &Schedule) -> Self {
        if self.last_due.is_some() || self.last_success.is_some() {
            return self;
        }
        let gap = SignedDuration::try_from(schedule.longest_gap()).unwrap_or(SignedDuration::ZERO);
        Self {
            last_due: now.checked_sub(gap).ok(),
            ..self
        }
    }
}
