//! Who is let in: a recipient, or a passphrase. And whether key files can be made for him here,
//! before any is stored.

use std::{path::Path, sync::Arc};

use backup_core::repo::Repository;
use backup_keys::administrator::{Access, AdministratorIdentity, AdministratorRecipient};
use backup_model::{Code, Failure, JobName};

use super::open::is_not;
use crate::commands::administrator::passphrase_in;

/// Somebody new, and his own key if it is at hand.
pub(super) struct Newcomer {
    pub(super) recipient: AdministratorRecipient,
    pub(super) proof: Option<Arc<AdministratorIdentity>>,
}

impl Newcomer {
    /// By a recipient on the command line.
    pub(super) fn of_text(text: &str) -> Result<Self, Failure> {
        parse(Path::new("--recipient"), text)
    }

    /// By a recipient in a file.
    pub(super) fn of_file(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path);
        parse(
            path,
            &text.map_err(|error| is_not(path, "readable", &error))?,
        )
    }

    /// By a passphrase in a private file.
    pub(super) fn of_passphrase(path: &Path) -> Result<Self, Failure> {
        let passphrase = passphrase_in(path)?;
        let identity = AdministratorIdentity::passphrase(passphrase.clone())
            .map_err(|error| is_not(path, "a file with a passphrase", &error))?;
        let recipient = AdministratorRecipient::passphrase(passphrase)
            .map_err(|error| is_not(path, "a file with a passphrase", &error))?;
        Ok(Self {
            recipient,
            proof: Some(Arc::new(identity)),
        })
    }
}

fn parse(place: &Path, text: &str) -> Result<Newcomer, Failure> {
    let recipient = AdministratorRecipient::parse(text).map_err(|error| Failure {
        code: Code::Usage,
        ..is_not(place, "a recipient", &error)
    })?;
    Ok(Newcomer {
        recipient,
        proof: None,
    })
}

/// That somebody's plugin can run here.
pub(super) fn check_plugin(
    name: &JobName,
    recipient: &AdministratorRecipient,
    access: &Access,
) -> Result<(), Failure> {
    recipient.check_plugin(access).map_err(|error| {
        let why = Failure::from_error(Code::IdentityInvalid, &error);
        let text = format!("no key file can be made for `{name}` here");
        Failure {
            causes: [vec![why.message], why.causes].concat(),
            ..Failure::new(Code::IdentityInvalid, text)
        }
    })
}

/// That the plugins of all administrators can run here, but of the one to be kept out.
pub(super) fn check_plugins(
    repository: &Repository,
    without: Option<&JobName>,
    access: &Access,
) -> Result<(), Failure> {
    for administrator in &repository.trust().administrators {
        let (name, recipient) = (&administrator.name, administrator.recipient.as_deref());
        let Some(text) = recipient.filter(|_| without != Some(name)) else {
            continue;
        };
        // What is no recipient in trust is told by the rotation itself.
        if let Ok(recipient) = AdministratorRecipient::parse(text) {
            check_plugin(name, &recipient, access)?;
        }
    }
    Ok(())
}
