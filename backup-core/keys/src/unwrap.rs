//! From key files to the identities of epochs, on the side of whoever asks for the data.
//!
//! What the key is, only that side knows: nothing here, and nothing that the service is given, can
//! tell an administrator's key from any other that opens key files.

use std::collections::BTreeSet;

use backup_model::{Code, EpochFiles, Failure, WrappedKey};
use secrecy::SecretString;

use crate::{
    EpochError, OpensKeyFiles, Recipient,
    administrator::AdministratorIdentity,
    epoch::{identity_text, open_epoch_key},
};

/// Opens one key file of each epoch, of those that `may_open` lets through: a passphrase takes a
/// second for each file, and a key in hardware a touch. Epochs that the key does not open are left
/// out.
pub fn unwrap(
    epochs: &[EpochFiles],
    key: &dyn OpensKeyFiles,
    may_open: impl Fn(&WrappedKey) -> bool,
) -> Result<Vec<SecretString>, Failure> {
    let mut identities = Vec::new();
    let mut done = BTreeSet::new();
    for epoch in epochs {
        if done.contains(&epoch.recipient) {
            continue;
        }
        let expected: Recipient = epoch
            .recipient
            .parse()
            .map_err(|error| Failure::from_error(Code::RepositoryDamaged, &error))?;
        for file in epoch.files.iter().filter(|file| may_open(file)) {
            match open_epoch_key(&file.bytes, key, &expected) {
                Ok(identity) => {
                    identities.push(identity_text(epoch.epoch, &identity));
                    done.insert(&epoch.recipient);
                    break;
                }
                Err(EpochError::NoMatch | EpochError::WrongPassphrase) => {}
                Err(error) => return Err(failed(file, &error)),
            }
        }
    }
    Ok(identities)
}

impl AdministratorIdentity {
    /// The texts of the identities that this key opens, of those that are encrypted to it.
    pub fn unwrap(&self, epochs: &[EpochFiles]) -> Result<Vec<SecretString>, Failure> {
        let (kind, recipient) = (self.kind().to_string(), self.recipient());
        let may_open = |file: &WrappedKey| {
            file.kind == kind && (recipient.is_none() || file.recipient == recipient)
        };
        unwrap(epochs, self, may_open)
    }
}

fn failed(file: &WrappedKey, error: &EpochError) -> Failure {
    let code = match error {
        EpochError::Plugin(_) => Code::Failed,
        _ => Code::RepositoryDamaged,
    };
    let why = Failure::from_error(code, error);
    Failure {
        causes: [vec![why.message], why.causes].concat(),
        ..Failure::new(code, format!("could not open {}", file.object))
    }
}
