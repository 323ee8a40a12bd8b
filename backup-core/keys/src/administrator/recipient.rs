//! From the text of a recipient to what trust says of an administrator, and to key files.

use std::{collections::BTreeSet, fmt};

use age::ssh::ParseRecipientKeyError;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Access, AtLine, PluginError, at_line::said, plugin};
use crate::{
    AdministratorKind, EpochError, Identity, Recipient, TextFault, bech32_text,
    epoch::{encrypt_with, identity_text},
};

/// age's work factor for passphrases: about a second, 256 MiB. Fixed, so that a file does not show
/// how fast the machine was that wrote it.
const WORK_FACTOR: u8 = 18;

/// Why a text is no recipient of an administrator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipientError {
    /// Nothing but blanks and comments.
    #[error("no recipient in it")]
    Empty,
    /// It begins with a byte order mark, or holds NUL.
    #[error("not plain text: it begins with a byte order mark or is UTF-16")]
    NotPlain,
    /// More than one line with a recipient.
    #[error("more than one recipient; each administrator has one key")]
    Several,
    /// An identity, which is secret.
    #[error("this is an identity (a secret key); a recipient, its public key, is needed")]
    Identity,
    /// A private SSH key.
    #[error("this is a private SSH key; its public key, `ssh-…`, is needed")]
    PrivateSsh,
    /// A signing key.
    #[error("this is a minisign key, which signs; an age or SSH key is needed")]
    SigningKey,
    /// An age recipient that is not well written.
    #[error("not a recipient (age1…): {0}")]
    Text(TextFault),
    /// A kind of age recipient that this program does not know.
    #[error("a post-quantum recipient (age1pq1…), which this version cannot encrypt to")]
    PostQuantum,
    /// The name of its plugin is not one.
    #[error("the name of its plugin has characters that a program's name must not have")]
    PluginName,
    /// An SSH key in hardware.
    #[error("an SSH key in hardware (`{0}`), which can sign but not decrypt")]
    HardwareSsh(String),
    /// An SSH key of a kind that cannot decrypt.
    #[error("an SSH key of kind `{0}`; only ssh-ed25519 and ssh-rsa can be encrypted to")]
    SshKind(String),
    /// An RSA key outside of what age takes.
    #[error("an RSA key of {0} bits; 2048 to 4096 are taken")]
    RsaBits(&'static str),
    /// Not a well-formed public SSH key.
    #[error("not a public SSH key: its base64 is cut or damaged")]
    Ssh,
    /// None of these.
    #[error("not a recipient: neither age1… nor an SSH public key")]
    Unknown,
    /// An empty passphrase.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// One recipient twice.
    #[error("the same recipient comes twice: {0}")]
    Twice(String),
    /// A passphrase beside others.
    #[error("age does not let a passphrase stand beside other recipients")]
    PassphraseAmongOthers,
    /// A post-quantum key beside others.
    #[error("age does not let post-quantum recipients stand beside others, which would undo them")]
    PostQuantumAmongOthers,
}

enum Kind {
    X25519(Recipient),
    Ssh(age::ssh::Recipient),
    Tag(age::tag::Recipient),
    TagPq(Box<age::tagpq::Recipient>),
    Plugin(String),
    Passphrase(SecretString),
}

/// What an administrator's key files are encrypted to.
pub struct AdministratorRecipient {
    kind: Kind,
    text: Option<String>,
}

impl fmt::Debug for AdministratorRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.as_deref().unwrap_or("a passphrase");
        write!(f, "AdministratorRecipient({text})")
    }
}

impl From<Recipient> for AdministratorRecipient {
    fn from(recipient: Recipient) -> Self {
        Self {
            text: Some(recipient.to_string()),
            kind: Kind::X25519(recipient),
        }
    }
}

impl AdministratorRecipient {
    /// A passphrase. Whoever knows it opens the epochs, with whatever copy of the key file.
    pub fn passphrase(passphrase: SecretString) -> Result<Self, RecipientError> {
        if passphrase.expose_secret().is_empty() {
            return Err(RecipientError::EmptyPassphrase);
        }
        Ok(Self {
            kind: Kind::Passphrase(passphrase),
            text: None,
        })
    }

    /// Reads one recipient; blank lines and lines with `#` around it are left out.
    pub fn parse(text: &str) -> Result<Self, AtLine<RecipientError>> {
        let whole = AtLine::at(1);
        if text.starts_with('\u{feff}') || text.contains('\0') {
            return Err(whole(RecipientError::NotPlain));
        }
        let mut lines = said(text);
        let (at, line) = lines.next().ok_or_else(|| whole(RecipientError::Empty))?;
        if line.starts_with("-----BEGIN ") {
            return Err(AtLine::at(at)(RecipientError::PrivateSsh));
        }
        if let Some((second, _)) = lines.next() {
            return Err(AtLine::at(second)(RecipientError::Several));
        }
        Self::of_line(line).map_err(AtLine::at(at))
    }

    fn of_line(line: &str) -> Result<Self, RecipientError> {
        let head = line.get(..11).unwrap_or(line).to_ascii_lowercase();
        if head.starts_with("age-secret-") || head.starts_with("age-plugin-") {
            Err(RecipientError::Identity)
        } else if crate::age_key::is_signing_key(line) {
            Err(RecipientError::SigningKey)
        } else if head.starts_with("age1") {
            Self::of_age(line)
        } else {
            Self::of_ssh(line)
        }
    }

    fn of_age(line: &str) -> Result<Self, RecipientError> {
        let prefix = bech32_text::prefix(line).map_err(RecipientError::Text)?;
        let text = line.to_ascii_lowercase();
        let value = RecipientError::Text(TextFault::Value);
        let kind = match prefix.as_str() {
            "age" => Kind::X25519(text.parse().map_err(|_| value)?),
            "age1tag" => Kind::Tag(text.parse().map_err(|_| value)?),
            "age1tagpq" => Kind::TagPq(Box::new(text.parse().map_err(|_| value)?)),
            "age1pq" => return Err(RecipientError::PostQuantum),
            plugin => {
                let name = plugin.strip_prefix("age1").ok_or(RecipientError::Unknown)?;
                if !plugin::is_name(name) {
                    return Err(RecipientError::PluginName);
                }
                Kind::Plugin(name.to_owned())
            }
        };
        Ok(Self {
            kind,
            text: Some(text),
        })
    }

    fn of_ssh(line: &str) -> Result<Self, RecipientError> {
        let mut words = line.split_ascii_whitespace();
        let (algorithm, key) = (words.next().unwrap_or_default(), words.next());
        match algorithm {
            "ssh-ed25519" | "ssh-rsa" => {}
            kind if kind.starts_with("sk-") => {
                return Err(RecipientError::HardwareSsh(cut(kind)));
            }
            kind if kind.starts_with("ecdsa-sha2-") || kind.starts_with("ssh-") => {
                return Err(RecipientError::SshKind(cut(kind)));
            }
            _ => return Err(RecipientError::Unknown),
        }
        let text = format!("{algorithm} {}", key.ok_or(RecipientError::Ssh)?);
        let recipient: age::ssh::Recipient = text.parse().map_err(|error| match error {
            ParseRecipientKeyError::RsaModulusTooLarge => RecipientError::RsaBits("more than 4096"),
            ParseRecipientKeyError::RsaModulusTooSmall => RecipientError::RsaBits("less than 2048"),
            ParseRecipientKeyError::Unsupported(kind) => RecipientError::SshKind(cut(&kind)),
            _ => RecipientError::Ssh,
        })?;
        // What age understood is what trust will name.
        if recipient.to_string() != text {
            return Err(RecipientError::Ssh);
        }
        Ok(Self {
            kind: Kind::Ssh(recipient),
            text: Some(text),
        })
    }

    /// What trust calls it. Keys in hardware that age encrypts to by itself are opened by plugins.
    pub fn kind(&self) -> AdministratorKind {
        match self.kind {
            Kind::X25519(_) => AdministratorKind::X25519,
            Kind::Ssh(_) => AdministratorKind::Ssh,
            Kind::Tag(_) | Kind::TagPq(_) | Kind::Plugin(_) => AdministratorKind::Plugin,
            Kind::Passphrase(_) => AdministratorKind::Passphrase,
        }
    }

    /// The recipient in its one spelling, for trust; none for a passphrase.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The plugin that has to run, if any.
    pub fn plugin(&self) -> Option<&str> {
        match &self.kind {
            Kind::Plugin(name) => Some(name),
            Kind::X25519(_)
            | Kind::Ssh(_)
            | Kind::Tag(_)
            | Kind::TagPq(_)
            | Kind::Passphrase(_) => None,
        }
    }

    /// The key file of an epoch for this administrator.
    pub fn wrap_epoch_key(
        &self,
        number: u64,
        epoch: &Identity,
        access: &Access,
    ) -> Result<Vec<u8>, EpochError> {
        let text = identity_text(number, epoch);
        let plain = text.expose_secret().as_bytes();
        match &self.kind {
            Kind::X25519(recipient) => encrypt_with(plain, recipient.as_age()),
            Kind::Ssh(recipient) => encrypt_with(plain, recipient),
            Kind::Tag(recipient) => encrypt_with(plain, recipient),
            Kind::TagPq(recipient) => encrypt_with(plain, &**recipient),
            Kind::Passphrase(passphrase) => {
                let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
                recipient.set_work_factor(WORK_FACTOR);
                encrypt_with(plain, &recipient)
            }
            Kind::Plugin(name) => {
                let text = self.text.as_deref().unwrap_or_default();
                let program = access.plugins().find(name).map_err(EpochError::Plugin)?;
                let recipient = plugin::PluginRecipient::new(program, text, access);
                encrypt_with(plain, &recipient)
            }
        }
    }

    /// Whether its key files can be made here, before anything is stored.
    pub fn check_plugin(&self, access: &Access) -> Result<(), PluginError> {
        self.plugin()
            .map_or(Ok(()), |name| access.plugins().find(name).map(drop))
    }
}

/// Whether recipients that are given together may be: no one twice, no passphrase among others and
/// no post-quantum key among those that are not, which age forbids. What a plugin's recipient is
/// only the plugin knows, and age asks it.
pub fn check_together(recipients: &[AdministratorRecipient]) -> Result<(), RecipientError> {
    let mut seen = BTreeSet::new();
    for recipient in recipients {
        match recipient.text() {
            None if recipients.len() > 1 => return Err(RecipientError::PassphraseAmongOthers),
            Some(text) if !seen.insert(text) => return Err(RecipientError::Twice(text.to_owned())),
            None | Some(_) => {}
        }
    }
    let post_quantum = |recipient: &AdministratorRecipient| match recipient.kind {
        Kind::TagPq(_) => Some(true),
        Kind::Plugin(_) => None,
        Kind::X25519(_) | Kind::Ssh(_) | Kind::Tag(_) | Kind::Passphrase(_) => Some(false),
    };
    let kinds: BTreeSet<_> = recipients.iter().filter_map(post_quantum).collect();
    if kinds.len() > 1 {
        return Err(RecipientError::PostQuantumAmongOthers);
    }
    Ok(())
}

/// A kind is shown as it was typed, but not without end.
fn cut(kind: &str) -> String {
    kind.chars()
        .filter(char::is_ascii_graphic)
        .take(60)
        .collect()
}
