//! What somebody has typed to set this machine up, and what is still missing.

use std::path::PathBuf;

use crate::{
    kit::SecretText,
    state::{Home, JobDatabase, Secret, SetUp, StorageAccess},
};

/// A step of the form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Where backups go.
    #[default]
    Store,
    /// What is backed up, and when.
    Job,
    /// All of it, before anything is made.
    Look,
}

impl Step {
    /// In their order.
    pub(super) const ALL: [Self; 3] = [Self::Store, Self::Job, Self::Look];

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Store => "Repository and keys",
            Self::Job => "First job",
            Self::Look => "Look and set up",
        }
    }

    pub(super) const fn next(self) -> Option<Self> {
        match self {
            Self::Store => Some(Self::Job),
            Self::Job => Some(Self::Look),
            Self::Look => None,
        }
    }

    pub(super) const fn before(self) -> Option<Self> {
        match self {
            Self::Store => None,
            Self::Job => Some(Self::Store),
            Self::Look => Some(Self::Job),
        }
    }
}

/// Schedules to choose from: how people say them, and how cron does.
pub(super) const SCHEDULES: [(&str, &str); 3] = [
    ("Every 2 hours", "15 */2 * * *"),
    ("Every night at 2:15", "15 2 * * *"),
    ("Every week", "@weekly"),
];

/// What was typed.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) step: Step,
    begun: bool,
    pub(super) location: String,
    pub(super) keys: String,
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) key_id: String,
    pub(super) secret_key: SecretText,
    pub(super) job: String,
    pub(super) schedule: String,
    pub(super) has_database: bool,
    pub(super) host: String,
    pub(super) port: String,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: SecretText,
    /// With an empty one at the end, for another.
    pub(super) paths: Vec<String>,
    pub(super) open_webui: bool,
}

impl Form {
    /// Fills in what is usual, once.
    pub(super) fn begin(&mut self, home: &Home) {
        if !self.begun {
            *self = Self {
                begun: true,
                keys: home.keys.display().to_string(),
                schedule: SCHEDULES[0].1.to_owned(),
                has_database: true,
                host: "127.0.0.1".to_owned(),
                port: "5432".to_owned(),
                paths: vec![String::new()],
                ..Self::default()
            };
        }
    }

    pub(super) fn is_bucket(&self) -> bool {
        self.location.trim().starts_with("s3://")
    }

    fn chosen_paths(&self) -> Vec<String> {
        let paths = self.paths.iter().map(|path| path.trim());
        let some = paths.filter(|path| !path.is_empty());
        some.map(str::to_owned).collect()
    }

    /// Why a step cannot be left.
    pub(super) fn missing(&self, step: Step) -> Option<&'static str> {
        match step {
            Step::Store => self.store_missing(),
            Step::Job => self.job_missing(),
            Step::Look => None,
        }
    }

    fn store_missing(&self) -> Option<&'static str> {
        let location = self.location.trim();
        let is_place = location.starts_with('/') || self.is_bucket();
        let half = self.key_id.trim().is_empty() != self.secret_key.is_empty();
        match () {
            () if location.is_empty() => Some("Say where backups go first"),
            () if !is_place => Some("A folder's whole path begins with /, a bucket with s3://"),
            () if self.is_bucket() && half => Some("An access key has an id and a secret"),
            () if !self.keys.trim().starts_with('/') => {
                Some("The folder of the keys needs its whole path")
            }
            () => None,
        }
    }

    fn job_missing(&self) -> Option<&'static str> {
        let empty = |text: &str| text.trim().is_empty();
        let database = self.has_database;
        let paths = self.chosen_paths();
        match () {
            () if self.job.trim().parse::<backup_model::JobName>().is_err() => {
                Some("The job needs a name of small letters, digits and -")
            }
            () if empty(&self.schedule) => Some("Say when it runs first"),
            () if !database && paths.is_empty() => Some("Say what it backs up first"),
            () if database && (empty(&self.host) || empty(&self.database)) => {
                Some("Say which database first")
            }
            () if database && empty(&self.user) => Some("Say who reads the database first"),
            () if database && self.port.trim().parse::<u16>().is_err() => {
                Some("A port is a number up to 65535")
            }
            () if paths.iter().any(|path| !path.starts_with('/')) => {
                Some("The whole path of a folder begins with /")
            }
            () => None,
        }
    }

    /// What was chosen in a step that is done.
    pub(super) fn note(&self, step: Step) -> String {
        match step {
            _ if step >= self.step => String::new(),
            Step::Store => self.location.trim().to_owned(),
            Step::Job => self.job.trim().to_owned(),
            Step::Look => String::new(),
        }
    }

    /// The order, once nothing is missing.
    pub(super) fn order(&self) -> Option<SetUp> {
        if Step::ALL.iter().any(|step| self.missing(*step).is_some()) {
            return None;
        }
        let text = |text: &str| text.trim().to_owned();
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let secret = |typed: &SecretText| (!typed.is_empty()).then(|| Secret::new(typed.secret()));
        let storage = StorageAccess {
            endpoint: some(&self.endpoint),
            region: some(&self.region),
            key_id: some(&self.key_id),
            secret_key: secret(&self.secret_key),
        };
        let database = JobDatabase {
            host: text(&self.host),
            port: self.port.trim().parse().ok()?,
            name: text(&self.database),
            user: text(&self.user),
            password: secret(&self.password),
        };
        let paths = self.chosen_paths();
        Some(SetUp {
            location: text(&self.location),
            storage: Some(storage)
                .filter(|_| self.is_bucket())
                .unwrap_or_default(),
            keys: PathBuf::from(self.keys.trim()),
            job: self.job.trim().parse().ok()?,
            schedule: text(&self.schedule),
            database: Some(database).filter(|_| self.has_database),
            open_webui: self.open_webui && !paths.is_empty(),
            paths,
        })
    }

    /// The command that begins the same.
    pub(super) fn command(&self) -> String {
        let or = |text: &str, empty: &'static str| match text.trim() {
            "" => empty.to_owned(),
            text => text.to_owned(),
        };
        let place = or(&self.location, "FOLDER");
        let keys = or(&self.keys, "FOLDER");
        let words = ["backupctl", "init", "--repository", &place, "--keys", &keys];
        shlex::try_join(words).unwrap_or_default()
    }
}
