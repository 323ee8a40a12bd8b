//! What can be asked of a daemon, and what it answers.

use std::sync::Arc;

use backup_model::{
    AuditCheck, AuditPage, ChannelState, ConfigurationReport, Difference, DueTime, HealthReport,
    JobName, KeysReport, RestorePlan, RetentionPlan, RunDetail, RunId, RunLog, RunPage,
    SnapshotDetail, SnapshotName,
};
use backupd_api::{CallerInfo, ListedRun, TaskInfo};

use super::{Keep, Order, Tree};

/// A question that changes nothing. Ordered, so that each has its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// Who we are to the daemon, and what we may do there.
    Caller,
    /// How the house stands.
    Health,
    /// What the configuration says.
    Configuration,
    /// The channels by which people are told.
    Channels,
    /// The times at which a job was due.
    Dues(JobName),
    /// What would stay of a job's snapshots: by the configuration, or by these counts.
    Retention(JobName, Option<Keep>),
    /// The last runs, of a job or of all.
    Runs(Option<JobName>),
    /// The last runs that verified something.
    Verifications,
    /// One run with its story.
    Run(RunId),
    /// What a run said.
    RunLog(RunId),
    /// All snapshots.
    Snapshots,
    /// One snapshot, as far as it can be seen without a key.
    Snapshot(SnapshotName),
    /// What is in a snapshot, which only a key shows.
    Contents(SnapshotName),
    /// All files of a snapshot.
    Tree(SnapshotName),
    /// What differs between two snapshots, from the first to the second.
    Differences(SnapshotName, SnapshotName),
    /// What a restore would do.
    Plan(Box<Order>),
    /// The last restores.
    Restores,
    /// What runs on the server, or did a moment ago.
    Tasks,
    /// The public side of a repository's keys.
    Keys(String),
    /// Entries of the audit log: the newest, or those before this one.
    Audit(Option<u64>),
    /// Whether the audit log is as it was written.
    AuditCheck,
}

impl Question {
    /// Whether it takes an administrator's key to be answered.
    pub const fn needs_key(&self) -> bool {
        matches!(self, Self::Plan(_)) || self.is_of_snapshots()
    }

    /// Whether the answer is of snapshots, and so never another one.
    pub const fn is_of_snapshots(&self) -> bool {
        matches!(
            self,
            Self::Contents(_) | Self::Tree(_) | Self::Differences(..)
        )
    }
}

/// An answer, each to the question of its name; runs that verified something are runs.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is to the question of its name")]
pub enum Answer {
    Caller(CallerInfo),
    Health(HealthReport),
    Configuration(ConfigurationReport),
    Channels(Vec<ChannelState>),
    Dues(Vec<DueTime>),
    Retention(Option<Box<RetentionPlan>>),
    Runs(RunPage),
    Run(RunDetail),
    RunLog(RunLog),
    Snapshots(Vec<ListedRun>),
    Snapshot(SnapshotDetail),
    Contents(SnapshotDetail),
    Tree(Arc<Tree>),
    Differences(Arc<Vec<Difference>>),
    Plan(RestorePlan),
    Tasks(Vec<TaskInfo>),
    Keys(KeysReport),
    Audit(AuditPage),
    AuditCheck(AuditCheck),
}
