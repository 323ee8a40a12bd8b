//! The administrator's identity, where a command needs one.

use std::path::{Path, PathBuf};

use backup_keys::{
    administrator::{Access, AdministratorIdentity},
    read_private,
};
use backup_model::{Code, Failure};
use backupd_api::IdentityText;
use secrecy::ExposeSecret as _;

/// The identity that opens backups.
#[derive(clap::Args, Debug)]
pub(crate) struct IdentityArg {
    /// The administrator's age identity file. Others must not be able to read it.
    #[arg(long, value_name = "FILE", env = "BACKUPCTL_IDENTITY")]
    identity: Option<PathBuf>,
}

impl IdentityArg {
    /// The identity, if one was given. It is looked at here, so that a wrong file is found
    /// before anything is done.
    pub(crate) fn read(&self) -> Result<Option<IdentityText>, Failure> {
        let Some(path) = &self.identity else {
            return Ok(None);
        };
        let text = read_private(path)
            .map_err(|error| Failure::from_error(Code::IdentityInvalid, &error))?;
        parse(path, &text)?;
        Ok(Some(text))
    }

    /// The identity, without which the command cannot work.
    pub(crate) fn require(&self) -> Result<IdentityText, Failure> {
        self.read()?.ok_or_else(|| {
            let text = "an administrator's identity is needed to read a backup";
            Failure::new(Code::IdentityMissing, text)
        })
    }
}

/// The key in an identity file: age's own, or a private SSH key.
pub(super) fn parse(path: &Path, text: &IdentityText) -> Result<AdministratorIdentity, Failure> {
    AdministratorIdentity::read(text.expose_secret().as_bytes(), &Access::none())
        .map_err(|error| is_not(path, "an identity", &error))
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
