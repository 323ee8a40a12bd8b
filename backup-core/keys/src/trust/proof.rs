//! Showing that a key opens an epoch: its key file, then the canary.

use backup_model::JobName;

use super::Epoch;
use crate::{
    AgeKeyError, EpochError, Identity, OpensKeyFiles, canary_digest, digest::digest, open_epoch_key,
};

/// Why a key did not show to open an epoch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// He has no key file for it.
    #[error("`{0}` has no key file for the epoch")]
    NoKeyFile(JobName),
    /// Another key file.
    #[error("the key file is not the one that trust names")]
    OtherKeyFile,
    /// Another canary.
    #[error("the canary is not the one that trust names")]
    OtherCanary,
    /// What trust calls the epoch's recipient is none.
    #[error("the epoch's recipient is not one")]
    Recipient(#[source] AgeKeyError),
    /// The key file did not open.
    #[error("the key file does not open")]
    KeyFile(#[source] EpochError),
    /// The canary did not open.
    #[error("the canary does not open")]
    Canary(#[source] EpochError),
    /// It opened to something else.
    #[error("the canary opens to something else than trust names")]
    CanaryText,
}

impl Epoch {
    /// Opens the stored key file of an administrator and, with what is in it, the stored canary.
    /// Gives the epoch's identity.
    pub fn prove(
        &self,
        administrator: &JobName,
        key: &(impl OpensKeyFiles + ?Sized),
        key_file: &[u8],
        canary: &[u8],
    ) -> Result<Identity, ProofError> {
        let mut files = self.keys.iter();
        let listed = files
            .find(|file| file.administrator == *administrator)
            .ok_or_else(|| ProofError::NoKeyFile(administrator.clone()))?;
        if digest(key_file) != listed.sha256 {
            return Err(ProofError::OtherKeyFile);
        }
        if digest(canary) != self.canary.sha256 {
            return Err(ProofError::OtherCanary);
        }
        let recipient = self.recipient.parse().map_err(ProofError::Recipient)?;
        let identity = open_epoch_key(key_file, key, &recipient).map_err(ProofError::KeyFile)?;
        let opened = canary_digest(canary, &identity).map_err(ProofError::Canary)?;
        if opened == self.canary.opens_to {
            Ok(identity)
        } else {
            Err(ProofError::CanaryText)
        }
    }
}
