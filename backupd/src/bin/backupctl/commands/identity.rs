//! The administrator's identity, where a command needs one.

use std::path::PathBuf;

use backup_keys::{Identity, read_private};
use backup_model::{Code, Failure};
use backupd_api::IdentityText;

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
        Identity::from_file_text(&text).map_err(|error| Failure {
            causes: vec![error.to_string()],
            ..Failure::new(
                Code::IdentityInvalid,
                format!("{} is not an identity", path.display()),
            )
        })?;
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
