//! Whether it is the daemon: a certificate with the pinned key, or one that the system's
//! authorities vouch for. A handshake that fails for this says whom it met.

use std::sync::{Arc, Mutex, PoisonError};

use backup_model::{Code, Failure};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{Address, Fingerprint};

/// How the other end must show who it is.
#[derive(Debug)]
enum Proof {
    /// By having this key. A pin is about one key for as long as somebody keeps it, so it asks
    /// neither for a name nor for the time: a daemon whose clock is wrong is still the one.
    Key(Fingerprint),
    /// By a certificate from an authority that this machine trusts.
    Vouched(Arc<WebPkiServerVerifier>),
}

/// Looks at certificates, and remembers whose the last one was.
#[derive(Debug)]
pub(super) struct Verifier {
    proof: Proof,
    provider: Arc<CryptoProvider>,
    met: Mutex<Option<Fingerprint>>,
}

/// A verifier, and the configuration that uses it.
pub(super) fn verified(
    pin: Option<Fingerprint>,
) -> Result<(Arc<Verifier>, Arc<ClientConfig>), Failure> {
    let bug = |error: &(dyn std::error::Error + 'static)| Failure::from_error(Code::Bug, error);
    let provider = Arc::new(ring::default_provider());
    let proof = if let Some(pin) = pin {
        Proof::Key(pin)
    } else {
        let trusted = rustls_native_certs::load_native_certs().certs;
        Proof::Vouched(authorities(trusted, &provider)?)
    };
    let verifier = Arc::new(Verifier {
        proof,
        provider: Arc::clone(&provider),
        met: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bug(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as _);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session that is taken up again shows no certificate.
    config.resumption = Resumption::disabled();
    Ok((verifier, Arc::new(config)))
}

fn authorities(
    trusted: Vec<CertificateDer<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Failure> {
    let mut roots = RootCertStore::empty();
    let (known, _) = roots.add_parsable_certificates(trusted);
    if known == 0 {
        let text = "this machine trusts no certificate authority";
        return Err(Failure::new(Code::DaemonIdentity, text));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Failure::from_error(Code::Bug, &error))
}

/// Before the key of whoever was met, in the cause of a refusal.
const SHOWN: &str = "it shows ";
const SHOWN_LAST: &str = "; its key is ";

/// The key that the other end has shown, where a failure is about who it is. Whoever takes it for
/// the daemon's has compared it first.
pub fn shown_key(failure: &Failure) -> Option<Fingerprint> {
    let shown = |cause: &String| {
        let first = cause
            .strip_prefix(SHOWN)
            .and_then(|rest| rest.split(',').next());
        let last = || cause.rsplit_once(SHOWN_LAST).map(|(_, last)| last);
        first.or_else(last)?.parse().ok()
    };
    let about = failure.code == Code::DaemonIdentity;
    about
        .then(|| failure.causes.iter().find_map(shown))
        .flatten()
}

impl Verifier {
    /// Why a handshake failed, if it was for who the other end is.
    pub(super) fn refusal(&self, address: &Address, error: &std::io::Error) -> Option<Failure> {
        let error = error.get_ref()?.downcast_ref::<Error>()?;
        let Error::InvalidCertificate(why) = error else {
            return None;
        };
        let met = *self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let met = met.map_or_else(|| "no readable key".to_owned(), |met| met.to_string());
        let (text, cause) = match &self.proof {
            Proof::Key(pin) => (
                format!("{address} is not the daemon that was pinned"),
                format!("{SHOWN}{met}, and {pin} was pinned"),
            ),
            Proof::Vouched(_) => (
                format!("{address} does not show who it is"),
                format!("{why}{SHOWN_LAST}{met}"),
            ),
        };
        Some(Failure {
            causes: vec![cause],
            ..Failure::new(Code::DaemonIdentity, text)
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let met = Fingerprint::of_certificate(end_entity).ok();
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = met;
        match &self.proof {
            Proof::Key(pin) if met.as_ref() == Some(pin) => Ok(ServerCertVerified::assertion()),
            Proof::Key(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Proof::Vouched(roots) => {
                roots.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;

    /// Of two keys the one that was met is told, and of none the pinned one is not taken for it.
    #[test]
    fn the_key_that_was_met_is_told() {
        let provider = Arc::new(ring::default_provider());
        let key = |letter: &str| format!("sha256//{}=", letter.repeat(43));
        let (pinned, met) = (key("A"), key("E"));
        let address: Address = "https://vault02:8443".parse().unwrap();
        for (met, told) in [(met.parse().ok(), met.parse().ok()), (None, None)] {
            let verifier = Verifier {
                proof: Proof::Key(pinned.parse().unwrap()),
                provider: Arc::clone(&provider),
                met: Mutex::new(met),
            };
            let other: Error = CertificateError::ApplicationVerificationFailure.into();
            let refused = verifier.refusal(&address, &std::io::Error::other(other));
            assert_eq!(shown_key(&refused.unwrap()), told);
        }
        let other = Failure::new(Code::Daemon, "it shows nothing");
        assert_eq!(shown_key(&other), None);
    }

    /// Whom an authority vouches for is believed, by that name and no other.
    #[test]
    fn an_authority_vouches_for_a_name() {
        let provider = Arc::new(ring::default_provider());
        let authority = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&authority).unwrap();
        let issuer = Issuer::new(params, authority);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["vault01".to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &issuer).unwrap();
        let verifier = Verifier {
            proof: Proof::Vouched(authorities(vec![root.der().clone()], &provider).unwrap()),
            provider: Arc::clone(&provider),
            met: Mutex::default(),
        };
        let ask = |name: &str| {
            let name = ServerName::try_from(name.to_owned()).unwrap();
            verifier.verify_server_cert(leaf.der(), &[], &name, &[], UnixTime::now())
        };
        ask("vault01").unwrap();
        let refused = std::io::Error::other(ask("vault02").unwrap_err());
        let address: Address = "https://vault02:8443".parse().unwrap();
        let refused = verifier.refusal(&address, &refused).unwrap();
        assert_eq!(refused.code, Code::DaemonIdentity);
        let text = format!("{address} does not show who it is");
        assert_eq!(refused.message, text);
        let met = Fingerprint::of_certificate(leaf.der()).unwrap();
        assert_eq!(shown_key(&refused), Some(met));
        let nobody = authorities(Vec::new(), &provider).unwrap_err();
        assert_eq!(nobody.code, Code::DaemonIdentity);
    }
}
