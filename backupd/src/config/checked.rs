//! The checked configuration: plain types that the rest of the programs accept without doubt.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use backup_core::{
    source::files::Pattern,
    store::{Endpoint, Limits},
};
use backup_model::{JobName, Level, RetentionPolicy};

use super::{
    ChannelConfig, ChannelName, HealthConfig, Problem, RepositoryName, RepositoryUrl, SecretRef,
    SecretSources, ServerConfig, SourceName,
};
use crate::{hooks::Hooks, schedule::Timing};

/// A configuration in which everything fits together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The files it was read from, the main one first.
    pub files: Vec<PathBuf>,
    /// The folder for what this host must remember.
    pub state: PathBuf,
    /// How the daemon works.
    pub server: ServerConfig,
    /// What is done by schedule besides backups.
    pub upkeep: UpkeepConfig,
    /// Where the audit log is, and for how long.
    pub audit: AuditConfig,
    /// What health looks at besides.
    pub health: HealthConfig,
    /// Where metrics are read: a loopback address.
    pub metrics: Option<SocketAddr>,
    /// Who is told when something changes.
    pub channels: BTreeMap<ChannelName, ChannelConfig>,
    /// The repositories.
    pub repositories: BTreeMap<RepositoryName, RepositoryConfig>,
    /// The jobs.
    pub jobs: BTreeMap<JobName, JobConfig>,
    /// What works, and is hardly meant: in the order of files and lines.
    pub warnings: Vec<Problem>,
}

/// What is done by schedule besides backups; what has no timing is done by hand only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpkeepConfig {
    /// When each job that has a policy forgets what it lets go.
    pub retention: Option<Timing>,
    /// When each repository is pruned.
    pub prune: Option<Timing>,
    /// When some of each job's snapshots are verified.
    pub verify: Option<Timing>,
    /// When each store is asked how it keeps writers apart.
    pub probe: Option<Timing>,
    /// How long the plan of a prune stands before anything is deleted.
    pub prune_grace: Duration,
}

/// Where the audit log is, and how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditConfig {
    /// The folder of its files.
    pub folder: PathBuf,
    /// How long entries are kept, in whole months.
    pub keep: Duration,
    /// How long after a month one can still tell which address a pseudonym of it stands for.
    pub pseudonym_keep: Duration,
}

impl AuditConfig {
    /// The one that holds where nothing else is said.
    pub fn below(state: &Path) -> Self {
        const DAY: Duration = Duration::from_hours(24);
        Self {
            folder: state.join("audit"),
            keep: DAY * 400,
            pseudonym_keep: DAY * 30,
        }
    }
}

/// How a job's snapshots are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyConfig {
    /// How deep each new snapshot is verified right after its backup, if it is.
    pub after: Option<Level>,
    /// Within how much time everything is verified.
    pub full_coverage: Duration,
}

impl Default for VerifyConfig {
    fn default() -> Self {
        Self {
            after: None,
            full_coverage: Duration::from_hours(30 * 24),
        }
    }
}

/// Where backups are kept, and whose signature makes them ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryConfig {
    /// Where it is.
    pub url: RepositoryUrl,
    /// The root public key, in minisign's base64.
    pub trust: String,
    /// Whether the store is known not to keep two writers apart.
    pub single_writer: bool,
    /// How it is reached, for a bucket.
    pub s3: Option<S3Config>,
}

/// How a bucket is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    /// The server, where it is not Amazon's.
    pub endpoint: Option<Endpoint>,
    /// The region, where the server cares.
    pub region: Option<String>,
    /// Whether the bucket is named in the path; by default where an endpoint is given.
    pub path_style: Option<bool>,
    /// Whether new objects are read back; by default where an endpoint is given.
    pub read_back: Option<bool>,
    /// Who we are.
    pub credentials: CredentialRefs,
    /// Bounds.
    pub limits: Limits,
}

impl S3Config {
    /// How a bucket without a configuration is reached: with access keys in the variables in which
    /// all programs for S3 look for them.
    pub fn by_environment(
        endpoint: Option<Endpoint>,
        region: Option<String>,
        path_style: Option<bool>,
        secrets: &SecretSources,
    ) -> Self {
        let variable = |name: &str| SecretRef::Env(name.to_owned());
        let token = (secrets.env)("AWS_SESSION_TOKEN").filter(|token| !token.is_empty());
        Self {
            endpoint,
            region,
            path_style,
            read_back: None,
            credentials: CredentialRefs {
                access_key_id: variable("AWS_ACCESS_KEY_ID"),
                secret_access_key: variable("AWS_SECRET_ACCESS_KEY"),
                session_token: token.map(|_| variable("AWS_SESSION_TOKEN")),
            },
            limits: Limits::default(),
        }
    }
}

/// Where an access key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRefs {
    /// Its name.
    pub access_key_id: SecretRef,
    /// Its secret.
    pub secret_access_key: SecretRef,
    /// A token, for temporary keys.
    pub session_token: Option<SecretRef>,
}

/// What is backed up together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobConfig {
    /// Where to: one of the configuration's repositories.
    pub repository: RepositoryName,
    /// When it runs; without it, only when somebody asks for it.
    pub timing: Option<Timing>,
    /// How old its newest good snapshot may be: as it says, else twice the longest time
    /// between two due times.
    pub rpo: Option<Duration>,
    /// How long a run may take, without its hooks.
    pub limit: Option<Duration>,
    /// What of its snapshots stays; without a policy all do.
    pub retention: Option<RetentionPolicy>,
    /// What is run around its backups.
    pub hooks: Hooks,
    /// How its snapshots are verified.
    pub verify: VerifyConfig,
    /// What, in the order of the file; at least one.
    pub sources: Vec<SourceConfig>,
}

/// One thing to back up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name, unique within the job.
    pub name: SourceName,
    /// What it is.
    pub kind: SourceKind,
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind {
    /// A PostgreSQL database.
    Postgres(PostgresSource),
    /// Folders and files.
    Files(FilesSource),
    /// What a command writes.
    Command(CommandSource),
}

/// A PostgreSQL database and how to reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresSource {
    /// The server, the user and the database.
    pub connection: Connection,
    /// The password, where the server wants one.
    pub password: Option<SecretRef>,
    /// The folder of `pg_dump`, where it is not the system's.
    pub bin_dir: Option<PathBuf>,
    /// Whether roles and tablespaces are kept too.
    pub globals: bool,
    /// A dump that writes nothing for so long is given up.
    pub stall_timeout: Duration,
}

/// A database connection without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// A host name or address, or the absolute folder of a socket.
    pub host: String,
    /// The port; for a socket it is part of the socket's name.
    pub port: u16,
    /// The role to connect as.
    pub user: String,
    /// The database.
    pub dbname: String,
}

/// Folders and files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilesSource {
    /// Absolute paths without `..`, none inside another; at least one.
    pub paths: Vec<PathBuf>,
    /// What is left out, those of the preset too; none of them names one of the paths.
    pub exclude: Vec<Pattern>,
    /// Files that are larger are left out.
    pub max_file_bytes: Option<u64>,
}

/// A command whose standard output is backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandSource {
    /// An absolute path, or a name without `/`.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// A command that writes nothing for so long is given up.
    pub stall_timeout: Duration,
    /// One that writes more is given up.
    pub max_bytes: Option<u64>,
}
