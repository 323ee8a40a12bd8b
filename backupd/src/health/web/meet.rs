//! Who shows himself at the other end of TLS: his certificate is looked at, also where it is none
//! that would do. With one that does not do, nothing more is said: an address may hold a token.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::health::certificate::Term;

/// What is thought of a certificate by this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// An authority vouches for it.
    Vouched,
    /// It does not count now.
    Ended,
    /// It is for another name.
    OtherName,
    /// It is not believed.
    Refused(String),
    /// This machine trusts no authority, so nothing can be said.
    Nobody(String),
}

/// Who was met.
#[derive(Clone, Debug)]
pub(super) struct Met {
    /// From when until when his certificate counts; none where it is none.
    pub(super) term: Option<Term>,
    pub(super) verdict: Verdict,
}

/// Looks at certificates, and remembers the last one.
#[derive(Debug)]
pub(super) struct Meeting {
    authorities: Result<Arc<WebPkiServerVerifier>, String>,
    provider: Arc<CryptoProvider>,
    now: UnixTime,
    met: Mutex<Option<Met>>,
}

/// How to meet somebody.
pub(super) fn meeting(now: Timestamp) -> Result<(Arc<Meeting>, Arc<ClientConfig>), Error> {
    let provider = Arc::new(ring::default_provider());
    let since = std::time::Duration::from_secs(now.as_second().unsigned_abs());
    let meeting = Arc::new(Meeting {
        authorities: authorities(&provider),
        provider: Arc::clone(&provider),
        now: UnixTime::since_unix_epoch(since),
        met: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&meeting) as _);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A session that is taken up again shows no certificate.
    config.resumption = Resumption::disabled();
    Ok((meeting, Arc::new(config)))
}

fn authorities(provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>, String> {
    let mut roots = RootCertStore::empty();
    let trusted = rustls_native_certs::load_native_certs().certs;
    if roots.add_parsable_certificates(trusted).0 == 0 {
        return Err("this machine trusts no certificate authority".to_owned());
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    verifier.build().map_err(|error| error.to_string())
}

impl Meeting {
    /// Who was met last.
    pub(super) fn met(&self) -> Option<Met> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.clone()
    }
}

fn verdict(error: &Error) -> Verdict {
    let Error::InvalidCertificate(why) = error else {
        return Verdict::Refused(error.to_string());
    };
    match why {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Verdict::Ended,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Verdict::OtherName
        }
        CertificateError::UnknownIssuer => Verdict::Refused("its issuer is not known".to_owned()),
        other => Verdict::Refused(other.to_string()),
    }
}

impl ServerCertVerifier for Meeting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = match &self.authorities {
            Err(why) => Err((
                Verdict::Nobody(why.clone()),
                CertificateError::UnknownIssuer.into(),
            )),
            Ok(authorities) => authorities
                .verify_server_cert(
                    end_entity,
                    intermediates,
                    server_name,
                    ocsp_response,
                    self.now,
                )
                .map_err(|error| (verdict(&error), error)),
        };
        let met = Met {
            term: Term::of(end_entity),
            verdict: match &checked {
                Ok(_) => Verdict::Vouched,
                Err((verdict, _)) => verdict.clone(),
            },
        };
        *self.met.lock().unwrap_or_else(PoisonError::into_inner) = Some(met);
        checked.map_err(|(_, error)| error)
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
