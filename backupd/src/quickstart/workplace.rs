//! The new folder: repository, keys, configuration, state, and what is restored.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use backup_core::postgres::{Connection, Host};
use backup_keys::{Identity, OpensKeyFiles as _, read_private, unwrap};
use backup_model::{Code, Failure, Selection};
use backupd_api::{EpochKeys, Service as _};
use secrecy::{ExposeSecret as _, SecretString};

use super::Request;
use crate::{
    clock,
    config::{self, Places, RepositoryUrl, SecretSources, SourceName},
    service::{Access, Direct},
    setup::{Created, SetUp, create_repository},
};

/// The folder and what was made in it.
#[derive(Debug)]
pub(super) struct Workplace {
    dir: PathBuf,
    created: Created,
}

impl Workplace {
    /// Makes folder, repository and keys. The folder must not exist, or be empty.
    pub(super) async fn make(dir: &Path, secrets: &SecretSources) -> Result<Self, Failure> {
        if dir.read_dir().is_ok_and(|mut names| names.next().is_some()) {
            let text = format!("{} is not empty", dir.display());
            return Err(Failure::new(Code::TargetNotEmpty, text));
        }
        fs::create_dir_all(dir)
            .map_err(|error| local(&format!("make {}", dir.display()), &error))?;
        let url = dir.join("repository");
        let set_up = SetUp {
            url: RepositoryUrl::parse(&url.display().to_string(), dir)
                .map_err(|error| Failure::from_error(Code::Usage, &error))?,
            s3: None,
            secrets: secrets.clone(),
            keys: dir.join("keys"),
            state: dir.join("state"),
            now: clock::now(),
        };
        Ok(Self {
            dir: dir.to_owned(),
            created: create_repository(&set_up).await?,
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn repository(&self) -> PathBuf {
        self.dir.join("repository")
    }

    pub(super) fn restored(&self) -> PathBuf {
        self.dir.join("restored")
    }

    pub(super) fn identity_file(&self) -> PathBuf {
        self.created.identity.clone()
    }

    pub(super) fn root_key_file(&self) -> PathBuf {
        self.created.root_key.clone()
    }

    /// What opens all that was backed up, with the identity that was made for it.
    pub(super) async fn keys(&self, service: &Direct) -> Result<EpochKeys, Failure> {
        let text = read_private(&self.created.identity)
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
        let identity = Identity::from_file_text(&text)
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
        let files = service.key_files(&Selection::All).await?;
        let identities = unwrap(&files, &identity, |_| true)
            .map_err(|error| Failure::from_error(error.code(), &error))?;
        Ok(EpochKeys {
            unwrapped_by: identity.name(),
            identities,
        })
    }

    /// Writes the configuration and gives its path.
    pub(super) fn configure(&self, input: &Input) -> Result<PathBuf, Failure> {
        let path = self.dir.join("config.toml");
        let mut text = format!(
            "# Made by `backupctl quickstart`.\nversion = 1\nstate = \"state\"\n\n\
             [repository.main]\nurl = \"repository\"\ntrust = {}\n\n[job.{}]\nrepository = \"main\"\n",
            quoted(&self.created.root),
            input.job,
        );
        if let Some(database) = &input.database {
            text.push_str(&database_source(database, input.password_file.as_deref()));
        }
        if !input.paths.is_empty() {
            let paths: Vec<String> = input
                .paths
                .iter()
                .map(|path| quoted(&path.display().to_string()))
                .collect();
            text.push_str(&format!(
                "\n[[job.{}.source]]\nkind = \"files\"\nname = \"folders\"\npaths = [{}]\n",
                input.job,
                paths.join(", ")
            ));
        }
        let text = text.replace("[[job.JOB.", &format!("[[job.{}.", input.job));
        fs::write(&path, text)
            .map_err(|error| local(&format!("write {}", path.display()), &error))?;
        Ok(path)
    }
}

/// The user's own input.
pub(super) fn own_input(request: &Request) -> Result<Input, Failure> {
    let database = match &request.database {
        None => None,
        Some(url) => Some(own_database(url, request.password_file.as_deref())?),
    };
    let mut paths = Vec::new();
    for path in &request.paths {
        let absolute = path
            .canonicalize()
            .map_err(|error| local(&format!("find {}", path.display()), &error))?;
        paths.push(absolute);
    }
    Ok(Input {
        job: job("quickstart")?,
        database,
        password_file: request.password_file.clone(),
        paths,
    })
}

/// A service on the configuration that was just written, read back like anybody's.
pub(super) fn service(config: &Path, request: &Request) -> Result<Direct, Failure> {
    let config = config::load(&places(config.to_owned()))?;
    Ok(Direct::new(Access::of_config(
        config,
        request.secrets.clone(),
        request.program_folders.clone(),
    )))
}

pub(super) fn job(name: &str) -> Result<backup_model::JobName, Failure> {
    name.parse()
        .map_err(|error| Failure::from_error(Code::Bug, &error))
}

fn own_database(url: &str, password_file: Option<&Path>) -> Result<Connection, Failure> {
    let mut connection =
        Connection::from_url(url).map_err(|error| Failure::from_error(error.code(), &error))?;
    if let Some(path) = password_file {
        let text = read_private(path).map_err(|error| Failure::from_error(Code::Config, &error))?;
        connection.password = Some(trimmed(&text));
    }
    connection.connect_timeout = Duration::from_secs(10);
    Ok(connection)
}

/// A password file's line end is not part of the password.
fn trimmed(text: &SecretString) -> SecretString {
    SecretString::from(text.expose_secret().trim_end_matches('\n'))
}

fn database_source(database: &Connection, password_file: Option<&Path>) -> String {
    let host = match &database.host {
        Host::Tcp(host) => host.clone(),
        Host::Socket(folder) => folder.display().to_string(),
    };
    let name = if database.database.parse::<SourceName>().is_ok() {
        database.database.as_str()
    } else {
        "database"
    };
    let password = password_file.map_or_else(String::new, |path| {
        format!(
            "password = {{ file = {} }}\n",
            quoted(&path.display().to_string())
        )
    });
    format!(
        "\n[[job.JOB.source]]\nkind = \"postgres\"\nname = {}\n\
         connection = {{ host = {}, port = {}, user = {}, dbname = {} }}\n{password}",
        quoted(name),
        quoted(&host),
        database.port,
        quoted(&database.user),
        quoted(&database.database),
    )
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// What is backed up.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) job: backup_model::JobName,
    pub(super) database: Option<Connection>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) paths: Vec<PathBuf>,
}

pub(super) fn local(what: &str, error: &std::io::Error) -> Failure {
    Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::LocalIo, format!("could not {what}"))
    }
}

fn places(config: PathBuf) -> Places {
    Places {
        flag: Some(config),
        ..Places::default()
    }
}
