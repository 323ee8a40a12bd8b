//! Where the API listens: sockets of this machine, loopback in clear, and TLS on a network.

use std::{fmt, net::SocketAddr, path::Path};

use backup_model::{Code, Failure};
use backupd_api::{Address, Fingerprint};
use tokio::net::{TcpListener, UnixListener};
use tokio_rustls::TlsAcceptor;

use super::{
    socket,
    tls::{self, Made, Watch},
};
use crate::{
    clock,
    config::{Listen, SecretSources, ServerConfig, TlsConfig},
};

/// Where connections come in.
pub(super) enum Listener {
    Unix(UnixListener),
    Http(TcpListener),
    Https(TcpListener, TlsAcceptor),
}

/// All places where connections come in, held from now on.
pub struct Listeners {
    pub(super) all: Vec<Listener>,
    pub(super) watch: Option<Watch>,
    addresses: Vec<Address>,
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listeners").field(&self.addresses).finish()
    }
}

impl Listeners {
    /// Where they are; a port that was left to the kernel is the one that it gave.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The key by which clients know the daemon, where it speaks TLS.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let watch = self.watch.as_ref()?;
        Some(watch.certificate().fingerprint())
    }
}

/// Listens everywhere where it is configured, or nowhere. What a certificate of the daemon's own
/// needs is kept below its state folder.
pub async fn listen(
    config: &ServerConfig,
    state: &Path,
    secrets: &SecretSources,
) -> Result<Listeners, Failure> {
    let mut listeners = Listeners {
        all: Vec::new(),
        watch: None,
        addresses: Vec::new(),
    };
    let by_tls = |listen: &Listen| matches!(listen, Listen::Https(_));
    if config.listen.iter().any(by_tls) {
        let (files, made) = certificate(config, state);
        let watch = Watch::open(files, made, secrets, clock::now()).await?;
        let fingerprint = watch.certificate().fingerprint();
        tracing::info!(%fingerprint, "the API is known by this key");
        listeners.watch = Some(watch);
    }
    for one in &config.listen {
        let (listener, address) = open(one, listeners.watch.as_ref()).await?;
        tracing::info!(%address, "listening");
        listeners.all.push(listener);
        listeners.addresses.push(address);
    }
    Ok(listeners)
}

/// The key by which clients know the daemon, as its files have it now; nothing if it has none.
pub fn fingerprint(config: &ServerConfig, state: &Path) -> Result<Option<Fingerprint>, Failure> {
    let (files, _) = certificate(config, state);
    tls::fingerprint(&files.certificate).map_err(|error| {
        let text = format!("cannot read {}", files.certificate.display());
        let cause = Failure::from_error(Code::LocalIo, &error);
        let causes = std::iter::once(cause.message).chain(cause.causes);
        Failure {
            causes: causes.collect(),
            ..Failure::new(Code::LocalIo, text)
        }
    })
}

/// Which certificate it is, and how it is made if nobody gave one.
fn certificate(config: &ServerConfig, state: &Path) -> (TlsConfig, Option<Made>) {
    if let Some(files) = &config.tls {
        return (files.clone(), None);
    }
    let addresses = config.listen.iter().filter_map(|listen| match listen {
        Listen::Https(at) if !at.ip().is_unspecified() => Some(at.ip().to_string()),
        Listen::Https(_) | Listen::Unix(_) | Listen::Http(_) => None,
    });
    let made = Made::below(
        state,
        config.hosts.iter().cloned().chain(addresses).collect(),
    );
    (made.files(), Some(made))
}

async fn open(listen: &Listen, watch: Option<&Watch>) -> Result<(Listener, Address), Failure> {
    let refuse = |address: SocketAddr, why: String| {
        let text = format!("cannot listen at {address}");
        Failure {
            causes: vec![why],
            ..Failure::new(Code::Listen, text)
        }
    };
    match listen {
        Listen::Unix(path) => {
            let listener = socket::listen(path).await?;
            Ok((Listener::Unix(listener), Address::unix(path)))
        }
        Listen::Http(address) => {
            // Checked where it was configured; this is where it must hold.
            if !address.ip().is_loopback() {
                let why = "http:// is for loopback addresses only".to_owned();
                return Err(refuse(*address, why));
            }
            let (listener, at) = bind(*address)
                .await
                .map_err(|error| refuse(*address, error.to_string()))?;
            Ok((Listener::Http(listener), Address::Http(at)))
        }
        Listen::Https(address) => {
            let acceptor = watch.map(|watch| tls::acceptor(watch.certificate()));
            let acceptor = acceptor.transpose();
            let acceptor = acceptor.map_err(|error| Failure::from_error(Code::Bug, &error))?;
            let acceptor = acceptor.ok_or_else(|| {
                let why = "there is no certificate".to_owned();
                refuse(*address, why)
            })?;
            let (listener, at) = bind(*address)
                .await
                .map_err(|error| refuse(*address, error.to_string()))?;
            let (host, port) = (at.ip().to_string(), at.port());
            let address = Address::Https { host, port };
            Ok((Listener::Https(listener, acceptor), address))
        }
    }
}

async fn bind(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let at = listener.local_addr()?;
    Ok((listener, at))
}
