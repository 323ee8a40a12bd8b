//! Epochs: an age identity that data is encrypted to, wrapped for each administrator, with a
//! canary that proves who can open it.
//!
//! Everything here is small files of stock age; where they are stored is the caller's affair.

use std::io::{self, Read as _, Write as _};

use backup_model::{Digest, RepositoryId};
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{
    AgeKeyError, Identity, Recipient,
    administrator::{PluginError, plugin_error},
};

/// Key files and canaries are a few hundred bytes.
const MAX_PLAIN: u64 = 64 * 1024;

/// What goes wrong with the files of an epoch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EpochError {
    /// The identity does not open the file.
    #[error("the identity does not open it")]
    NoMatch,
    /// The file is not what age wrote.
    #[error("not a readable age file")]
    Decrypt(#[source] age::DecryptError),
    /// The file could not be encrypted.
    #[error("could not encrypt")]
    Encrypt(#[source] age::EncryptError),
    /// The plaintext could not be read or written.
    #[error("could not read it to its end")]
    Io(#[source] io::Error),
    /// The plaintext is not an age identity.
    #[error("it does not hold an age identity")]
    NotAnIdentity(#[source] AgeKeyError),
    /// It holds another identity than the trust record names.
    #[error("it holds the identity of {found}, not of {expected}")]
    OtherIdentity {
        /// The recipient of the identity inside.
        found: Recipient,
        /// The recipient that trust names.
        expected: Recipient,
    },
    /// The system gave no randomness.
    #[error("no random numbers from the system")]
    Random,
    /// Another passphrase, or a damaged file.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// Its passphrase would need too much work.
    #[error("its passphrase needs too much work: 2^{0}")]
    TooMuchWork(u8),
    /// It is encrypted to a passphrase and to something else, which age forbids.
    #[error("it is encrypted to a passphrase and to something else, which age forbids")]
    PassphraseAmongOthers,
    /// A plugin failed.
    #[error("its plugin failed")]
    Plugin(#[source] PluginError),
}

/// A key that opens key files. What it is made of, this crate's users need not know: a daemon only
/// ever has an [`Identity`].
pub trait OpensKeyFiles: std::fmt::Debug + Send + Sync {
    /// The plaintext of a key file.
    fn open_key_file(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, EpochError>;

    /// What to call the key where people read it.
    fn name(&self) -> String;
}

impl OpensKeyFiles for Identity {
    fn open_key_file(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, EpochError> {
        decrypt_with(file, self.as_age())
    }

    fn name(&self) -> String {
        self.recipient().to_string()
    }
}

/// A canary: an age file, and the digest of what it opens to.
#[derive(Clone, Debug)]
pub struct Canary {
    /// The age file.
    pub file: Vec<u8>,
    /// The digest of its plaintext.
    pub opens_to: Digest,
}

/// A new epoch before it is stored.
#[derive(Debug)]
pub struct NewEpoch {
    /// Its number.
    pub number: u64,
    /// What data will be encrypted to.
    pub recipient: Recipient,
    /// The canary.
    pub canary: Canary,
    identity: Identity,
}

impl NewEpoch {
    /// Makes an epoch's identity and canary.
    pub fn generate(repository: RepositoryId, number: u64) -> Result<Self, EpochError> {
        let identity = Identity::generate();
        let recipient = identity.recipient();
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|_| EpochError::Random)?;
        let line = format!(
            "backupd canary {repository} {number} {}\n",
            HEXLOWER.encode(&random)
        );
        let canary = Canary {
            file: encrypt_with(line.as_bytes(), recipient.as_age())?,
            opens_to: Digest(Sha256::digest(line.as_bytes()).into()),
        };
        Ok(Self {
            number,
            recipient,
            canary,
            identity,
        })
    }

    /// The key file for one administrator.
    pub fn wrap_for(&self, administrator: &Recipient) -> Result<Vec<u8>, EpochError> {
        let text = identity_text(self.number, &self.identity);
        encrypt_with(text.expose_secret().as_bytes(), administrator.as_age())
    }

    /// Its identity, to wrap it for administrators who have another kind of key.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }
}

/// What a key file holds.
pub(crate) fn identity_text(number: u64, identity: &Identity) -> SecretString {
    identity.to_file_text(&format!("backupd epoch {number}"))
}

/// Opens a key file and checks that the identity inside is the one that trust names.
pub fn open_epoch_key(
    file: &[u8],
    administrator: &(impl OpensKeyFiles + ?Sized),
    expected: &Recipient,
) -> Result<Identity, EpochError> {
    let text = administrator.open_key_file(file)?;
    let text = std::str::from_utf8(&text)
        .map(SecretString::from)
        .map_err(|_| EpochError::NotAnIdentity(AgeKeyError::Empty))?;
    let identity = Identity::from_file_text(&text).map_err(EpochError::NotAnIdentity)?;
    if identity.recipient() != *expected {
        return Err(EpochError::OtherIdentity {
            found: identity.recipient(),
            expected: expected.clone(),
        });
    }
    Ok(identity)
}

/// The digest of a canary's plaintext: only who opens the epoch can name it.
pub fn canary_digest(file: &[u8], epoch: &Identity) -> Result<Digest, EpochError> {
    Ok(Digest(
        Sha256::digest(&*decrypt_with(file, epoch.as_age())?).into(),
    ))
}

pub(crate) fn encrypt_with(
    plain: &[u8],
    recipient: &dyn age::Recipient,
) -> Result<Vec<u8>, EpochError> {
    let recipients = std::iter::once(recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(|error| match error {
        age::EncryptError::Io(error) => of_io(error),
        other => EpochError::Encrypt(other),
    })?;
    let write = || {
        let mut writer = encryptor.wrap_output(Vec::new())?;
        writer.write_all(plain)?;
        writer.finish()
    };
    write().map_err(EpochError::Io)
}

pub(crate) fn decrypt_with(
    file: &[u8],
    identity: &dyn age::Identity,
) -> Result<Zeroizing<Vec<u8>>, EpochError> {
    let classify = |error| match error {
        age::DecryptError::NoMatchingKeys => EpochError::NoMatch,
        age::DecryptError::ExcessiveWork { required, .. } => EpochError::TooMuchWork(required),
        age::DecryptError::Io(error) => of_io(error),
        other => EpochError::Decrypt(other),
    };
    if passphrase_among_others(file) {
        return Err(EpochError::PassphraseAmongOthers);
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(4096));
    age::Decryptor::new_buffered(file)
        .map_err(EpochError::Decrypt)?
        .decrypt(std::iter::once(identity))
        .map_err(classify)?
        .take(MAX_PLAIN)
        .read_to_end(&mut plain)
        .map_err(EpochError::Io)?;
    Ok(plain)
}

/// age calls such a header invalid and does not say why.
fn passphrase_among_others(file: &[u8]) -> bool {
    let lines = file.split(|&b| b == b'\n');
    let header = lines.take_while(|line| !line.starts_with(b"---"));
    let (mut stanzas, mut passphrases) = (0, 0);
    for line in header.filter(|line| line.starts_with(b"-> ")) {
        stanzas += 1;
        passphrases += usize::from(line.starts_with(b"-> scrypt "));
    }
    passphrases > 0 && stanzas > 1
}

fn of_io(error: io::Error) -> EpochError {
    plugin_error(&error).map_or(EpochError::Io(error), EpochError::Plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_administrator_opens_the_epoch_and_names_the_canary() {
        let admin = Identity::generate();
        let epoch = NewEpoch::generate(RepositoryId([1; 16]), 1).unwrap();
        let file = epoch.wrap_for(&admin.recipient()).unwrap();
        let identity = open_epoch_key(&file, &admin, &epoch.recipient).unwrap();
        assert_eq!(
            canary_digest(&epoch.canary.file, &identity).unwrap(),
            epoch.canary.opens_to
        );
    }

    #[test]
    fn a_stranger_opens_nothing_and_a_swapped_key_file_is_seen() {
        let (admin, stranger) = (Identity::generate(), Identity::generate());
        let epoch = NewEpoch::generate(RepositoryId([1; 16]), 1).unwrap();
        let other = NewEpoch::generate(RepositoryId([1; 16]), 2).unwrap();
        let file = epoch.wrap_for(&admin.recipient()).unwrap();
        assert!(matches!(
            open_epoch_key(&file, &stranger, &epoch.recipient),
            Err(EpochError::NoMatch)
        ));
        assert!(matches!(
            open_epoch_key(&file, &admin, &other.recipient),
            Err(EpochError::OtherIdentity { .. })
        ));
        for cut in 0..file.len() {
            assert!(open_epoch_key(&file[..cut], &admin, &epoch.recipient).is_err());
        }
    }
}
