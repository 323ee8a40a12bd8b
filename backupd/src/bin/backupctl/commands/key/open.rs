//! What the verbs need: a repository, and the root key.

use std::path::{Path, PathBuf};

use backup_core::{
    ops::{Authority, OpError},
    repo::Repository,
};
use backup_keys::{SecretKey, read_private};
use backup_model::{Code, Failure};
use backupd::{clock, service};

use crate::{commands::place::choose, context::Context};

/// Which repository.
#[derive(clap::Args, Debug)]
pub(super) struct Of {
    /// A repository of the configuration; may be left out where there is only one.
    #[arg(long, value_name = "REPOSITORY")]
    of: Option<String>,
}

/// A repository, and what else the command may touch.
pub(super) struct Opened {
    pub(super) name: String,
    pub(super) access: service::Access,
    pub(super) repository: Repository,
}

impl Of {
    pub(super) async fn open(&self, context: &Context) -> Result<Opened, Failure> {
        let access = context.access()?;
        let known = access.places_of(None).map(|place| place.name.clone());
        let name = choose(known.collect(), self.of.as_deref())?;
        let mut places = access.places_of(None);
        let place = places.find(|place| place.name == name);
        let place = place.ok_or_else(|| Failure::new(Code::RepositoryMissing, name.clone()))?;
        let repository = place.open(&access.secrets).await?;
        drop(places);
        Ok(Opened {
            name,
            access,
            repository,
        })
    }
}

/// The root key, which decides who may read and write.
#[derive(clap::Args, Debug)]
pub(super) struct RootKey {
    /// The root key's file, `root.key` of `backupctl init`. Others must not be able to read it.
    #[arg(long, value_name = "FILE", env = "BACKUPCTL_ROOT_KEY")]
    root_key: PathBuf,
}

impl RootKey {
    pub(super) fn read(&self) -> Result<SecretKey, Failure> {
        root_key(&self.root_key)
    }
}

pub(super) fn root_key(path: &Path) -> Result<SecretKey, Failure> {
    let text =
        read_private(path).map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
    SecretKey::from_file_text(&text).map_err(|error| is_not(path, "a signing key", &error))
}

/// That a file does not hold what it should, and why.
pub(super) fn is_not(
    path: &Path,
    what: &str,
    error: &(dyn std::error::Error + 'static),
) -> Failure {
    let why = Failure::from_error(Code::IdentityInvalid, error);
    let text = format!("{} is not {what}", path.display());
    Failure {
        causes: [vec![why.message], why.causes].concat(),
        ..Failure::new(why.code, text)
    }
}

/// The root key at work.
pub(super) fn authority<'a>(
    repository: &'a Repository,
    root: &'a SecretKey,
) -> Result<Authority<'a>, Failure> {
    Authority::new(repository, root, clock::now()).map_err(|error| failed(&error))
}

pub(super) fn failed(error: &OpError) -> Failure {
    error.to_failure()
}
