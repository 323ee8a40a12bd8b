//! From the configuration's sources to the engine's: secrets resolved, programs found.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use backup_core::{
    child::PipeLimits,
    ops::{self, BackupJob},
    pipeline::LevelMode,
    postgres::{Connection, Host, Programs},
    repo::RunLimits,
    source::{command::CommandSpec, files::FilesSpec},
};
use backup_model::{Digest, Failure, JobName};
use secrecy::SecretString;

use super::Access;
use crate::config::{CommandSource, JobConfig, PostgresSource, SourceKind};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What a command may know of our environment.
const COMMAND_VARIABLES: [&str; 3] = ["PATH", "HOME", "LANG"];

/// A job as the engine runs it.
pub(super) async fn job(
    access: &Access,
    name: &JobName,
    config: &JobConfig,
) -> Result<BackupJob, Failure> {
    let mut sources = Vec::new();
    for source in &config.sources {
        let name = source.name.as_str().to_owned();
        sources.push(match &source.kind {
            SourceKind::Files(files) => ops::Source::Files {
                name,
                spec: FilesSpec {
                    roots: files.paths.clone(),
                    exclude: files.exclude.clone(),
                    max_file_bytes: files.max_file_bytes,
                },
            },
            SourceKind::Command(command) => ops::Source::Command {
                name,
                spec: command_spec(access, command),
            },
            SourceKind::Postgres(postgres) => {
                ops::Source::Postgres(Box::new(ops::PostgresSource {
                    name,
                    connection: connection(access, postgres).await?,
                    programs: programs(access, postgres.bin_dir.as_ref())?,
                    globals: postgres.globals,
                    stall: postgres.stall_timeout,
                }))
            }
        });
    }
    Ok(BackupJob {
        audit: head(access).await,
        name: name.clone(),
        sources,
        level: LevelMode::Adaptive,
        limits: config
            .limit
            .map_or_else(RunLimits::default, |limit| RunLimits {
                limit_secs: limit.as_secs(),
            }),
    })
}

/// The head of the audit log, for which no backup fails.
async fn head(access: &Access) -> Option<Digest> {
    let head = access.audit.as_ref()?.head().await;
    head.unwrap_or_else(|failure| {
        let (code, causes) = (failure.code.as_str(), failure.causes.join(": "));
        tracing::error!(
            code,
            causes,
            "a snapshot vouches for no log: {}",
            failure.message
        );
        None
    })
}

fn command_spec(access: &Access, command: &CommandSource) -> CommandSpec {
    let variable = |name| Some((name, (access.secrets.env)(name)?));
    let environment: Vec<(&'static str, OsString)> =
        COMMAND_VARIABLES.into_iter().filter_map(variable).collect();
    CommandSpec {
        program: command.program.clone(),
        arguments: command.arguments.clone(),
        environment,
        limits: PipeLimits {
            stall: command.stall_timeout,
            most_bytes: command.max_bytes,
        },
    }
}

/// How a configured database is reached.
pub(crate) async fn connection(
    access: &Access,
    source: &PostgresSource,
) -> Result<Connection, Failure> {
    let password = match &source.password {
        None => None,
        Some(reference) => Some(reference.resolve(&access.secrets).await?),
    };
    Ok(connection_with(source, password))
}

/// The same with this password, whatever the configuration refers to.
pub(crate) fn connection_with(
    source: &PostgresSource,
    password: Option<SecretString>,
) -> Connection {
    let configured = &source.connection;
    let host = if configured.host.starts_with('/') {
        Host::Socket(PathBuf::from(&configured.host))
    } else {
        Host::Tcp(configured.host.clone())
    };
    Connection {
        host,
        port: configured.port,
        user: configured.user.clone(),
        database: configured.dbname.clone(),
        password,
        connect_timeout: CONNECT_TIMEOUT,
    }
}

/// PostgreSQL's programs.
pub(crate) fn programs(access: &Access, folder: Option<&PathBuf>) -> Result<Programs, Failure> {
    Programs::find(folder.map(PathBuf::as_path), &access.program_folders)
        .map_err(|error| Failure::from_error(error.code(), &error))
}
