//! From an administrator's identity file to something that opens key files.
//!
//! What is encrypted is decrypted once, when it is read: the passphrase is asked for where a person
//! sits, and everything later runs without one.

use std::{
    fmt,
    io::{BufReader, Read as _},
    path::PathBuf,
};

use age::{armor::ArmoredReader, ssh::UnsupportedKey};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::{Access, AtLine, PluginError, Question, at_line::said, plugin};
use crate::{
    AdministratorKind, EpochError, Identity, OpensKeyFiles, TextFault, bech32_text,
    epoch::decrypt_with,
};

/// Work for a passphrase that is still done: four times what we ask for.
const MAX_WORK_FACTOR: u8 = 20;
/// An identity file inside an encrypted one is not longer.
const MAX_PLAIN: u64 = 64 * 1024;

/// Why a file is no identity of an administrator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Nothing but blanks and comments.
    #[error("no identity in it")]
    Empty,
    /// It begins with a byte order mark, or is not UTF-8.
    #[error("not plain text: it begins with a byte order mark, is UTF-16, or no text at all")]
    NotPlain,
    /// More than one identity.
    #[error("more than one identity in it")]
    Several,
    /// A recipient, which opens nothing.
    #[error("this is a recipient (a public key); the identity that belongs to it is needed")]
    Recipient,
    /// A signing key.
    #[error("this is a minisign key, which signs; an age or SSH key is needed")]
    SigningKey,
    /// An identity that is not well written.
    #[error("not an identity ({0}): {1}")]
    Text(&'static str, TextFault),
    /// A kind of identity that this program does not know.
    #[error("a post-quantum identity (AGE-SECRET-KEY-PQ-…), which this version cannot use")]
    PostQuantum,
    /// The plugin of it cannot run.
    #[error("its plugin cannot run")]
    Plugin(#[source] PluginError),
    /// An SSH key in hardware.
    #[error("an SSH key in hardware (`{0}`), which can sign but not decrypt")]
    HardwareSsh(String),
    /// An SSH key of a kind that cannot decrypt.
    #[error("a private key of kind `{0}`; only ssh-ed25519 and ssh-rsa can decrypt")]
    SshKind(String),
    /// An SSH key that is encrypted in a way that age does not read.
    #[error("an SSH key in the old encrypted form, or with a cipher that is not read: {0}")]
    SshCipher(String),
    /// Not a well-formed private SSH key.
    #[error("not a private SSH key: it is cut or damaged")]
    Ssh,
    /// An age file, but not one with a passphrase.
    #[error("an age file that is encrypted to a key, not to a passphrase")]
    NotForPassphrase,
    /// An age file that is cut or damaged.
    #[error("an encrypted identity file that is cut or damaged")]
    Damaged,
    /// Nobody to ask for the passphrase.
    #[error("it is protected by a passphrase, and nobody gave one")]
    NeedsPassphrase,
    /// Another passphrase.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Its passphrase would need too much work.
    #[error("its passphrase needs too much work: 2^{0}, at most 2^{MAX_WORK_FACTOR} is done")]
    TooMuchWork(u8),
    /// None of these.
    #[error("not an identity: neither AGE-SECRET-KEY-1…, AGE-PLUGIN-… nor a private SSH key")]
    Unknown,
    /// An empty passphrase.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
}

enum Kind {
    X25519(Identity),
    Ssh(Box<age::ssh::Identity>, String),
    Plugin {
        program: PathBuf,
        text: SecretString,
    },
    Passphrase(SecretString),
}

/// An administrator's key, ready to open key files. Shows nothing of itself.
pub struct AdministratorIdentity {
    kind: Kind,
    access: Access,
}

impl fmt::Debug for AdministratorIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AdministratorIdentity(of {})", self.name())
    }
}

impl From<Identity> for AdministratorIdentity {
    fn from(identity: Identity) -> Self {
        Self {
            kind: Kind::X25519(identity),
            access: Access::none(),
        }
    }
}

impl AdministratorIdentity {
    /// A passphrase.
    pub fn passphrase(passphrase: SecretString) -> Result<Self, IdentityError> {
        if passphrase.expose_secret().is_empty() {
            return Err(IdentityError::EmptyPassphrase);
        }
        Ok(Self {
            kind: Kind::Passphrase(passphrase),
            access: Access::none(),
        })
    }

    /// Reads an identity file: age's own, one that is encrypted with a passphrase, or a private
    /// SSH key.
    pub fn read(file: &[u8], access: &Access) -> Result<Self, AtLine<IdentityError>> {
        let whole = AtLine::at(1);
        let armored = file.trim_ascii_start().starts_with(b"-----BEGIN AGE ");
        if armored || file.starts_with(b"age-encryption.org/") {
            let plain = decrypt_file(file, access).map_err(&whole)?;
            return Self::read_text(text_of(&plain).map_err(whole)?, access);
        }
        Self::read_text(text_of(file).map_err(whole)?, access)
    }

    fn read_text(text: &str, access: &Access) -> Result<Self, AtLine<IdentityError>> {
        let mut lines = said(text);
        let first = lines.next();
        let (at, line) = first.ok_or_else(|| AtLine::at(1)(IdentityError::Empty))?;
        let kind = if line.starts_with("-----BEGIN ") {
            ssh(text, access)
        } else if line.starts_with("untrusted comment:") || crate::age_key::is_signing_key(line) {
            Err(IdentityError::SigningKey)
        } else if let Some((second, _)) = lines.next() {
            return Err(AtLine::at(second)(IdentityError::Several));
        } else {
            of_age(line, access)
        };
        Ok(Self {
            kind: kind.map_err(AtLine::at(at))?,
            access: access.clone(),
        })
    }

    /// What trust calls it.
    pub fn kind(&self) -> AdministratorKind {
        match self.kind {
            Kind::X25519(_) => AdministratorKind::X25519,
            Kind::Ssh(..) => AdministratorKind::Ssh,
            Kind::Plugin { .. } => AdministratorKind::Plugin,
            Kind::Passphrase(_) => AdministratorKind::Passphrase,
        }
    }

    /// The recipient that belongs to it, if it says: plugins and passphrases do not.
    pub fn recipient(&self) -> Option<String> {
        match &self.kind {
            Kind::X25519(identity) => Some(identity.recipient().to_string()),
            Kind::Ssh(_, recipient) => Some(recipient.clone()),
            Kind::Plugin { .. } | Kind::Passphrase(_) => None,
        }
    }
}

impl OpensKeyFiles for AdministratorIdentity {
    fn open_key_file(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, EpochError> {
        match &self.kind {
            Kind::X25519(identity) => identity.open_key_file(file),
            Kind::Ssh(identity, _) => decrypt_with(file, &**identity),
            Kind::Plugin { program, text } => decrypt_with(
                file,
                &plugin::PluginIdentity {
                    program,
                    text: text.expose_secret(),
                    access: &self.access,
                },
            ),
            Kind::Passphrase(passphrase) => {
                let mut identity = age::scrypt::Identity::new(passphrase.clone());
                identity.set_max_work_factor(MAX_WORK_FACTOR);
                decrypt_with(file, &identity).map_err(|error| match error {
                    EpochError::Decrypt(age::DecryptError::DecryptionFailed) => {
                        EpochError::WrongPassphrase
                    }
                    other => other,
                })
            }
        }
    }

    fn name(&self) -> String {
        let name = match self.kind() {
            AdministratorKind::Passphrase => "a passphrase",
            _ => "a plugin's key",
        };
        self.recipient().unwrap_or_else(|| name.to_owned())
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, IdentityError> {
    let text = std::str::from_utf8(bytes).map_err(|_| IdentityError::NotPlain)?;
    if text.starts_with('\u{feff}') || text.contains('\0') {
        return Err(IdentityError::NotPlain);
    }
    Ok(text)
}

fn of_age(line: &str, access: &Access) -> Result<Kind, IdentityError> {
    let small = Zeroizing::new(line.to_ascii_lowercase());
    if small.starts_with("age-secret-key-pq-") {
        Err(IdentityError::PostQuantum)
    } else if small.starts_with("age-secret-key-") {
        const WHAT: &str = "AGE-SECRET-KEY-1…";
        let fault = |fault| IdentityError::Text(WHAT, fault);
        if bech32_text::prefix(line).map_err(fault)? != "age-secret-key-" {
            return Err(fault(TextFault::Checksum));
        }
        let text = SecretString::from(line.to_ascii_uppercase());
        Identity::from_file_text(&text)
            .map(Kind::X25519)
            .map_err(|_| fault(TextFault::Value))
    } else if small.starts_with("age-plugin-") {
        let fault = |fault| IdentityError::Text("AGE-PLUGIN-…", fault);
        let prefix = bech32_text::prefix(line).map_err(fault)?;
        let name = prefix.strip_prefix("age-plugin-").unwrap_or_default();
        let name = name.strip_suffix('-').unwrap_or_default();
        let program = access.plugins().find(name).map_err(IdentityError::Plugin)?;
        let text = SecretString::from(line.to_ascii_uppercase());
        Ok(Kind::Plugin { program, text })
    } else if small.starts_with("age1")
        || ["ssh-", "ecdsa-", "sk-"]
            .iter()
            .any(|p| small.starts_with(p))
    {
        Err(IdentityError::Recipient)
    } else {
        Err(IdentityError::Unknown)
    }
}

fn ssh(text: &str, access: &Access) -> Result<Kind, IdentityError> {
    // Comments may stand before it, as in age's own files.
    let begin = text.find("-----BEGIN ").unwrap_or_default();
    let text = Zeroizing::new(text[begin..].trim().replace("\r\n", "\n"));
    let label = text.lines().next().unwrap_or_default();
    if ![
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----",
    ]
    .contains(&label)
    {
        let kind = label
            .trim_start_matches("-----BEGIN ")
            .trim_end_matches('-');
        return Err(IdentityError::SshKind(kind.chars().take(60).collect()));
    }
    let ending = label.replacen("BEGIN", "END", 1);
    let rest = text.split_once(&ending).ok_or(IdentityError::Ssh)?.1;
    if !rest.trim().is_empty() {
        return Err(IdentityError::Several);
    }
    let read = age::ssh::Identity::from_buffer(BufReader::new(text.as_bytes()), None)
        .map_err(|_| IdentityError::Ssh)?;
    let identity = match read {
        age::ssh::Identity::Unencrypted(_) => read,
        age::ssh::Identity::Encrypted(encrypted) => {
            let passphrase = passphrase(access, &Question::SshKey)?;
            let key = encrypted
                .decrypt(passphrase)
                .map_err(|_| IdentityError::WrongPassphrase)?;
            age::ssh::Identity::from(key)
        }
        age::ssh::Identity::Unsupported(key) => return Err(unsupported(key)),
    };
    let recipient =
        age::ssh::Recipient::try_from(identity.clone()).map_err(|_| IdentityError::Ssh)?;
    Ok(Kind::Ssh(Box::new(identity), recipient.to_string()))
}

fn unsupported(key: UnsupportedKey) -> IdentityError {
    match key {
        UnsupportedKey::EncryptedPem => IdentityError::SshCipher("PEM".to_owned()),
        UnsupportedKey::EncryptedSsh(cipher) => IdentityError::SshCipher(cipher),
        UnsupportedKey::Hardware(kind) => IdentityError::HardwareSsh(kind),
        UnsupportedKey::Type(kind) if kind.starts_with("sk-") => IdentityError::HardwareSsh(kind),
        UnsupportedKey::Type(kind) => IdentityError::SshKind(kind),
    }
}

fn passphrase(access: &Access, question: &Question) -> Result<SecretString, IdentityError> {
    access
        .ask()
        .and_then(|person| person.secret(question))
        .ok_or(IdentityError::NeedsPassphrase)
}

/// An identity file that is itself an age file, in binary or in armor.
fn decrypt_file(file: &[u8], access: &Access) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let reader = ArmoredReader::new(BufReader::new(file));
    let decryptor = age::Decryptor::new_buffered(reader).map_err(|_| IdentityError::Damaged)?;
    if !decryptor.is_scrypt() {
        return Err(IdentityError::NotForPassphrase);
    }
    let secret = passphrase(access, &Question::IdentityFile)?;
    let mut identity = age::scrypt::Identity::new(secret);
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    let reader = decryptor
        .decrypt(std::iter::once(&identity as &dyn age::Identity))
        .map_err(|error| match error {
            age::DecryptError::ExcessiveWork { required, .. } => {
                IdentityError::TooMuchWork(required)
            }
            age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => {
                IdentityError::WrongPassphrase
            }
            _ => IdentityError::Damaged,
        })?;
    let mut plain = Zeroizing::new(Vec::with_capacity(4096));
    reader
        .take(MAX_PLAIN)
        .read_to_end(&mut plain)
        .map_err(|_| IdentityError::Damaged)?;
    Ok(plain)
}
