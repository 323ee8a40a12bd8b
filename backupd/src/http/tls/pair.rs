//! A certificate with its key, as it is read from PEM, and what is to be known of it.

use std::{fs, io, path::Path, sync::Arc};

use backupd_api::Fingerprint;
use jiff::Timestamp;
use rustls::{
    Error,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use secrecy::ExposeSecret as _;
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

use crate::config::{SecretError, SecretSources, TlsConfig};

/// Why a certificate cannot be used. It says nothing of the key.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum PairError {
    #[error("the certificate cannot be read")]
    Read(#[source] io::Error),
    #[error("there is no certificate in the file")]
    NoCertificate,
    #[error("what should be a certificate is none")]
    Malformed,
    #[error("the key cannot be had")]
    Secret(#[source] SecretError),
    #[error("the key is none that TLS can use")]
    Key,
    #[error("the certificate belongs to another key")]
    OtherKey,
    #[error("the certificate counts from {from} until {until}")]
    Time { from: Timestamp, until: Timestamp },
}

/// A certificate with its key.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) facts: Facts,
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) fingerprint: Fingerprint,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    /// Names and addresses that it is for.
    pub(super) names: Vec<String>,
}

impl Pair {
    /// Reads both, and checks that they belong together.
    pub(super) async fn read(
        files: &TlsConfig,
        secrets: &SecretSources,
    ) -> Result<Self, PairError> {
        let chain = chain(&files.certificate)?;
        let facts = Facts::of(&chain)?;
        let key = files.key.resolve(secrets).await;
        let key = key.map_err(PairError::Secret)?;
        let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes());
        let key = key.map_err(|_| PairError::Key)?;
        let key = CertifiedKey::from_der(chain, key, &ring::default_provider());
        let key = key.map_err(|error| match error {
            Error::InconsistentKeys(_) => PairError::OtherKey,
            _ => PairError::Key,
        })?;
        let key = Arc::new(key);
        Ok(Self { key, facts })
    }
}

impl Facts {
    /// Of the first certificate of a file.
    pub(super) fn in_file(path: &Path) -> Result<Self, PairError> {
        Self::of(&chain(path)?)
    }

    fn of(chain: &[CertificateDer<'_>]) -> Result<Self, PairError> {
        let first = chain.first().ok_or(PairError::NoCertificate)?;
        let malformed = || PairError::Malformed;
        let fingerprint = Fingerprint::of_certificate(first).map_err(|_| malformed())?;
        let (_, parsed) = parse_x509_certificate(first).map_err(|_| malformed())?;
        let time = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp());
        let names = parsed.subject_alternative_name();
        let names = names.map_err(|_| malformed())?;
        let names = names.map(|names| names.value.general_names.iter().filter_map(name));
        Ok(Self {
            fingerprint,
            from: time(parsed.validity().not_before).map_err(|_| malformed())?,
            until: time(parsed.validity().not_after).map_err(|_| malformed())?,
            names: names.map_or_else(Vec::new, Iterator::collect),
        })
    }

    /// Whether it counts now.
    pub(super) fn in_time(&self, now: Timestamp) -> Result<(), PairError> {
        let (from, until) = (self.from, self.until);
        if now < from || now > until {
            return Err(PairError::Time { from, until });
        }
        Ok(())
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
            let v6 = || <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from);
            Some(v4.or_else(|_| v6()).ok()?.to_string())
        }
        _ => None,
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, PairError> {
    let pem = fs::read(path).map_err(PairError::Read)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|_| PairError::Malformed)?;
    if chain.is_empty() {
        return Err(PairError::NoCertificate);
    }
    Ok(chain)
}

/// What clients pin, of the certificate in a file; nothing if there is no file.
pub(in crate::http) fn fingerprint(path: &Path) -> Result<Option<Fingerprint>, PairError> {
    match Facts::in_file(path) {
        Ok(facts) => Ok(Some(facts.fingerprint)),
        Err(PairError::Read(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
