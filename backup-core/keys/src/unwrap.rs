//! From key files to the identities of epochs, on the side of whoever asks for the data.
//!
//! What the key is, only that side knows: whoever is given the identities cannot tell an
//! administrator's key from any other that opens key files.

use std::collections::BTreeSet;

use backup_model::{Code, EpochFiles, WrappedKey};
use secrecy::SecretString;

use crate::{
    AgeKeyError, EpochError, OpensKeyFiles, Recipient, epoch::identity_text, open_epoch_key,
};

/// Why key files that were given cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// What is called an epoch's recipient is none.
    #[error("the recipient of epoch {epoch} is not one")]
    Recipient {
        /// The epoch.
        epoch: u64,
        /// Why.
        source: AgeKeyError,
    },
    /// A key file is damaged, or its plugin failed.
    #[error("could not open {object}")]
    KeyFile {
        /// Its name.
        object: String,
        /// Why.
        source: EpochError,
    },
}

impl UnwrapError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::KeyFile {
                source: EpochError::Plugin(_),
                ..
            } => Code::Failed,
            Self::Recipient { .. } | Self::KeyFile { .. } => Code::RepositoryDamaged,
        }
    }
}

/// Opens one key file of each epoch, of those that `may_open` lets through: a passphrase takes a
/// second for each file, and a key in hardware a touch. Gives the texts of the epochs' identities;
/// epochs that the key does not open are left out.
pub fn unwrap(
    epochs: &[EpochFiles],
    key: &dyn OpensKeyFiles,
    may_open: impl Fn(&WrappedKey) -> bool,
) -> Result<Vec<SecretString>, UnwrapError> {
    let mut identities = Vec::new();
    let mut done = BTreeSet::new();
    for epoch in epochs {
        if done.contains(&epoch.recipient) {
            continue;
        }
        let recipient = epoch.recipient.parse();
        let expected: Recipient = recipient.map_err(|source| UnwrapError::Recipient {
            epoch: epoch.epoch,
            source,
        })?;
        for file in epoch.files.iter().filter(|file| may_open(file)) {
            match open_epoch_key(&file.bytes, key, &expected) {
                Ok(identity) => {
                    identities.push(identity_text(epoch.epoch, &identity));
                    done.insert(&epoch.recipient);
                    break;
                }
                Err(EpochError::NoMatch | EpochError::WrongPassphrase) => {}
                Err(source) => {
                    let object = file.object.clone();
                    return Err(UnwrapError::KeyFile { object, source });
                }
            }
        }
    }
    Ok(identities)
}
