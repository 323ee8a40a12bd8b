//! Connections: taken from the socket, limited, and served until the daemon stops.

use std::{sync::Arc, time::Duration};

use axum::Router;
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
    net::{UnixListener, UnixStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{api::Api, guard::Peer, routes::router};

/// How long the head of a request may take, and a connection be idle.
const PATIENCE: Duration = Duration::from_secs(30);
/// The head of a request.
const LARGEST_HEAD: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// Connections at one time: most of them follow a task.
const MOST_CONNECTIONS: usize = 256;
/// How long to leave the socket alone after it failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves an API.
#[derive(Debug)]
pub struct Server {
    router: Router,
    room: Arc<Semaphore>,
}

impl Server {
    /// A server of this API.
    pub fn new(api: &Api) -> Self {
        Self {
            router: router(api),
            room: Arc::new(Semaphore::new(MOST_CONNECTIONS)),
        }
    }

    /// Takes connections until it is told to stop; then lets every answer that was begun come to
    /// its end. Stop the tasks as well, or those who follow one are waited for as long as it runs.
    pub async fn serve(&self, listener: UnixListener, stop: CancellationToken) {
        let connections = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener, &self.room) => accepted,
            };
            let Some((stream, uid, room)) = accepted else {
                continue;
            };
            let connection = self.connection(stream, Peer::Local { uid }, stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(room);
            });
        }
        connections.close();
        connections.wait().await;
    }

    fn connection(
        &self,
        stream: UnixStream,
        peer: Peer,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + use<> {
        let inner = TowerToHyperService::new(self.router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            inner.call(request)
        });
        async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
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
    }
}

/// A connection, whose it is, and its place.
async fn accept(
    listener: &UnixListener,
    room: &Arc<Semaphore>,
) -> Option<(UnixStream, u32, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    let Ok((stream, _)) = listener.accept().await else {
        // Out of descriptors, most likely: it will not be better at once.
        tokio::time::sleep(PAUSE).await;
        return None;
    };
    // Somebody who is gone already has no peer.
    let uid = stream.peer_cred().ok()?.uid();
    Some((stream, uid, place))
}
