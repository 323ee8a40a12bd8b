//! Signing keys: minisign's, in minisign's own file formats, so that the stock program reads them.

use std::{fmt, io::Cursor, str::FromStr};

use minisign::{KeyPair, SecretKeyBox, SignatureBox};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What goes wrong with signing keys and signatures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// Not a public key in minisign's base64.
    #[error("`{text}` is not a minisign public key: 56 characters of base64 that begin with RW")]
    NotAPublicKey {
        /// The text, cut.
        text: String,
    },
    /// Not an unencrypted minisign secret key file.
    #[error("not an unencrypted minisign secret key")]
    NotASecretKey,
    /// The system gave no randomness, or the key could not be used.
    #[error("could not use the signing key")]
    Unusable(#[source] minisign::PError),
    /// The signature does not hold.
    #[error("the signature does not hold")]
    BadSignature,
}

/// A key that checks signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(minisign::PublicKey);

impl PublicKey {
    /// The key id that minisign puts into each signature.
    pub fn key_id(&self) -> [u8; 8] {
        let mut id = [0; 8];
        for (to, from) in id.iter_mut().zip(self.0.keynum()) {
            *to = *from;
        }
        id
    }

    /// Checks a prehashed signature over `message`.
    pub(crate) fn verify(
        &self,
        message: &[u8],
        signature: &SignatureBox,
    ) -> Result<(), SigningError> {
        minisign::verify(&self.0, signature, Cursor::new(message), true, false, false)
            .map_err(|_| SigningError::BadSignature)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_base64())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = SigningError;

    fn from_str(text: &str) -> Result<Self, SigningError> {
        minisign::PublicKey::from_base64(text)
            .ok()
            .map(Self)
            .filter(|key| key.to_string() == text)
            .ok_or_else(|| SigningError::NotAPublicKey {
                text: text.chars().take(80).collect(),
            })
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// A key that signs. Shows nothing of itself.
pub struct SecretKey {
    secret: minisign::SecretKey,
    public: PublicKey,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public)
    }
}

impl SecretKey {
    /// Makes a new key.
    pub fn generate() -> Result<Self, SigningError> {
        let pair = KeyPair::generate_unencrypted_keypair().map_err(SigningError::Unusable)?;
        Ok(Self {
            secret: pair.sk,
            public: PublicKey(pair.pk),
        })
    }

    /// Reads the text of an unencrypted minisign secret key file.
    pub fn from_file_text(text: &SecretString) -> Result<Self, SigningError> {
        let secret = SecretKeyBox::from_string(text.expose_secret())
            .and_then(SecretKeyBox::into_unencrypted_secret_key)
            .map_err(|_| SigningError::NotASecretKey)?;
        let public =
            minisign::PublicKey::from_secret_key(&secret).map_err(SigningError::Unusable)?;
        Ok(Self {
            secret,
            public: PublicKey(public),
        })
    }

    /// The text of a minisign secret key file, unencrypted: for a file that only its owner reads.
    pub fn to_file_text(&self, comment: &str) -> Result<SecretString, SigningError> {
        let text = self
            .secret
            .to_box(Some(comment))
            .map_err(SigningError::Unusable)?
            .into_string();
        Ok(SecretString::from(text))
    }

    /// The key that checks what this one signs.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`, binding `trusted` to it.
    pub(crate) fn sign(
        &self,
        message: &[u8],
        trusted: &str,
        untrusted: &str,
    ) -> Result<String, SigningError> {
        minisign::sign(
            Some(&self.public.0),
            &self.secret,
            message,
            Some(trusted),
            Some(untrusted),
        )
        .map(SignatureBox::into_string)
        .map_err(SigningError::Unusable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text_forms() {
        let key = SecretKey::generate().unwrap();
        let text = key.to_file_text("writer of a test").unwrap();
        let again = SecretKey::from_file_text(&text).unwrap();
        assert_eq!(again.public(), key.public());
        let public = key.public().to_string();
        assert_eq!(public.len(), 56);
        assert_eq!(&public.parse::<PublicKey>().unwrap(), key.public());
        assert!(!format!("{key:?}").contains(text.expose_secret().lines().nth(1).unwrap()));
    }

    #[test]
    fn other_kinds_of_keys_are_refused() {
        for bad in ["", "RWQ", "age1qqqq", "AGE-SECRET-KEY-1QQQ"] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
        assert!(SecretKey::from_file_text(&SecretString::from("x\ny\n")).is_err());
    }
}
