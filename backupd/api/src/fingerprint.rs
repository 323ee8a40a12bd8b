//! What a daemon on a network is known by: the SHA-256 of its public key.
//!
//! Of the key and not of the certificate, so that a renewed certificate is the same daemon.

use std::{fmt, str::FromStr};

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a public key, as certificates hold it: spelled `sha256//<base64>`, as curl's
/// `--pinnedpubkey` takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: sha256// and 44 characters of base64")]
pub struct InvalidFingerprint;

/// A certificate that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read")]
pub struct InvalidCertificate;

impl Fingerprint {
    /// That of a certificate's public key.
    pub fn of_certificate(der: &[u8]) -> Result<Self, InvalidCertificate> {
        let der = der.into();
        let certificate = webpki::EndEntityCert::try_from(&der).map_err(|_| InvalidCertificate)?;
        let key = certificate.subject_public_key_info();
        Ok(Self(Sha256::digest(key.as_ref()).into()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", BASE64.encode(&self.0))
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits = text.strip_prefix("sha256//").ok_or(InvalidFingerprint)?;
        let bytes = BASE64.decode(digits.as_bytes());
        let bytes = bytes.map_err(|_| InvalidFingerprint)?;
        bytes.try_into().map(Self).map_err(|_| InvalidFingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_has_one_spelling() {
        let shown = Fingerprint([7; 32]).to_string();
        assert_eq!(shown.parse(), Ok(Fingerprint([7; 32])));
        for bad in ["", "sha256//", &shown[8..], &shown[..50], "sha256//AAAA"] {
            assert_eq!(bad.parse::<Fingerprint>(), Err(InvalidFingerprint), "{bad}");
        }
        assert!(Fingerprint::of_certificate(b"nothing").is_err());
    }
}
