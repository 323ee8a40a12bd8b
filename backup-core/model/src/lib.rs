//! The words that every part of backupd shares: ids, codes, levels, progress, plans and reports.
//!
//! Plain data with serde, no I/O, no clock, no opinion about how it is shown. A thing that two
//! packages talk about is defined here, and nowhere twice.

mod audit;
mod browse;
mod code;
mod configuration;
mod facts;
mod failure;
mod health;
mod id;
mod keeping;
mod key_files;
mod notify;
mod progress;
mod protection;
mod report;
mod retention;
mod run;
#[cfg(feature = "schema")]
pub mod schema;
mod selection;
mod status;
mod trust;
mod words;

pub use audit::{AuditCheck, AuditEntry, AuditFault, AuditOutcome, AuditPage, AuditQuery};
pub use browse::{Aspect, Change, Difference, EntryInfo, EntryKind, Found};
pub use code::{Class, Code};
pub use configuration::{
    ConfigurationReport, ConfiguredJob, ConfiguredRepository, ConfiguredSource,
};
pub use facts::{
    DatabaseFacts, Extension, FilesFacts, StreamKind, Table, TableKind, Tables, TooLarge,
    Unreadable,
};
pub use failure::Failure;
pub use health::{HealthItem, HealthReport, HealthState};
pub use id::{Digest, InvalidId, JobName, Nonce, RepositoryId, Seq, SnapshotName};
pub use keeping::{
    Amount, CheckReport, ForgetReport, HoldInfo, JobStats, OpenRun, PrunePlan, PruneReport,
    PruneState, RepositoryStats, Why,
};
pub use key_files::{EpochFiles, KeyObject, WrappedKey};
pub use notify::{ChannelKind, ChannelState, EventKind};
pub use progress::{Event, Phase, Progress, Silent};
pub use protection::{
    GoodSnapshot, Pause, Protection, ProtectionReason, ProtectionState, Running, Span,
};
pub use report::{
    BackupReport, ChosenEntries, End, Level, RestorePlan, RestoreReport, RestoreStep,
    RestoreTarget, RestoredStream, SnapshotDetail, SnapshotInfo, StreamInfo, Verdict, VerifyReport,
};
pub use retention::{
    GoReason, KeepReason, PauseReason, RetentionDecision, RetentionNote, RetentionPlan,
    RetentionPolicy, RetentionRule, RetentionVerdict,
};
pub use run::{
    DueKept, DueTime, LogLevel, RunBytes, RunCause, RunDetail, RunId, RunInfo, RunKind, RunLog,
    RunLogLine, RunOutcome, RunPage, RunPhase, RunQuery,
};
pub use selection::Selection;
pub use status::{DaemonInfo, JobStatus, Proven, StatusReport};
pub use trust::{
    AdministratorInfo, BucketInfo, EpochInfo, KeyTest, KeysReport, KitInfo, KitProof, TrustChange,
    WriterInfo,
};
