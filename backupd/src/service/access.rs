//! What the service may touch: repositories and whose signature each must bear, jobs, state.
//!
//! It comes from a configuration, or from the command line where there is none: a repository is
//! all that a restore needs.

use std::{collections::BTreeMap, path::PathBuf};

use backup_core::{
    repo::{Repository, TrustRoot},
    store::Store,
};
use backup_model::{Code, Failure, JobName};

use crate::config::{Config, JobConfig, RepositoryUrl, SecretSources};

/// A repository and what it must be signed by.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name in the configuration, or its path.
    pub name: String,
    /// Where it is.
    pub url: RepositoryUrl,
    /// The root key; without one, opening fails and names the key it found.
    pub trust: Option<String>,
}

/// Everything that the service works with.
#[derive(Clone, Debug)]
pub struct Access {
    /// The repositories.
    pub places: Vec<Place>,
    /// The jobs.
    pub jobs: BTreeMap<JobName, JobConfig>,
    /// The host's state.
    pub state: PathBuf,
    /// Where secrets are.
    pub secrets: SecretSources,
    /// Folders to look for PostgreSQL's programs in, after Debian's.
    pub program_folders: Vec<PathBuf>,
}

impl Access {
    /// All that a configuration names.
    pub fn of_config(
        config: Config,
        secrets: SecretSources,
        program_folders: Vec<PathBuf>,
    ) -> Self {
        let places = config.repositories.into_iter().map(|(name, place)| Place {
            name: name.as_str().to_owned(),
            url: place.url,
            trust: Some(place.trust),
        });
        Self {
            places: places.collect(),
            jobs: config.jobs,
            state: config.state,
            secrets,
            program_folders,
        }
    }

    /// The repositories in which a job may have snapshots: the one that the configuration gives
    /// it, or all for a job that it does not know (any more).
    pub fn places_of(&self, job: Option<&JobName>) -> impl Iterator<Item = &Place> {
        let configured = job.and_then(|job| self.jobs.get(job));
        self.places
            .iter()
            .filter(move |place| configured.is_none_or(|job| job.repository.as_str() == place.name))
    }

    /// A job of the configuration.
    pub fn job(&self, name: &JobName) -> Result<&JobConfig, Failure> {
        self.jobs.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.jobs.keys().map(JobName::as_str).collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has: {}", known.join(", "))
            };
            let text = format!("the configuration has no job `{name}`; {known}");
            Failure::new(Code::NoJob, text)
        })
    }
}

impl Place {
    /// Opens the repository.
    pub async fn open(&self) -> Result<Repository, Failure> {
        let root = match &self.trust {
            None => TrustRoot::Unknown,
            Some(key) => TrustRoot::Key(
                key.parse()
                    .map_err(|error| Failure::from_error(Code::NotTrusted, &error))?,
            ),
        };
        let path = self.url.path();
        if !path.exists() {
            let text = format!("there is no repository at {}", path.display());
            return Err(Failure::new(Code::RepositoryMissing, text));
        }
        let store =
            Store::local(path).map_err(|error| Failure::from_error(error.code(), &error))?;
        Repository::open(store, &root)
            .await
            .map_err(|error| Failure::from_error(error.code(), &error))
    }
}
