//! Long work: what can be begun, and what it says while it runs.

use backup_model::{
    BackupReport, Event, Failure, ForgetReport, JobName, PruneReport, RestoreReport, VerifyReport,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ForgetRequest, Outcome, PruneRequest, RestoreOrder, Scope, VerifyRequest};

/// What to begin. The one key of the JSON object says what; so nothing that came with it is held
/// anywhere before it is known what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskRequest {
    /// Runs a job now.
    Backup {
        /// Which one.
        job: JobName,
    },
    /// Verifies.
    Verify(VerifyRequest),
    /// Restores.
    Restore(RestoreOrder),
    /// Forgets runs.
    Forget(ForgetRequest),
    /// Prunes.
    Prune(PruneRequest),
}

/// The kinds of long work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Runs a job.
    Backup,
    /// Verifies.
    Verify,
    /// Restores.
    Restore,
    /// Forgets runs.
    Forget,
    /// Prunes.
    Prune,
}

impl Kind {
    /// What allows to begin it, to read what it says, and to cancel it.
    pub const fn scope(self) -> Scope {
        match self {
            Self::Backup => Scope::Run,
            Self::Verify => Scope::Verify,
            Self::Restore => Scope::Restore,
            Self::Forget | Self::Prune => Scope::Retention,
        }
    }
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Verify => "verify",
            Self::Restore => "restore",
            Self::Forget => "forget",
            Self::Prune => "prune",
        }
    }
}

impl TaskRequest {
    /// What kind of work it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Backup { .. } => Kind::Backup,
            Self::Verify(_) => Kind::Verify,
            Self::Restore(_) => Kind::Restore,
            Self::Forget(_) => Kind::Forget,
            Self::Prune(_) => Kind::Prune,
        }
    }

    /// What it works on, for people.
    pub fn object(&self) -> String {
        match self {
            Self::Backup { job } => job.to_string(),
            Self::Verify(request) => request.selection.to_string(),
            Self::Restore(order) => order.snapshot.to_string(),
            Self::Forget(request) => {
                let names = request.snapshots.iter().map(ToString::to_string);
                names.collect::<Vec<_>>().join(" ")
            }
            Self::Prune(request) => request.repository.clone(),
        }
    }
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TaskState {
    /// It runs.
    Running,
    /// It did what it should.
    Done,
    /// It failed, or was cancelled.
    Failed,
}

/// A task in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskInfo {
    /// Its id: 32 hexadecimal digits.
    pub id: String,
    /// What it does.
    pub kind: Kind,
    /// What it works on.
    pub object: String,
    /// Who began it.
    pub actor: String,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::Instant"))]
    pub began: Timestamp,
    /// How far it is.
    pub state: TaskState,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Something that a task found or made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TaskReport {
    /// The backup.
    Backup(BackupReport),
    /// One snapshot was verified.
    Verify(VerifyReport),
    /// The restore.
    Restore(RestoreReport),
    /// What was forgotten.
    Forget(ForgetReport),
    /// The prune.
    Prune(PruneReport),
}

/// What a task says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TaskLine {
    /// How far it is.
    Progress(Event),
    /// What it found or made.
    Report(TaskReport),
    /// The end; always the last line.
    End(Outcome<()>),
}

/// One line of a task's log, as it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Numbered {
    /// Its number; whoever comes back asks for those from the one after it.
    pub n: u64,
    /// What it says.
    pub line: TaskLine,
}
