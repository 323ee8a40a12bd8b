//! The passphrases of administrators who have nothing else, for a new epoch.
//!
//! Each is tried on what is there before it makes a new key file: a mistyped one would make a file
//! that nobody opens.

use std::{collections::BTreeMap, path::PathBuf, str::FromStr};

use backup_core::{
    ops::OpError,
    repo::{Repository, prove},
};
use backup_keys::{
    Administrator, AdministratorKind,
    administrator::{AdministratorIdentity, AdministratorRecipient},
};
use backup_model::{Code, Failure, JobName};
use secrecy::SecretString;

use super::open::{failed, is_not};
use crate::commands::administrator::{Key, passphrase_in};

/// `NAME=FILE`.
#[derive(Clone, Debug)]
pub(super) struct PassphraseOf {
    name: JobName,
    file: PathBuf,
}

impl FromStr for PassphraseOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = text.split_once('=').ok_or("it is NAME=FILE")?;
        Ok(Self {
            name: name.parse().map_err(|error| format!("{error}"))?,
            file: PathBuf::from(file),
        })
    }
}

/// The passphrases that were given, each of which opens the current epoch; that of the tester, if
/// his key is one, among them.
pub(super) async fn read(
    given: &[PassphraseOf],
    (tester, key): (&JobName, &Key),
    repository: &Repository,
) -> Result<BTreeMap<JobName, AdministratorRecipient>, Failure> {
    let mut all = BTreeMap::new();
    if let Some(passphrase) = &key.passphrase {
        all.insert(tester.clone(), recipient(&key.shown, passphrase.clone())?);
    }
    // Who opens a repository checks that there is one.
    let Some(epoch) = repository.trust().current_epoch() else {
        return Err(Failure::new(Code::RepositoryDamaged, "trust has no epoch"));
    };
    for PassphraseOf { name, file } in given {
        let known = administrators(repository).any(|known| known.name == *name);
        if !known {
            let text = format!("no administrator by passphrase is called `{name}`");
            return Err(Failure::new(Code::Usage, text));
        }
        let passphrase = passphrase_in(file)?;
        let identity = AdministratorIdentity::passphrase(passphrase.clone())
            .map_err(|error| is_not(file, "a file with a passphrase", &error))?;
        if epoch.opened_by(name) {
            let proved = prove(repository, epoch, name, &identity).await;
            proved.map_err(|error| failed(&OpError::from(error)))?;
        }
        let shown = file.display().to_string();
        all.insert(name.clone(), recipient(&shown, passphrase)?);
    }
    Ok(all)
}

/// Administrators by passphrase whose passphrase is not at hand, but the one to be kept out.
pub(super) fn missing<'a>(
    repository: &'a Repository,
    passphrases: &'a BTreeMap<JobName, AdministratorRecipient>,
    without: Option<&'a JobName>,
) -> impl Iterator<Item = &'a JobName> {
    let names = administrators(repository).map(|administrator| &administrator.name);
    names.filter(move |name| !passphrases.contains_key(name) && without != Some(name))
}

fn administrators(repository: &Repository) -> impl Iterator<Item = &Administrator> {
    let all = repository.trust().administrators.iter();
    all.filter(|administrator| administrator.kind == AdministratorKind::Passphrase)
}

fn recipient(shown: &str, passphrase: SecretString) -> Result<AdministratorRecipient, Failure> {
    AdministratorRecipient::passphrase(passphrase).map_err(|error| {
        let failure = Failure::from_error(Code::IdentityInvalid, &error);
        Failure {
            causes: vec![failure.message],
            ..Failure::new(Code::IdentityInvalid, format!("{shown} is no passphrase"))
        }
    })
}
