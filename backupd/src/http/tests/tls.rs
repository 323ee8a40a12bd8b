//! TLS: whom clients know, and how one certificate follows another.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use backup_model::{Code, Failure};
use backupd_api::{Address, Fingerprint, HttpService, Scope, Service as _, Target, TokenText};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, Talk, bearer, secrets, server};
use crate::{
    clock,
    config::{Listen, SecretRef, TlsConfig},
    http::{Listeners, fingerprint, listen, tls::Looked},
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn anywhere() -> Listen {
    Listen::Https("127.0.0.1:0".parse().unwrap())
}

/// Puts a certificate of `vault01` and its key into a folder, and gives it as DER.
fn issue(folder: &Path, key: &KeyPair, from: Timestamp, until: Timestamp) -> Vec<u8> {
    let at = |time: Timestamp| OffsetDateTime::from_unix_timestamp(time.as_second()).unwrap();
    let mut params = CertificateParams::new(vec!["vault01".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (at(from), at(until));
    let certificate = params.self_signed(key).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    let path = folder.join("key.pem");
    fs::write(&path, key.serialize_pem()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    certificate.der().to_vec()
}

fn files(folder: &Path) -> TlsConfig {
    TlsConfig {
        certificate: folder.join("cert.pem"),
        key: SecretRef::File(folder.join("key.pem")),
    }
}

async fn listening(fixture: &Fixture, folder: &Path) -> Result<Listeners, Failure> {
    let config = server(&[anywhere()], Some(files(folder)));
    listen(&config, &fixture.path("state"), &secrets()).await
}

fn target(address: &Address, token: &TokenText, pin: Option<Fingerprint>) -> Target {
    Target {
        address: address.clone(),
        token: Some(token.whole()),
        pin,
    }
}

/// A client of the web: it trusts this certificate, and asks for `vault01`.
async fn open(address: &Address, der: &[u8]) -> std::io::Result<Talk<TlsStream<TcpStream>>> {
    let Address::Https { host, port } = address else {
        panic!("{address}");
    };
    let mut roots = RootCertStore::empty();
    roots.add(der.to_vec().into()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect((host.as_str(), *port)).await.unwrap();
    let name = ServerName::try_from("vault01").unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    Ok(Talk(connector.connect(name, stream).await?))
}

#[tokio::test]
async fn a_daemon_makes_its_certificate_and_is_known_by_its_key_ever_after() {
    let fixture = Fixture::new().await;
    let state = fixture.path("state");
    let config = server(&[anywhere()], None);
    assert_eq!(fingerprint(&config, &state).unwrap(), None);
    let listeners = listen(&config, &state, &secrets()).await.unwrap();
    let pin = listeners.fingerprint().unwrap();
    assert_eq!(fingerprint(&config, &state).unwrap(), Some(pin));
    let mode = |name: &str| fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("tls"), mode("tls/key.pem")), (0o700, 0o600));

    let address = listeners.addresses()[0].clone();
    let stop = CancellationToken::new();
    let served = fixture.serve_on(listeners, &stop);
    let token = fixture.token(&[Scope::Status]);
    let known = HttpService::reach(target(&address, &token, Some(pin))).await;
    assert_eq!(known.unwrap().jobs().await, fixture.direct.jobs().await);
    stop.cancel();
    served.await.unwrap();

    // The next start, and one with another name, have the same key.
    let before = fs::read(state.join("tls/certificate.pem")).unwrap();
    let again = listen(&config, &state, &secrets()).await.unwrap();
    assert_eq!(again.fingerprint(), Some(pin));
    assert_eq!(fs::read(state.join("tls/certificate.pem")).unwrap(), before);
    let mut renamed = config.clone();
    renamed.hosts = vec!["vault02".to_owned()];
    let again = listen(&renamed, &state, &secrets()).await.unwrap();
    assert_eq!(again.fingerprint(), Some(pin));
    assert_ne!(fs::read(state.join("tls/certificate.pem")).unwrap(), before);

    // A key that others could have read is not used, and not replaced either.
    let key = state.join("tls/key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = listen(&config, &state, &secrets()).await.unwrap_err();
    assert_eq!(refused.code, Code::Listen);
    assert!(refused.causes[0].contains("0600"), "{refused:?}");
}

#[tokio::test]
async fn a_made_certificate_is_renewed_before_it_ends_and_pins_hold() {
    let fixture = Fixture::new().await;
    let mut listeners = fixture.listen(&[anywhere()]).await.unwrap();
    let pin = listeners.fingerprint().unwrap();
    let address = listeners.addresses()[0].clone();
    let mut watch = listeners.watch.take().unwrap();
    fixture.serve_on(listeners, &CancellationToken::new());
    let now = clock::now();
    assert_eq!(watch.look(now + DAY * 300).await, Looked::Same);
    // Made when it is seen that it is due, and taken when its file has come to rest.
    assert_eq!(watch.look(now + DAY * 370).await, Looked::Same);
    assert_eq!(watch.look(now + DAY * 370).await, Looked::Replaced);
    assert_eq!(watch.look(now + DAY * 700).await, Looked::Same);
    assert_eq!(watch.certificate().fingerprint(), pin);
    let token = fixture.token(&[Scope::Status]);
    HttpService::reach(target(&address, &token, Some(pin)))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_renewed_certificate_takes_over_and_drops_no_connection() {
    let fixture = Fixture::new().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let now = clock::now();
    let first_key = KeyPair::generate().unwrap();
    let first = issue(folder, &first_key, now - DAY, now + DAY);
    let mut listeners = listening(&fixture, folder).await.unwrap();
    let address = listeners.addresses()[0].clone();
    let mut watch = listeners.watch.take().unwrap();
    fixture.serve_on(listeners, &CancellationToken::new());
    let line = bearer(&fixture.token(&[Scope::Status]));
    let mut talk = open(&address, &first).await.unwrap();
    assert_eq!(talk.get("/v1/jobs", &line).await.unwrap().0, 200);

    let second = issue(folder, &first_key, now - DAY, now + DAY * 90);
    assert_ne!(first, second);
    assert_eq!(watch.look(now).await, Looked::Same);
    assert_eq!(watch.look(now).await, Looked::Replaced);
    assert_eq!(watch.look(now).await, Looked::Same);
    assert_eq!(talk.get("/v1/jobs", &line).await.unwrap().0, 200);
    let mut other = open(&address, &second).await.unwrap();
    assert_eq!(other.get("/v1/jobs", &line).await.unwrap().0, 200);

    // Another key, without its certificate; then nothing, rubbish, and one that has ended.
    let other_key = KeyPair::generate().unwrap();
    let certificate = fs::read(folder.join("cert.pem")).unwrap();
    issue(folder, &other_key, now - DAY, now + DAY * 90);
    let good = fs::read(folder.join("cert.pem")).unwrap();
    for bad in [
        Some(&certificate[..]),
        None,
        Some(b""),
        Some(b"-----BEGIN CERTIFICATE-----\n"),
    ] {
        match bad {
            Some(bytes) => fs::write(folder.join("cert.pem"), bytes).unwrap(),
            None => fs::remove_file(folder.join("cert.pem")).unwrap(),
        }
        assert_eq!(watch.look(now).await, Looked::Same);
        assert_eq!(watch.look(now).await, Looked::Refused, "{bad:?}");
        // It is said once.
        assert_eq!(watch.look(now).await, Looked::Same);
    }
    issue(folder, &other_key, now - DAY * 9, now - DAY);
    assert_eq!(watch.look(now).await, Looked::Same);
    assert_eq!(watch.look(now).await, Looked::Refused);
    let mut still = open(&address, &second).await.unwrap();
    assert_eq!(still.get("/v1/jobs", &line).await.unwrap().0, 200);

    // A right one after all that is taken, and the first connection is there still.
    fs::write(folder.join("cert.pem"), good).unwrap();
    assert_eq!(watch.look(now).await, Looked::Same);
    assert_eq!(watch.look(now).await, Looked::Replaced);
    open(&address, &second).await.err().expect("another key");
    assert_eq!(talk.get("/v1/jobs", &line).await.unwrap().0, 200);
}

#[tokio::test]
async fn a_certificate_that_has_ended_serves_those_who_pin_its_key_only() {
    let fixture = Fixture::new().await;
    let folder = tempfile::tempdir().unwrap();
    let now = clock::now();
    let key = KeyPair::generate().unwrap();
    let ended = issue(folder.path(), &key, now - DAY * 9, now - DAY);
    let listeners = listening(&fixture, folder.path()).await.unwrap();
    let (address, pin) = (listeners.addresses()[0].clone(), listeners.fingerprint());
    fixture.serve_on(listeners, &CancellationToken::new());
    let error = open(&address, &ended).await.err().expect("it has ended");
    assert!(
        error.to_string().to_lowercase().contains("expired"),
        "{error}"
    );
    let token = fixture.token(&[Scope::Status]);
    HttpService::reach(target(&address, &token, pin))
        .await
        .unwrap();
}

#[tokio::test]
async fn another_key_than_the_pinned_one_is_told_and_no_token_goes_there() {
    let fixture = Fixture::new().await;
    let listeners = fixture.listen(&[anywhere()]).await.unwrap();
    let (address, shown) = (listeners.addresses()[0].clone(), listeners.fingerprint());
    let shown = shown.unwrap();
    fixture.serve_on(listeners, &CancellationToken::new());
    let key = KeyPair::generate().unwrap();
    let der = CertificateParams::default().self_signed(&key).unwrap();
    let pinned = Fingerprint::of_certificate(der.der()).unwrap();
    // A token that does not count: were it sent, it would be heard of.
    let token = TokenText::generate().unwrap();
    let refused = HttpService::reach(target(&address, &token, Some(pinned))).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, Code::DaemonIdentity);
    assert_eq!(
        refused.message,
        format!("{address} is not the daemon that was pinned")
    );
    let cause = format!("it shows {shown}, and {pinned} was pinned");
    assert_eq!(refused.causes, [cause]);

    // Without a pin nobody vouches for it; the fingerprint is there to be compared.
    let refused = HttpService::reach(target(&address, &token, None))
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::DaemonIdentity, "{refused:?}");
    assert!(
        refused.causes[0].contains(&shown.to_string()),
        "{refused:?}"
    );
    assert_eq!(*fixture.said.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_an_error_at_the_start() {
    let fixture = Fixture::new().await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let now = clock::now();
    let refused = listening(&fixture, folder).await.unwrap_err();
    assert_eq!(refused.code, Code::Listen);
    assert_eq!(refused.causes[0], "the certificate cannot be read");
    let first = KeyPair::generate().unwrap();
    issue(folder, &first, now, now + DAY);
    let kept = fs::read(folder.join("cert.pem")).unwrap();
    issue(folder, &KeyPair::generate().unwrap(), now, now + DAY);
    fs::write(folder.join("cert.pem"), kept).unwrap();
    let refused = listening(&fixture, folder).await.unwrap_err();
    assert_eq!(refused.causes, ["the certificate belongs to another key"]);
    fs::write(folder.join("key.pem"), "none").unwrap();
    let refused = listening(&fixture, folder).await.unwrap_err();
    assert_eq!(refused.causes, ["the key is none that TLS can use"]);
}
