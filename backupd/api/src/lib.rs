//! The contract between those who ask (`backupctl`, the GUI) and whatever does the work: requests,
//! and the [`Service`] trait that answers them with the reports of `backup-model`.
//!
//! It knows nothing of the engine. A daemon and a process of its own can both stand behind it.

mod address;
mod client;
mod fingerprint;
mod listing;
mod secret;
mod task;
mod token;
mod trial;
mod trust;
mod wire;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
#[cfg(feature = "schema")]
use backup_model::schema;
use backup_model::{
    AuditCheck, AuditPage, AuditQuery, BackupReport, ChannelState, CheckReport,
    ConfigurationReport, Difference, DueTime, EntryInfo, EpochFiles, Failure, ForgetReport, Found,
    HealthReport, HoldInfo, JobName, KeysReport, Level, Pause, Progress, PrunePlan, PruneReport,
    RepositoryStats, RestorePlan, RestoreReport, RetentionPlan, RunDetail, RunLog, RunPage,
    RunQuery, Selection, Silent, SnapshotDetail, SnapshotInfo, SnapshotName, StatusReport,
    VerifyReport, Why,
};
use futures::stream::BoxStream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use address::{Address, AddressError};
pub use client::{HttpService, Target, TaskLines, shown_key};
pub use fingerprint::{Fingerprint, InvalidCertificate, InvalidFingerprint};
pub use listing::ListingLine;
pub use task::{Kind, Numbered, TaskInfo, TaskLine, TaskReport, TaskRequest, TaskState};
pub use token::{NewSecret, NewToken, Rotation, Scope, Scopes, TokenInfo, TokenText};
pub use trial::Trial;
pub use trust::{TrustEdit, TrustMaterial, TrustService};
pub use wire::{
    CallerInfo, HoldReason, Newest, Outcome, Page, PauseRequest, Released, Resumed, secret_body,
};

/// What goes along with long work: who asked for it, who listens, and who may stop it.
#[derive(Clone)]
pub struct Task {
    /// Hears how far it is.
    pub progress: Arc<dyn Progress>,
    /// Stops it.
    pub cancel: CancellationToken,
    /// Who asked for it, for the record; none where nobody keeps one.
    pub asked_by: Option<String>,
}

impl Task {
    /// Work to which nobody listens.
    pub fn unheard(cancel: CancellationToken) -> Self {
        Self {
            progress: Arc::new(Silent),
            cancel,
            asked_by: None,
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Task")
    }
}

/// What opens data, for one operation: identities of epochs. Whoever asks takes them out of
/// [`Service::key_files`] with an administrator's key, which never goes along.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EpochKeys {
    /// What to call the key that they were unwrapped with, where people read it.
    pub unwrapped_by: String,
    /// The text of each identity. None is an answer, too: the key opens nothing of what was meant.
    #[serde(serialize_with = "secret::exposed")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub identities: Vec<SecretString>,
}

/// One run in a list: what it is, or why its record is not to be believed.
pub type ListedRun = Result<SnapshotInfo, Failure>;

/// What to verify, and how deep.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct VerifyRequest {
    /// Which snapshots.
    pub selection: Selection,
    /// How deep.
    pub level: Level,
    /// Opens the data; needed from [`Level::Data`] on.
    pub keys: Option<EpochKeys>,
}

/// What to look at in a snapshot's folders.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LsRequest {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// A file or folder; the outermost ones without it.
    pub path: Option<PathBuf>,
    /// All beneath, too.
    #[serde(default)]
    pub recursive: bool,
    /// Opens the data.
    pub keys: EpochKeys,
}

/// Which snapshots to compare.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DiffRequest {
    /// The first one.
    pub before: SnapshotName,
    /// The second one.
    pub after: SnapshotName,
    /// Only this file or folder.
    pub path: Option<PathBuf>,
    /// Opens the data.
    pub keys: EpochKeys,
}

/// What to search for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FindRequest {
    /// Which snapshots.
    pub selection: Selection,
    /// A pattern for whole paths, or for last names if it has no slash.
    pub glob: String,
    /// Opens the data.
    pub keys: EpochKeys,
}

/// Where a database goes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseOrder {
    /// The new database's name; by default `<database>_restored_<time>`.
    pub name: Option<String>,
    /// The server, as a `postgres://` URL without a password; by default the one that the job's
    /// configuration names.
    pub server: Option<String>,
}

/// What to restore, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RestoreOrder {
    /// The snapshot.
    pub snapshot: SnapshotName,
    /// These streams only; empty for all that have a target.
    #[serde(default)]
    pub streams: Vec<String>,
    /// These files and folders only; empty for all.
    #[serde(default)]
    pub paths: Vec<PathBuf>,
    /// The new folder for files.
    pub folder: Option<PathBuf>,
    /// The server for databases. In place, none means the job's own.
    pub database: Option<DatabaseOrder>,
    /// Everything goes where it came from, and what is there is kept beside it. It needs the scope
    /// `admin`, and no folder, name of a database or paths go with it.
    #[serde(default)]
    pub in_place: bool,
    /// In place: the plan's `confirm`, word for word. A plan does without.
    #[serde(default)]
    pub confirm: Option<String>,
    /// In place: the job is backed up first, and nothing is restored if that fails.
    #[serde(default = "yes")]
    pub safety_backup: bool,
    /// Everything belongs to the connection's user.
    #[serde(default)]
    pub no_owner: bool,
    /// Restore owners of files by number.
    #[serde(default)]
    pub numeric_owner: bool,
    /// Restore set-uid, set-gid and sticky bits.
    #[serde(default)]
    pub keep_setid: bool,
    /// For default names of databases: `YYYYMMDD_HHMMSS`. Planned and carried out with the same
    /// one, what was shown is what is made.
    pub stamp: String,
    /// Opens the data.
    pub keys: EpochKeys,
}

const fn yes() -> bool {
    true
}

impl RestoreOrder {
    /// Where it goes, in words.
    pub fn target(&self) -> String {
        if self.in_place {
            return "in place".to_owned();
        }
        let folder = self.folder.as_ref();
        let folder = folder.map(|folder| format!("to the folder {}", folder.display()));
        let database = self.database.as_ref().map(|database| {
            let name = database.name.as_deref().unwrap_or("a new one");
            format!("to the database {name}")
        });
        let places: Vec<String> = folder.into_iter().chain(database).collect();
        places.join(", ")
    }
}

/// What to forget, all of it in one repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ForgetRequest {
    /// The snapshots, or runs without one.
    pub snapshots: Vec<SnapshotName>,
    /// Why.
    pub why: Why,
}

/// How to prune.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PruneRequest {
    /// The repository, by its name.
    pub repository: String,
    /// How long a plan stands before anything is deleted: a window for second thoughts, in
    /// seconds.
    pub grace_secs: u64,
    /// Somebody said yes to a plan that takes much.
    #[serde(default)]
    pub allow_large: bool,
}

/// How everything stands, each time that it changes.
pub type Statuses = BoxStream<'static, Result<StatusReport, Failure>>;

/// Everything that can be asked for.
#[async_trait]
pub trait Service: TrustService {
    /// How every job stands.
    async fn status(&self) -> Result<StatusReport, Failure>;

    /// The same, now and whenever it changes. It ends with whoever says it.
    async fn follow_status(&self) -> Result<Statuses, Failure>;

    /// What was measured of the house around the jobs, and what to do about it.
    async fn health(&self) -> Result<HealthReport, Failure>;

    /// The times at which a job was due in the last 30 days, and what became of each.
    async fn dues(&self, job: &JobName) -> Result<Vec<DueTime>, Failure>;

    /// What was done, the newest first.
    async fn runs(&self, query: &RunQuery) -> Result<RunPage, Failure>;

    /// One run with its story, by its id or the last digits of that.
    async fn run(&self, run: &str) -> Result<RunDetail, Failure>;

    /// What a run said, from this line on.
    async fn run_log(&self, run: &str, from: u64) -> Result<RunLog, Failure>;

    /// Asks a run to stop, and says which one it is. How it ends stands in the list of runs.
    async fn cancel_run(&self, run: &str) -> Result<RunDetail, Failure>;

    /// Pauses the schedule of a job, in the place of a pause that it has.
    async fn pause(&self, job: &JobName, pause: &Pause) -> Result<(), Failure>;

    /// Ends a pause, and says whether there was one.
    async fn resume(&self, job: &JobName) -> Result<bool, Failure>;

    /// Runs a job now.
    async fn backup(&self, job: &JobName, task: &Task) -> Result<BackupReport, Failure>;

    /// Lists runs, oldest first within a job.
    async fn snapshots(&self, selection: &Selection) -> Result<Vec<ListedRun>, Failure>;

    /// The newest snapshot of a job.
    async fn newest(&self, job: &JobName) -> Result<SnapshotName, Failure>;

    /// The key files that open what is selected. They are no secrets.
    async fn key_files(&self, selection: &Selection) -> Result<Vec<EpochFiles>, Failure>;

    /// One snapshot; with keys also what is in it.
    async fn snapshot(
        &self,
        name: &SnapshotName,
        keys: Option<&EpochKeys>,
    ) -> Result<SnapshotDetail, Failure>;

    /// Verifies, and gives each report as soon as it is there.
    async fn verify(
        &self,
        request: &VerifyRequest,
        report: &mut (dyn FnMut(VerifyReport) + Send),
        task: &Task,
    ) -> Result<(), Failure>;

    /// Gives the entries of a folder in a snapshot.
    async fn ls(
        &self,
        request: &LsRequest,
        report: &mut (dyn FnMut(EntryInfo) + Send),
        task: &Task,
    ) -> Result<(), Failure>;

    /// Gives what differs between two snapshots.
    async fn diff(
        &self,
        request: &DiffRequest,
        report: &mut (dyn FnMut(Difference) + Send),
        task: &Task,
    ) -> Result<(), Failure>;

    /// Gives the entries that match a pattern, newest snapshot first, and what could not be
    /// searched. Says how many entries there were.
    async fn find(
        &self,
        request: &FindRequest,
        report: &mut (dyn FnMut(Result<Found, Failure>) + Send),
        task: &Task,
    ) -> Result<u64, Failure>;

    /// Says what a restore would do.
    async fn plan_restore(&self, order: &RestoreOrder) -> Result<RestorePlan, Failure>;

    /// Restores. What speaks against it is looked for again.
    async fn restore(&self, order: &RestoreOrder, task: &Task) -> Result<RestoreReport, Failure>;

    /// The public side of a repository's keys.
    async fn keys(&self, repository: &str) -> Result<KeysReport, Failure>;

    /// What the configuration says, as far as others may know.
    async fn configuration(&self) -> Result<ConfigurationReport, Failure>;

    /// By which channels people are told, and whether messages arrive.
    async fn channels(&self) -> Result<Vec<ChannelState>, Failure>;

    /// Sends a test message by a channel, now and with one try.
    async fn test_channel(&self, name: &str) -> Result<ChannelState, Failure>;

    /// What people and the schedule did, the newest first.
    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, Failure>;

    /// Whether the audit log is as it was written, by itself and by what snapshots say of it.
    async fn check_audit(&self) -> Result<AuditCheck, Failure>;

    /// The names of the repositories.
    async fn repositories(&self) -> Result<Vec<String>, Failure>;

    /// The jobs that can run.
    async fn jobs(&self) -> Result<Vec<JobName>, Failure>;

    /// Says what of a job's snapshots stays, what goes, and why; none without a policy. A trial
    /// changes the policy for this answer only.
    async fn retention(
        &self,
        job: &JobName,
        trial: &Trial,
    ) -> Result<Option<RetentionPlan>, Failure>;

    /// Makes sure that a snapshot is not forgotten. The reason can be read by whoever reads the
    /// storage.
    async fn hold(&self, name: &SnapshotName, reason: &str) -> Result<HoldInfo, Failure>;

    /// Lets a snapshot go again, and says whether it was held.
    async fn release(&self, name: &SnapshotName) -> Result<bool, Failure>;

    /// Forgets runs for good; prune then deletes what only they named.
    async fn forget(&self, request: &ForgetRequest, task: &Task) -> Result<ForgetReport, Failure>;

    /// Says what a prune of a repository would do, and changes nothing.
    async fn plan_prune(&self, repository: &str, task: &Task) -> Result<PrunePlan, Failure>;

    /// Prunes as far as can be done now: begins a prune, or takes up the one that was begun.
    async fn prune(&self, request: &PruneRequest, task: &Task) -> Result<PruneReport, Failure>;

    /// Looks over a repository's public objects: what is wrong, odd, or in nobody's name.
    async fn check(&self, repository: &str, task: &Task) -> Result<CheckReport, Failure>;

    /// Says what a repository holds.
    async fn stats(&self, repository: &str, task: &Task) -> Result<RepositoryStats, Failure>;
}
