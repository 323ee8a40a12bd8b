//! A restore that somebody is about to ask for: what was chosen in each step. Nothing of it has
//! happened yet.

use std::path::PathBuf;

use backup_model::{JobName, SnapshotName};
use jiff::{Timestamp, tz::TimeZone};

use super::{NewDatabase, Order};

/// The steps before anything begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Step {
    /// Of which job, and what of it.
    #[default]
    What,
    /// Which snapshot.
    When,
    /// Where to.
    Target,
    /// Owners and permissions.
    Options,
    /// What the daemon says it would do.
    Preview,
    /// The last word.
    Confirm,
}

impl Step {
    /// In order.
    pub const ALL: [Self; 6] = [
        Self::What,
        Self::When,
        Self::Target,
        Self::Options,
        Self::Preview,
        Self::Confirm,
    ];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::What => "What",
            Self::When => "Point in time",
            Self::Target => "Target",
            Self::Options => "Options",
            Self::Preview => "Preview",
            Self::Confirm => "Confirm",
        }
    }

    /// The step after it.
    pub fn next(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|step| *step == self)?;
        Self::ALL.get(at + 1).copied()
    }

    /// The step before it.
    pub fn before(self) -> Option<Self> {
        let at = Self::ALL.iter().position(|step| *step == self)?;
        at.checked_sub(1).map(|at| Self::ALL[at])
    }
}

/// What of a snapshot is restored.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Part {
    /// Databases and folders.
    #[default]
    All,
    /// Databases only.
    Databases,
    /// Folders only.
    Folders,
    /// These files and folders only.
    Paths(Vec<PathBuf>),
}

impl Part {
    /// Whether databases are restored.
    pub const fn has_databases(&self) -> bool {
        matches!(self, Self::All | Self::Databases)
    }

    /// Whether files are restored.
    pub const fn has_files(&self) -> bool {
        !matches!(self, Self::Databases)
    }
}

/// A restore that is being drafted.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Draft {
    /// Where somebody is in it.
    pub step: Step,
    /// Of which job.
    pub job: Option<JobName>,
    /// What of it.
    pub part: Part,
    /// Which snapshot.
    pub snapshot: Option<SnapshotName>,
    /// What the snapshot holds, in the words of its record.
    pub kinds: Vec<String>,
    /// The new folder, as it is typed.
    pub folder: String,
    /// The new database's name, as it is typed; empty for one made of the old one and the time.
    pub database: String,
    /// Another server, as it is typed; empty for the job's own.
    pub server: String,
    /// Everything goes back to where it was.
    pub in_place: bool,
    /// Nothing is backed up before that.
    pub no_safety_backup: bool,
    /// The name that somebody types to say yes to it.
    pub confirm: String,
    /// Everything belongs to the connection's user.
    pub no_owner: bool,
    /// Owners of files come back by number.
    pub numeric_owner: bool,
    /// Set-uid, set-gid and sticky bits come back.
    pub keep_setid: bool,
    /// For names of what is made: `YYYYMMDD_HHMMSS`.
    pub stamp: String,
}

impl Draft {
    /// A draft for a snapshot, or for one that is still to be chosen.
    pub fn begin(now: Timestamp) -> Self {
        let utc = now.to_zoned_datetime(TimeZone::UTC);
        Self {
            stamp: utc.strftime("%Y%m%d_%H%M%S").to_string(),
            ..Self::default()
        }
    }

    /// Takes a job, and forgets what was chosen for another one.
    pub fn choose_job(&mut self, job: JobName) {
        if self.job.as_ref() != Some(&job) {
            self.snapshot = None;
            self.kinds.clear();
            self.part = Part::All;
            self.in_place = false;
            self.confirm.clear();
            self.folder = format!("/var/restore/{job}_{}", self.stamp);
            self.job = Some(job);
        }
    }

    /// Takes a snapshot of the job.
    pub fn choose_snapshot(&mut self, snapshot: SnapshotName, kinds: Vec<String>) {
        self.choose_job(snapshot.job.clone());
        self.snapshot = Some(snapshot);
        self.kinds = kinds;
    }

    /// Whether a database is among what is restored.
    pub fn has_databases(&self) -> bool {
        self.part.has_databases() && self.kinds.iter().any(|kind| kind == "postgres")
    }

    /// Whether files are among what is restored.
    pub fn has_files(&self) -> bool {
        self.part.has_files() && self.kinds.iter().any(|kind| kind == "files")
    }

    /// Whether it can go back to where it was: only the whole of a snapshot does.
    pub fn fits_in_place(&self) -> bool {
        let both = |kind: &String| match kind.as_str() {
            "postgres" => self.part.has_databases(),
            "files" => self.part.has_files(),
            _ => true,
        };
        !matches!(self.part, Part::Paths(_)) && self.kinds.iter().all(both)
    }

    /// Why a step cannot be left yet.
    pub fn missing(&self, step: Step) -> Option<&'static str> {
        match step {
            Step::What if self.job.is_none() => Some("Choose a job first"),
            Step::When if self.snapshot.is_none() => Some("Choose a snapshot first"),
            Step::Target if !self.has_files() && !self.has_databases() => {
                Some("This snapshot holds nothing of what was chosen")
            }
            Step::Target if self.in_place && !self.fits_in_place() => {
                Some("Only the whole of a snapshot goes back in place")
            }
            Step::Target if self.has_files() && !self.in_place && !self.folder.starts_with('/') => {
                Some("Name the new folder by its whole path")
            }
            _ => None,
        }
    }

    /// The first step that is not done, before this one.
    pub fn is_ready_for(&self, step: Step) -> bool {
        let mut before = Step::ALL.iter().take_while(|one| **one != step);
        before.all(|one| self.missing(*one).is_none())
    }

    /// What it comes to, once enough was chosen. What was typed to say yes is not part of it: it
    /// changes nothing of what would be done.
    pub fn order(&self) -> Option<Order> {
        if !self.is_ready_for(Step::Preview) {
            return None;
        }
        let typed = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let paths = match &self.part {
            Part::Paths(paths) => paths.clone(),
            _ => Vec::new(),
        };
        let anew = !self.in_place;
        Some(Order {
            snapshot: self.snapshot.clone()?,
            streams: Vec::new(),
            paths,
            folder: (anew && self.has_files()).then(|| PathBuf::from(self.folder.trim())),
            database: (anew && self.has_databases()).then(|| NewDatabase {
                name: typed(&self.database),
                server: typed(&self.server),
            }),
            in_place: self.in_place,
            confirm: None,
            safety_backup: !self.no_safety_backup,
            no_owner: self.no_owner,
            numeric_owner: self.numeric_owner,
            keep_setid: self.keep_setid,
            stamp: self.stamp.clone(),
        })
    }
}
