//! Whether a kit belongs to a repository, and its key to the kit.

use backup_model::{JobName, RepositoryId};
use secrecy::ExposeSecret as _;

use super::{Kit, KitKey};
use crate::{
    PublicKey, RepositoryRecord, TrustRecord,
    administrator::{Access, AdministratorIdentity, AtLine, IdentityError},
};

/// How a kit and a repository differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KitMismatch {
    /// Another repository.
    #[error("the kit is of repository {kit}, this is {found}")]
    Repository {
        /// The kit's.
        kit: RepositoryId,
        /// What is there.
        found: RepositoryId,
    },
    /// Another root key.
    #[error("the kit says that {kit} signs the repository, which names {found}")]
    Root {
        /// The kit's.
        kit: PublicKey,
        /// What is there.
        found: PublicKey,
    },
    /// Its administrator is none.
    #[error("`{0}`, whose key the kit has, is no administrator of the repository (any more)")]
    NoAdministrator(JobName),
    /// Its administrator has another key.
    #[error("`{0}` has another key in the repository than in the kit")]
    OtherKey(JobName),
    /// It names an epoch that is not there.
    #[error("the kit opens epoch {0}, which the repository does not have: it was rolled back")]
    NoEpoch(u64),
    /// It names another recipient for an epoch.
    #[error("epoch {0} has another recipient in the repository than in the kit")]
    OtherEpoch(u64),
    /// The current epoch is not for its key.
    #[error("the kit's key does not open epoch {0}, which backups are made in now")]
    LeftOut(u64),
}

/// Why a kit gives no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KitKeyError {
    /// It is elsewhere.
    #[error("the kit does not hold its key, but says where it lies")]
    Elsewhere,
    /// It is no identity. The line is that of the key's own text.
    #[error("the key in the kit is no identity")]
    Identity(#[source] AtLine<IdentityError>),
    /// It belongs to another recipient.
    #[error("the key in the kit is of {found}, the kit says {expected}")]
    Other {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
}

impl Kit {
    /// Whether it belongs to a repository and opens what is backed up now.
    pub fn matches(
        &self,
        repository: &RepositoryRecord,
        trust: &TrustRecord,
    ) -> Result<(), KitMismatch> {
        if self.repository != repository.repository {
            return Err(KitMismatch::Repository {
                kit: self.repository,
                found: repository.repository,
            });
        }
        if self.root != repository.root {
            return Err(KitMismatch::Root {
                kit: self.root.clone(),
                found: repository.root.clone(),
            });
        }
        for (number, recipient) in &self.opens {
            match trust.epoch(*number) {
                None => return Err(KitMismatch::NoEpoch(*number)),
                Some(epoch) if epoch.recipient != *recipient => {
                    return Err(KitMismatch::OtherEpoch(*number));
                }
                Some(_) => {}
            }
        }
        let name = &self.administrator;
        let administrator = trust
            .administrator(name)
            .ok_or_else(|| KitMismatch::NoAdministrator(name.clone()))?;
        if (administrator.kind, &administrator.recipient) != (self.kind, &self.recipient) {
            return Err(KitMismatch::OtherKey(name.clone()));
        }
        match trust.current_epoch() {
            Some(epoch) if !epoch.opened_by(name) => Err(KitMismatch::LeftOut(epoch.number)),
            _ => Ok(()),
        }
    }

    /// Its key, ready to open key files.
    pub fn identity(&self, access: &Access) -> Result<AdministratorIdentity, KitKeyError> {
        let KitKey::Here(text) = &self.key else {
            return Err(KitKeyError::Elsewhere);
        };
        let identity = AdministratorIdentity::read(text.expose_secret().as_bytes(), access)
            .map_err(KitKeyError::Identity)?;
        match (identity.recipient(), &self.recipient) {
            (Some(found), Some(expected)) if found != *expected => Err(KitKeyError::Other {
                found,
                expected: expected.clone(),
            }),
            _ => Ok(identity),
        }
    }
}
