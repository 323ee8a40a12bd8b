//! Key files that were opened elsewhere.
//!
//! Who reads the data has the identities of epochs, and not the administrator's key that they were
//! unwrapped with. Which key files count is asked of trust all the same.

use std::collections::BTreeMap;

use backup_model::Digest;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{AgeKeyError, EpochError, Identity, OpensKeyFiles, TrustRecord, epoch::identity_text};

/// The key files of the epochs whose identities are at hand. Shows nothing of them.
pub struct OpenedKeyFiles {
    name: String,
    files: BTreeMap<Digest, SecretString>,
}

impl std::fmt::Debug for OpenedKeyFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedKeyFiles({} by {})", self.files.len(), self.name)
    }
}

impl OpenedKeyFiles {
    /// What these identities stand for in these repositories; `name` is of the key that they were
    /// unwrapped with.
    pub fn of(
        name: &str,
        identities: &[SecretString],
        trusts: &[&TrustRecord],
    ) -> Result<Self, AgeKeyError> {
        let identities = identities.iter().map(Identity::from_file_text);
        let identities: Vec<Identity> = identities.collect::<Result<_, _>>()?;
        let mut files = BTreeMap::new();
        for epoch in trusts.iter().flat_map(|trust| &trust.epochs) {
            let mut all = identities.iter();
            let own = all.find(|own| own.recipient().to_string() == epoch.recipient);
            let Some(own) = own else { continue };
            let listed = epoch.keys.iter();
            files.extend(listed.map(|file| (file.sha256, identity_text(epoch.number, own))));
        }
        Ok(Self {
            name: name.to_owned(),
            files,
        })
    }
}

impl OpensKeyFiles for OpenedKeyFiles {
    fn open_key_file(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, EpochError> {
        let digest = Digest(Sha256::digest(file).into());
        let text = self.files.get(&digest).ok_or(EpochError::NoMatch)?;
        Ok(Zeroizing::new(text.expose_secret().as_bytes().to_vec()))
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use backup_model::RepositoryId;

    use super::*;
    use crate::{NewEpoch, open_epoch_key};

    fn opened(identity: &Identity, file: &[u8], number: u64) -> OpenedKeyFiles {
        let text = identity_text(number, identity);
        let files = BTreeMap::from([(Digest(Sha256::digest(file).into()), text)]);
        let name = "age1…".to_owned();
        OpenedKeyFiles { name, files }
    }

    #[test]
    fn a_key_file_that_was_opened_gives_its_epoch_and_no_other_file_does() {
        let admin = Identity::generate();
        let [one, two] = [1, 2].map(|n| NewEpoch::generate(RepositoryId([1; 16]), n).unwrap());
        let file = one.wrap_for(&admin.recipient()).unwrap();
        let other = one.wrap_for(&admin.recipient()).unwrap();
        let keys = opened(one.identity(), &file, 1);
        let identity = open_epoch_key(&file, &keys, &one.recipient).unwrap();
        assert_eq!(identity.recipient(), one.recipient);
        let no_match = |file: &[u8]| {
            let opened = open_epoch_key(file, &keys, &one.recipient);
            matches!(opened, Err(EpochError::NoMatch))
        };
        assert!(no_match(&other) && no_match(&file[1..]));
        // What was handed over is not believed for another epoch.
        assert!(matches!(
            open_epoch_key(&file, &keys, &two.recipient),
            Err(EpochError::OtherIdentity { .. })
        ));
        assert!(!format!("{keys:?}").contains("SECRET"));
    }
}
