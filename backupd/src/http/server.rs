//! Connections: taken from wherever the API listens, limited, and served until the daemon stops.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use futures::future::join_all;
use http::Request;
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    api::Api,
    limits::Limits,
    listeners::{Listener, Listeners},
    routes::router,
    source::{Peer, Place, Sources},
};

/// The head of a request.
const LARGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// How long to leave a listener alone after it failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves an API.
#[derive(Debug)]
pub struct Server {
    api: Api,
    router: Router,
    limits: Limits,
    /// Room of this machine's own, so that a network that is full shuts nobody out of it.
    local: Arc<Semaphore>,
    network: Arc<Semaphore>,
    sources: Sources,
}

/// A connection before anything was said.
enum Stream {
    Unix(UnixStream),
    Http(TcpStream),
    Https(TcpStream, TlsAcceptor),
}

/// What a connection holds for as long as it is there.
struct Held {
    _room: OwnedSemaphorePermit,
    _place: Option<Place>,
}

impl Server {
    /// A server of this API.
    pub fn new(api: &Api) -> Self {
        let limits = api.0.settings.limits;
        Self {
            api: api.clone(),
            router: router(api),
            limits,
            local: Arc::new(Semaphore::new(limits.connections)),
            network: Arc::new(Semaphore::new(limits.connections)),
            sources: Sources::default(),
        }
    }

    /// Takes connections until it is told to stop; then lets every answer that was begun come to
    /// its end. Stop the tasks as well, or those who follow one are waited for as long as it runs.
    pub async fn serve(&self, mut listeners: Listeners, stop: CancellationToken) {
        let connections = TaskTracker::new();
        let watch = async {
            if let Some(watch) = &mut listeners.watch {
                watch.follow(&stop).await;
            }
        };
        let all = listeners.all.iter();
        let taking = join_all(all.map(|one| self.take(one, &connections, &stop)));
        tokio::join!(taking, watch);
        // Whoever comes now is told at once that nobody is here.
        listeners.all.clear();
        connections.close();
        connections.wait().await;
    }

    async fn take(&self, listener: &Listener, connections: &TaskTracker, stop: &CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.accept(listener) => accepted,
            };
            let Some((stream, peer, held)) = accepted else {
                continue;
            };
            let connection =
                connection(stream, peer, self.router.clone(), self.limits, stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(held);
            });
        }
    }

    /// A connection, whose it is, and its place. One of a source that has enough is closed.
    async fn accept(&self, listener: &Listener) -> Option<(Stream, Peer, Held)> {
        let room = match listener {
            Listener::Unix(_) => &self.local,
            Listener::Http(_) | Listener::Https(..) => &self.network,
        };
        let room = Arc::clone(room).acquire_owned().await.ok()?;
        let Ok((stream, peer)) = incoming(listener).await else {
            // Out of descriptors, most likely: it will not be better at once.
            tokio::time::sleep(PAUSE).await;
            return None;
        };
        // Somebody who is gone already has no peer.
        let peer = peer?;
        let place = if self.is_proxy(peer) {
            None
        } else {
            Some(self.sources.place(peer, self.limits.per_source)?)
        };
        let held = Held {
            _room: room,
            _place: place,
        };
        Some((stream, peer, held))
    }

    /// Whether all connections of a peer are those of many others.
    fn is_proxy(&self, peer: Peer) -> bool {
        let trusted = &self.api.0.settings.trusted_proxies;
        match peer {
            Peer::Local { .. } => false,
            Peer::Network { address } => trusted.iter().any(|net| net.contains(&address)),
        }
    }
}

async fn incoming(listener: &Listener) -> io::Result<(Stream, Option<Peer>)> {
    match listener {
        Listener::Unix(listener) => {
            let (stream, _) = listener.accept().await?;
            let peer = stream.peer_cred().ok();
            let peer = peer.map(|peer| Peer::Local { uid: peer.uid() });
            Ok((Stream::Unix(stream), peer))
        }
        Listener::Http(listener) => {
            let (stream, address) = listener.accept().await?;
            let peer = there(&stream, address);
            Ok((Stream::Http(stream), peer))
        }
        Listener::Https(listener, acceptor) => {
            let (stream, address) = listener.accept().await?;
            let peer = there(&stream, address);
            Ok((Stream::Https(stream, acceptor.clone()), peer))
        }
    }
}

fn there(stream: &TcpStream, address: SocketAddr) -> Option<Peer> {
    // Answers are written at once; waiting to fill packets would only make them late.
    stream.set_nodelay(true).ok()?;
    let address = address.ip().to_canonical();
    Some(Peer::Network { address })
}

async fn connection(
    stream: Stream,
    peer: Peer,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let patience = limits.head;
    match stream {
        Stream::Unix(stream) => talk(stream, peer, router, patience, stop).await,
        Stream::Http(stream) => talk(stream, peer, router, patience, stop).await,
        Stream::Https(stream, acceptor) => {
            let agreed = tokio::select! {
                agreed = tokio::time::timeout(limits.handshake, acceptor.accept(stream)) => agreed,
                () = stop.cancelled() => return,
            };
            // The other end went away, spoke no TLS, or took too long: its loss.
            if let Ok(Ok(stream)) = agreed {
                talk(stream, peer, router, patience, stop).await;
            }
        }
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    router: Router,
    patience: Duration,
    stop: CancellationToken,
) {
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        inner.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    // The other end went away, or spoke no HTTP: its loss.
    ended.ok();
}
