//! The certificate in force, and what watches for another one.
//!
//! Files are looked at every few seconds and not waited for: what renews them replaces links,
//! folders or both, and writes one file after the other. So they are read when they have come to
//! rest, and what is wrong changes nothing but the log.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use backup_model::{Code, Failure};
use backupd_api::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    made::Made,
    pair::{Pair, PairError},
};
use crate::{
    clock,
    config::{SecretRef, SecretSources, TlsConfig},
};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(10);
/// How long before the end of a certificate somebody should hear of it.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long to wait after a certificate could not be made.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The certificate in force.
#[derive(Debug)]
pub(in crate::http) struct Certificate(RwLock<Pair>);

impl Certificate {
    fn pair(&self) -> Pair {
        let pair = self.0.read().unwrap_or_else(PoisonError::into_inner);
        pair.clone()
    }

    /// What clients pin.
    pub(in crate::http) fn fingerprint(&self) -> Fingerprint {
        self.pair().facts.fingerprint
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair().key)
    }
}

/// What makes TLS of a connection, with whatever certificate is in force then.
pub(in crate::http) fn acceptor(
    certificate: &Arc<Certificate>,
) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificate) as _);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How long a certificate still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Fine,
    Soon,
    Ended,
}

/// What came of looking at the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum Looked {
    /// They are what they were, or still change.
    Same,
    /// Another certificate is in force.
    Replaced,
    /// They are wrong, and what was in force stays.
    Refused,
}

/// Where a file's content can be told from an other's: its place, size and time.
type Stamp = [Option<(u64, u64, i64, i64)>; 2];

/// Watches the files of a certificate.
#[derive(Debug)]
pub(in crate::http) struct Watch {
    files: TlsConfig,
    made: Option<Made>,
    secrets: SecretSources,
    certificate: Arc<Certificate>,
    /// What was read last, whatever came of it.
    tried: Stamp,
    /// What was there when it was looked at last.
    seen: Stamp,
    said: Standing,
    make_after: Timestamp,
}

impl Watch {
    /// Reads a certificate for the first time, and makes it before if it is to be made. Here one
    /// that cannot be used is an error; one that has ended is used all the same, and said: clients
    /// that pin its key still know the daemon, and the others are told why they do not.
    pub(in crate::http) async fn open(
        files: TlsConfig,
        made: Option<Made>,
        secrets: &SecretSources,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        if let Some(made) = &made {
            made.keep(secrets, now).await?;
        }
        let stamp = stamp(&files);
        let pair = Pair::read(&files, secrets).await;
        let pair = pair.map_err(|error| unusable(&files.certificate, &error))?;
        let mut watch = Self {
            files,
            made,
            secrets: secrets.clone(),
            certificate: Arc::new(Certificate(RwLock::new(pair))),
            tried: stamp,
            seen: stamp,
            said: Standing::Fine,
            make_after: now,
        };
        watch.say(now);
        Ok(watch)
    }

    /// The certificate that is watched.
    pub(in crate::http) fn certificate(&self) -> &Arc<Certificate> {
        &self.certificate
    }

    /// Looks again and again until it is told to stop.
    pub(in crate::http) async fn follow(&mut self, stop: &CancellationToken) {
        let mut clock = tokio::time::interval(EVERY);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while stop.run_until_cancelled(clock.tick()).await.is_some() {
            self.look(clock::now()).await;
        }
    }

    /// Looks once.
    pub(in crate::http) async fn look(&mut self, now: Timestamp) -> Looked {
        if let Some(made) = self.made.clone().filter(|_| now >= self.make_after)
            && let Err(failure) = made.keep(&self.secrets, now).await
        {
            self.make_after = now + AGAIN;
            tell(&failure, "the certificate is not renewed");
        }
        let stamp = stamp(&self.files);
        let rests = stamp == self.seen;
        self.seen = stamp;
        let looked = if rests && stamp != self.tried {
            self.tried = stamp;
            self.replace(now).await
        } else {
            Looked::Same
        };
        self.say(now);
        looked
    }

    async fn replace(&self, now: Timestamp) -> Looked {
        let read = Pair::read(&self.files, &self.secrets).await;
        let read = read.and_then(|pair| pair.facts.in_time(now).map(|()| pair));
        match read {
            Ok(pair) => {
                let (until, fingerprint) = (pair.facts.until, pair.facts.fingerprint);
                let mut current = self
                    .certificate
                    .0
                    .write()
                    .unwrap_or_else(PoisonError::into_inner);
                *current = pair;
                drop(current);
                tracing::info!(%until, %fingerprint, "another certificate is in force");
                Looked::Replaced
            }
            Err(error) => {
                let failure = unusable(&self.files.certificate, &error);
                tell(&failure, "the certificate stays as it was");
                Looked::Refused
            }
        }
    }

    /// Says once when a certificate nears its end, and once when it has come.
    fn say(&mut self, now: Timestamp) {
        let until = self.certificate.pair().facts.until;
        let standing = match until.duration_since(now) {
            left if left < SignedDuration::ZERO => Standing::Ended,
            left if left < SOON => Standing::Soon,
            _ => Standing::Fine,
        };
        if standing != self.said {
            let path = self.files.certificate.display();
            match standing {
                Standing::Fine => {}
                Standing::Soon => tracing::warn!(%path, %until, "the certificate ends soon"),
                Standing::Ended => tracing::error!(
                    %path, %until,
                    "the certificate has ended: clients that do not pin its key refuse it"
                ),
            }
            self.said = standing;
        }
    }
}

fn tell(failure: &Failure, what: &str) {
    let (code, causes) = (failure.code.as_str(), failure.causes.join("\n"));
    tracing::error!(code, causes, "{what}: {}", failure.message);
}

fn unusable(path: &Path, error: &PairError) -> Failure {
    let cause = Failure::from_error(Code::Listen, error);
    let text = format!("the certificate {} cannot be used", path.display());
    let causes = std::iter::once(cause.message).chain(cause.causes);
    Failure {
        causes: causes.collect(),
        ..Failure::new(Code::Listen, text)
    }
}

/// Of a key that is not in a file nothing can be seen from outside.
fn stamp(files: &TlsConfig) -> Stamp {
    let of = |path: &Path| {
        let facts = fs::metadata(path).ok()?;
        Some((facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
    };
    let key = match &files.key {
        SecretRef::File(path) => of(path),
        SecretRef::Env(_) | SecretRef::Credential(_) | SecretRef::Command(_) => None,
    };
    [of(&files.certificate), key]
}
