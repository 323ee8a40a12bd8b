//! A certificate that the daemon made itself: for clients that pin its key, which is drawn once
//! and stays. The certificate around it is made again whenever it nears its end, or the names
//! change.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use backup_model::{Code, Failure};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use secrecy::ExposeSecret as _;
use tempfile::NamedTempFile;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::pair::Facts;
use crate::config::{SecretRef, SecretSources, TlsConfig};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The longest that clients of the web take.
const LIFE_DAYS: i32 = 397;
/// So long before its end another one is made.
const RENEW_DAYS: i32 = 30;

/// Where such a certificate is, and for which names.
#[derive(Clone, Debug)]
pub(in crate::http) struct Made {
    folder: PathBuf,
    names: Vec<String>,
}

impl Made {
    /// That of the daemon with this state folder.
    pub(in crate::http) fn below(state: &Path, mut names: Vec<String>) -> Self {
        names.push("localhost".to_owned());
        names.sort_unstable();
        names.dedup();
        let folder = state.join("tls");
        Self { folder, names }
    }

    /// Its files.
    pub(in crate::http) fn files(&self) -> TlsConfig {
        TlsConfig {
            certificate: self.folder.join("certificate.pem"),
            key: SecretRef::File(self.key()),
        }
    }

    fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// Makes what is not there, or not for long. A key that cannot be read is never replaced:
    /// clients have pinned it.
    pub(in crate::http) async fn keep(
        &self,
        secrets: &SecretSources,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            let cause = Failure::from_error(Code::Listen, error);
            let text = format!("cannot make a certificate in {}", self.folder.display());
            let causes = std::iter::once(cause.message).chain(cause.causes);
            Failure {
                causes: causes.collect(),
                ..Failure::new(Code::Listen, text)
            }
        };
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true).mode(0o700);
        folder
            .create(&self.folder)
            .map_err(|error| failed(&error))?;
        if !self.key().try_exists().map_err(|error| failed(&error))? {
            let key = KeyPair::generate().map_err(|error| failed(&error))?;
            let pem = Zeroizing::new(key.serialize_pem());
            self.write(&self.key(), pem.as_bytes(), 0o600)
                .map_err(|error| failed(&error))?;
        }
        let pem = SecretRef::File(self.key()).resolve(secrets).await;
        let pem = pem.map_err(|error| failed(&error))?;
        let key = KeyPair::from_pem(pem.expose_secret()).map_err(|error| failed(&error))?;
        if self.stays(now) {
            return Ok(());
        }
        let certificate = self.make(&key, now).map_err(|error| failed(&error))?;
        let path = self.files().certificate;
        self.write(&path, certificate.as_bytes(), 0o644)
            .map_err(|error| failed(&error))
    }

    /// Whether the certificate that is there will do for some time.
    fn stays(&self, now: Timestamp) -> bool {
        Facts::in_file(&self.files().certificate).is_ok_and(|facts| {
            let mut names = facts.names;
            names.sort_unstable();
            names == self.names && facts.from <= now && now + DAY * RENEW_DAYS < facts.until
        })
    }

    fn make(&self, key: &KeyPair, now: Timestamp) -> Result<String, rcgen::Error> {
        let at = |time: Timestamp| {
            let seconds = time.as_second();
            OffsetDateTime::from_unix_timestamp(seconds).map_err(|_| rcgen::Error::Time)
        };
        let mut params = CertificateParams::new(self.names.clone())?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "backupd");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        // Clocks differ.
        params.not_before = at(now - DAY)?;
        params.not_after = at(now + DAY * LIFE_DAYS)?;
        Ok(params.self_signed(key)?.pem())
    }

    fn write(&self, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
        // Made with mode 0600.
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        fs::File::open(&self.folder)?.sync_all()
    }
}
