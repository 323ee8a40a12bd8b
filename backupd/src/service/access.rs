//! What the service may touch: repositories and whose signature each must bear, jobs, state.
//!
//! It comes from a configuration, or from the command line where there is none: a repository is
//! all that a restore needs.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use backup_core::{
    repo::{Host, Memory, RepoError, Repository, TrustRoot},
    store::{Store, is_create_refused},
};
use backup_model::{Code, Failure, JobName};

use crate::{
    audit::Audit,
    config::{
        ChannelConfig, ChannelName, Config, HealthConfig, JobConfig, Problem, RepositoryUrl,
        S3Config, SecretSources, ServerConfig,
    },
    storage,
};

/// A repository and what it must be signed by.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its name in the configuration, or its path.
    pub name: String,
    /// Where it is.
    pub url: RepositoryUrl,
    /// The root key; without one, opening fails and names the key it found.
    pub trust: Option<String>,
    /// Whether the configuration says that the store does not keep two writers apart.
    pub single_writer: bool,
    /// How it is reached, for a bucket.
    pub s3: Option<S3Config>,
    /// The host's state, where it remembers what it has seen of the repository.
    pub state: PathBuf,
}

/// What of a configuration only health looks at.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// The files it was read from.
    pub files: Vec<PathBuf>,
    /// What works, and is hardly meant.
    pub warnings: Vec<Problem>,
    /// How the daemon is reached; none where there is no configuration.
    pub server: Option<ServerConfig>,
    /// What it names besides.
    pub health: HealthConfig,
    /// Who is told when something changes.
    pub channels: BTreeMap<ChannelName, ChannelConfig>,
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
    /// Where the audit log is; without a configuration there is none.
    pub audit: Option<Audit>,
    /// Where secrets are.
    pub secrets: SecretSources,
    /// Folders to look for PostgreSQL's programs in, after Debian's.
    pub program_folders: Vec<PathBuf>,
    /// What only health looks at.
    pub watched: Watched,
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
            single_writer: place.single_writer,
            s3: place.s3,
            state: config.state.clone(),
        });
        Self {
            audit: Some(Audit::new(&config.audit, &config.state)),
            places: places.collect(),
            jobs: config.jobs,
            state: config.state,
            secrets,
            program_folders,
            watched: Watched {
                files: config.files,
                warnings: config.warnings,
                server: Some(config.server),
                health: config.health,
                channels: config.channels,
            },
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

    /// Where a job of the configuration is stored.
    pub(super) fn place_to_run(&self, job: &JobName) -> Result<&Place, Failure> {
        self.places_of(Some(job)).next().ok_or_else(|| {
            let text = format!("the job `{job}` has no repository");
            Failure::new(Code::Config, text)
        })
    }

    /// Opens a repository for reading. Where this host has a key for it, no prune takes away what
    /// is being read; to read alone, none is needed.
    pub async fn open(&self, place: &Place) -> Result<Repository, Failure> {
        let repository = place.open(&self.secrets).await?;
        Ok(match Host::open(&self.state, repository.id()) {
            Ok(host) => repository.read_by(Arc::clone(host.key())),
            Err(_) => repository,
        })
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
    pub async fn open(&self, secrets: &SecretSources) -> Result<Repository, Failure> {
        let store = self.store(secrets).await?;
        self.open_on(store).await
    }

    /// Opens the repository for a writer. A bucket is asked each time whether it keeps a second
    /// writer out, which costs one request and cannot be out of date; where it does not, the
    /// repository comes with a warning.
    pub async fn open_to_write(
        &self,
        secrets: &SecretSources,
    ) -> Result<(Repository, Option<Failure>), Failure> {
        let store = self.store(secrets).await?;
        if self.single_writer {
            // A store that only loses races looks good when it is asked once.
            let (store, warning) = storage::single_writer(store);
            return Ok((self.open_on(store).await?, Some(warning)));
        }
        if self.s3.is_none() {
            return Ok((self.open_on(store).await?, None));
        }
        // Not a word is written to a place that is no repository of ours.
        let repository = self.open_on(store.clone()).await?;
        let refused = is_create_refused(&store).await;
        if refused.map_err(|error| storage::failure(&error))? {
            return Ok((repository, None));
        }
        let (store, warning) = storage::single_writer(store);
        Ok((self.open_on(store).await?, Some(warning)))
    }

    /// The objects themselves.
    pub async fn store(&self, secrets: &SecretSources) -> Result<Store, Failure> {
        if let Some(path) = self.url.folder().filter(|path| !path.exists()) {
            let text = format!("there is no repository at {}", path.display());
            return Err(Failure::new(Code::RepositoryMissing, text));
        }
        storage::open(&self.url, self.s3.as_ref(), secrets).await
    }

    async fn open_on(&self, store: Store) -> Result<Repository, Failure> {
        let root = match &self.trust {
            None => TrustRoot::Unknown,
            Some(key) => TrustRoot::Key(
                key.parse()
                    .map_err(|error| Failure::from_error(Code::NotTrusted, &error))?,
            ),
        };
        let compared = match self.compared(store.clone(), &root).await? {
            // Somebody may have changed trust, and this machine have seen it, between our look at
            // the one and at the other: then it is there now.
            Err(RepoError::RolledBack { .. }) => self.compared(store, &root).await?,
            compared => compared,
        };
        compared.map_err(|error| failed(&error))
    }

    /// Opens the repository, and compares it with what this machine has seen.
    async fn compared(
        &self,
        store: Store,
        root: &TrustRoot,
    ) -> Result<Result<Repository, RepoError>, Failure> {
        let repository = Repository::open(store, root).await;
        let repository = repository.map_err(|error| failed(&error))?;
        let memory = Memory::open(&self.state, repository.id())
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        Ok(repository.remembering(memory))
    }
}

fn failed(error: &RepoError) -> Failure {
    Failure::from_error(error.code(), error)
}
