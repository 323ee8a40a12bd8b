//! What changes something: each with the command that does the same in a terminal.

use backup_model::{JobName, Level, RunId, Selection, SnapshotName};
use backupd_api::Scope;
use jiff::{SignedDuration, Timestamp};

use super::{KeyWork, Order};

/// Something to be done by the daemon.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Runs a job now.
    BackUp(JobName),
    /// Stops a run.
    Cancel(RunId),
    /// Pauses the schedule of a job.
    Pause {
        /// Which one.
        job: JobName,
        /// From when on.
        from: Timestamp,
        /// Until when; none for until somebody resumes it.
        until: Option<Timestamp>,
        /// Why.
        why: String,
    },
    /// Ends a pause.
    Resume(JobName),
    /// Verifies what needs no key.
    Verify(Selection),
    /// Verifies every byte, with the key that is open.
    VerifyData(Selection),
    /// Begins a restore, with the key that is open.
    Restore(Box<Order>),
    /// Changes a repository's keys, or makes or proves its recovery kit.
    Keys(Box<KeyWork>),
    /// Stops a restore.
    Stop(String),
    /// Makes sure that a snapshot is not forgotten.
    Hold {
        /// Which one.
        snapshot: SnapshotName,
        /// Why; whoever reads the storage can read it.
        reason: String,
    },
    /// Lets a snapshot go again.
    Release(SnapshotName),
    /// Sends a test message.
    TestChannel(String),
}

impl Deed {
    /// How deep a verification goes that needs no key.
    pub const KEYLESS: Level = Level::Storage;

    /// What it takes.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::BackUp(_) | Self::Cancel(_) | Self::Pause { .. } | Self::Resume(_) => Scope::Run,
            Self::Verify(_) | Self::VerifyData(_) => Scope::Verify,
            Self::Restore(order) if order.in_place => Scope::Admin,
            Self::Restore(_) | Self::Stop(_) => Scope::Restore,
            Self::Hold { .. } | Self::Release(_) => Scope::Retention,
            Self::TestChannel(_) | Self::Keys(_) => Scope::Admin,
        }
    }

    /// In a few words, as a beginning: `Backing up shop-db`.
    pub fn title(&self) -> String {
        match self {
            Self::BackUp(job) => format!("Backup of {job}"),
            Self::Cancel(run) => format!("Cancelling run {}", run.short()),
            Self::Pause { job, .. } => format!("Pause of {job}"),
            Self::Resume(job) => format!("Resuming {job}"),
            Self::Verify(what) => format!("Verification of {what}"),
            Self::VerifyData(what) => format!("Verification of every byte of {what}"),
            Self::Restore(order) => format!("Restore of {}", order.snapshot),
            Self::Keys(work) => work.title(),
            Self::Stop(_) => "Stopping a restore".to_owned(),
            Self::Hold { snapshot, .. } => format!("Hold on {snapshot}"),
            Self::Release(snapshot) => format!("Releasing {snapshot}"),
            Self::TestChannel(name) => format!("Test message by {name}"),
        }
    }

    /// The job that it is about, if it names one.
    pub const fn job(&self) -> Option<&JobName> {
        match self {
            Self::BackUp(job)
            | Self::Pause { job, .. }
            | Self::Resume(job)
            | Self::Verify(Selection::Job(job))
            | Self::VerifyData(Selection::Job(job)) => Some(job),
            Self::Verify(Selection::One(snapshot))
            | Self::VerifyData(Selection::One(snapshot))
            | Self::Hold { snapshot, .. }
            | Self::Release(snapshot) => Some(&snapshot.job),
            Self::Restore(order) => Some(&order.snapshot.job),
            _ => None,
        }
    }

    /// Whether an administrator's key must be open.
    pub const fn needs_key(&self) -> bool {
        match self {
            Self::VerifyData(_) | Self::Restore(_) => true,
            Self::Keys(work) => work.needs_key(),
            _ => false,
        }
    }

    /// The same in a terminal.
    pub fn command(&self) -> String {
        match self {
            Self::BackUp(job) => format!("backupctl backup {job}"),
            Self::Cancel(run) => format!("backupctl job cancel {}", run.short()),
            Self::Pause {
                job, from, until, ..
            } => {
                let time = until.map(|until| pause_time(until.duration_since(*from)));
                let time = time.map_or_else(String::new, |time| format!(" --until {time}"));
                format!("backupctl job pause {job}{time}")
            }
            Self::Resume(job) => format!("backupctl job resume {job}"),
            Self::Verify(Selection::All) => "backupctl verify --all --level storage".to_owned(),
            Self::Verify(what) => format!("backupctl verify {what} --level storage"),
            Self::VerifyData(what) => {
                let what = match what {
                    Selection::All => "--all".to_owned(),
                    what => what.to_string(),
                };
                format!("backupctl verify {what} --level data --identity admin.key")
            }
            Self::Restore(order) => order.command(),
            Self::Keys(work) => work.command(),
            Self::Stop(_) => "backupctl job cancel RUN".to_owned(),
            Self::Hold { snapshot, .. } => format!("backupctl snapshot hold {snapshot} --reason …"),
            Self::Release(snapshot) => format!("backupctl snapshot release {snapshot}"),
            Self::TestChannel(name) => format!("backupctl notify test {name}"),
        }
    }
}

/// In whole hours, as pauses are offered.
fn pause_time(time: SignedDuration) -> String {
    format!("{}h", time.as_hours().max(1))
}
