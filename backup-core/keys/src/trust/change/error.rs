//! Why there is no change of trust to store.

use backup_model::{Code, JobName};

use crate::{EditError, EpochError, ProofError, PublicKey, RecordError, names};

/// Why there is no change of trust to store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The key is not the repository's root key.
    #[error("the key {found} is not the repository's root key, {expected}")]
    NotRoot {
        /// What was given.
        found: PublicKey,
        /// What signs trust here.
        expected: PublicKey,
    },
    /// The change makes no sense, or shuts somebody out.
    #[error("trust was not changed")]
    Refused(#[source] EditError),
    /// Something of an epoch that is not there yet.
    #[error(
        "{0}/ holds what a rotation left that broke off, or one that is under way; if nobody else \
         is rotating, delete that folder from the storage"
    )]
    LeftOver(String),
    /// A key file could not be made.
    #[error("could not make a key file of `{administrator}` for epoch {epoch}")]
    KeyFile {
        /// For whom.
        administrator: JobName,
        /// For which epoch.
        epoch: u64,
        /// Why.
        source: EpochError,
    },
    /// The identity opens no key file of the epoch.
    #[error("the identity ({identity}) opens no key of epoch {epoch}")]
    WrongIdentity {
        /// What the key calls itself.
        identity: String,
        /// The epoch.
        epoch: u64,
    },
    /// A key file or canary that trust lists.
    #[error("{0} is missing, or is not the file that trust names")]
    Missing(String),
    /// A key file or canary does not open.
    #[error("the key file {key} is not valid")]
    Unopened {
        /// Its name.
        key: String,
        /// Why.
        source: EpochError,
    },
    /// A record that is there, or would be, breaks a rule.
    #[error("the record {key} breaks a rule: {rule}")]
    Rule {
        /// Its name.
        key: String,
        /// Which.
        rule: String,
    },
    /// The next record cannot be made.
    #[error("the record {key} is not valid")]
    Record {
        /// Its name.
        key: String,
        /// Why.
        source: RecordError,
    },
}

impl ChangeError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotRoot { .. } => Code::NotTrusted,
            Self::Refused(_) | Self::LeftOver(_) => Code::TrustRefused,
            Self::KeyFile { .. } => Code::IdentityInvalid,
            Self::WrongIdentity { .. }
            | Self::Unopened {
                source: EpochError::WrongPassphrase,
                ..
            } => Code::WrongIdentity,
            Self::Unopened {
                source: EpochError::Plugin(_),
                ..
            } => Code::Failed,
            Self::Missing(_) => Code::Damaged,
            Self::Unopened { .. } | Self::Rule { .. } | Self::Record { .. } => {
                Code::RepositoryDamaged
            }
        }
    }

    pub(super) fn rule(key: String, rule: impl Into<String>) -> Self {
        Self::Rule {
            key,
            rule: rule.into(),
        }
    }

    /// That a key did not show to open an epoch with this key file.
    pub(super) fn unproven(error: ProofError, identity: String, epoch: u64, file: String) -> Self {
        let canary = names::canary(epoch);
        match error {
            ProofError::NoKeyFile(_) | ProofError::KeyFile(EpochError::NoMatch) => {
                Self::WrongIdentity { identity, epoch }
            }
            ProofError::KeyFile(source) => Self::Unopened { key: file, source },
            ProofError::Canary(source) => Self::Unopened {
                key: canary,
                source,
            },
            ProofError::OtherKeyFile => Self::Missing(file),
            ProofError::OtherCanary => Self::Missing(canary),
            ProofError::Recipient(_) => Self::rule(file, "its epoch's recipient is not one"),
            ProofError::CanaryText => {
                Self::rule(canary, "it opens to something else than trust names")
            }
        }
    }
}
