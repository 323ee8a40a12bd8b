//! What can be asked of a daemon, and what it answers.

use backup_model::{
    AuditCheck, AuditPage, ChannelState, ConfigurationReport, DueTime, HealthReport, JobName,
    KeysReport, RunDetail, RunId, RunLog, RunPage, SnapshotDetail, SnapshotName,
};
use backupd_api::{CallerInfo, ListedRun};

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
    /// The public side of a repository's keys.
    Keys(String),
    /// Entries of the audit log: the newest, or those before this one.
    Audit(Option<u64>),
    /// Whether the audit log is as it was written.
    AuditCheck,
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
    Runs(RunPage),
    Run(RunDetail),
    RunLog(RunLog),
    Snapshots(Vec<ListedRun>),
    Snapshot(SnapshotDetail),
    Keys(KeysReport),
    Audit(AuditPage),
    AuditCheck(AuditCheck),
}
