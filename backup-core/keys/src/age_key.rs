//! Age identities and recipients, in age's own text forms.

use std::{fmt, str::FromStr};

use secrecy::{ExposeSecret as _, SecretString};

/// Why a text is not the age key that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgeKeyError {
    /// A recipient stands where an identity belongs.
    #[error("this is a recipient (a public key); the identity that belongs to it is needed")]
    RecipientNotIdentity,
    /// An identity stands where a recipient belongs.
    #[error("this is an identity (a secret key); a recipient, its public key, is needed")]
    IdentityNotRecipient,
    /// A signing key stands where an age key belongs.
    #[error("this is a minisign key, which signs; an age key is needed")]
    SigningKey,
    /// None of these.
    #[error("not an age {0}")]
    Unreadable(&'static str),
    /// No key in it at all.
    #[error("no age identity in it")]
    Empty,
}

/// An age X25519 recipient: encrypts, opens nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(age::x25519::Recipient);

impl Recipient {
    /// The recipient for the `age` crate.
    pub fn as_age(&self) -> &(dyn age::Recipient + Send + Sync) {
        &self.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Recipient {
    type Err = AgeKeyError;

    fn from_str(text: &str) -> Result<Self, AgeKeyError> {
        let text = text.trim();
        if is_identity(text) {
            return Err(AgeKeyError::IdentityNotRecipient);
        }
        if is_signing_key(text) {
            return Err(AgeKeyError::SigningKey);
        }
        text.parse()
            .map(Self)
            .map_err(|_| AgeKeyError::Unreadable("recipient (age1…)"))
    }
}

/// An age X25519 identity. Shows nothing of itself.
#[derive(Clone)]
pub struct Identity(age::x25519::Identity);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(of {})", self.recipient())
    }
}

impl Identity {
    /// Makes a new identity.
    pub fn generate() -> Self {
        Self(age::x25519::Identity::generate())
    }

    /// Reads an age identity file: comments, empty lines, and one `AGE-SECRET-KEY-1…`.
    pub fn from_file_text(text: &SecretString) -> Result<Self, AgeKeyError> {
        let mut keys = text
            .expose_secret()
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let line = keys.next().ok_or(AgeKeyError::Empty)?;
        if line.starts_with("age1") {
            return Err(AgeKeyError::RecipientNotIdentity);
        }
        if line.starts_with("untrusted comment:") || is_signing_key(line) {
            return Err(AgeKeyError::SigningKey);
        }
        if keys.next().is_some() {
            return Err(AgeKeyError::Unreadable(
                "identity file with just one identity",
            ));
        }
        line.parse()
            .map(Self)
            .map_err(|_| AgeKeyError::Unreadable("identity (AGE-SECRET-KEY-1…)"))
    }

    /// The text of an age identity file.
    pub fn to_file_text(&self, comment: &str) -> SecretString {
        let secret = self.0.to_string();
        SecretString::from(format!(
            "# {comment}\n# public key: {}\n{}\n",
            self.recipient(),
            secret.expose_secret()
        ))
    }

    /// What encrypts to this identity.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    /// The identity for the `age` crate.
    pub fn as_age(&self) -> &(dyn age::Identity + Send + Sync) {
        &self.0
    }
}

fn is_identity(text: &str) -> bool {
    text.get(..15)
        .is_some_and(|head| head.eq_ignore_ascii_case("AGE-SECRET-KEY-"))
}

pub(crate) fn is_signing_key(text: &str) -> bool {
    text.len() == 56 && text.starts_with("RW")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_survives_its_file() {
        let identity = Identity::generate();
        let text = identity.to_file_text("administrator of a test");
        let again = Identity::from_file_text(&text).unwrap();
        assert_eq!(again.recipient(), identity.recipient());
        let recipient = identity.recipient().to_string();
        assert_eq!(
            recipient.parse::<Recipient>().unwrap(),
            identity.recipient()
        );
        assert!(!format!("{identity:?}").contains("SECRET"));
    }

    #[test]
    fn each_wrong_kind_of_key_is_called_by_its_name() {
        let identity = Identity::generate();
        let text = identity.to_file_text("x");
        let secret = text.expose_secret().lines().last().unwrap();
        let public = identity.recipient().to_string();
        let signing = crate::SecretKey::generate().unwrap().public().to_string();
        let as_identity = |text: &str| Identity::from_file_text(&text.to_owned().into()).err();
        assert_eq!(
            as_identity(&public),
            Some(AgeKeyError::RecipientNotIdentity)
        );
        assert_eq!(as_identity(&signing), Some(AgeKeyError::SigningKey));
        assert_eq!(as_identity("# nothing\n\n"), Some(AgeKeyError::Empty));
        assert!(matches!(
            as_identity("hello"),
            Some(AgeKeyError::Unreadable(_))
        ));
        let two = format!("{secret}\n{secret}\n");
        assert!(matches!(
            as_identity(&two),
            Some(AgeKeyError::Unreadable(_))
        ));
        let as_recipient = |text: &str| text.parse::<Recipient>().err();
        assert_eq!(
            as_recipient(secret),
            Some(AgeKeyError::IdentityNotRecipient)
        );
        assert_eq!(as_recipient(&signing), Some(AgeKeyError::SigningKey));
        assert!(matches!(
            as_recipient("age1xyz"),
            Some(AgeKeyError::Unreadable(_))
        ));
    }
}
