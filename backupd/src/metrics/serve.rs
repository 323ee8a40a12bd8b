//! The address at which metrics are read: `GET /metrics`, without a token, at loopback only.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use tokio::{net::TcpListener, sync::Semaphore, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// More who read at once wait.
const CONNECTIONS: usize = 16;
/// For one connection, whatever it does.
const PATIENCE: Duration = Duration::from_mins(1);
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
const LARGEST_HEAD: usize = 16 << 10;
/// How long to leave the listener alone after it failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Gives the page to whoever asks, until told to stop.
pub async fn serve(
    listener: TcpListener,
    page: impl Fn() -> String + Send + Sync + 'static,
    stop: CancellationToken,
) {
    let page: Arc<dyn Fn() -> String + Send + Sync> = Arc::new(page);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    let taking = async {
        loop {
            let Ok(held) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            let Ok((stream, _)) = listener.accept().await else {
                time::sleep(PAUSE).await;
                continue;
            };
            let (page, stop) = (Arc::clone(&page), stop.clone());
            connections.spawn(async move {
                let served = time::timeout(PATIENCE, one(stream, page));
                // Whoever broke off, or was told to go, has no answer to come.
                stop.run_until_cancelled(served).await;
                drop(held);
            });
        }
    };
    stop.run_until_cancelled(taking).await;
    connections.close();
    connections.wait().await;
}

async fn one(stream: tokio::net::TcpStream, page: Arc<dyn Fn() -> String + Send + Sync>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let answer = answer(&request, &*page);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(LARGEST_HEAD);
    let served = http.serve_connection(TokioIo::new(stream), answer).await;
    if let Err(error) = served {
        tracing::debug!(%error, "a reader of metrics is gone");
    }
}

fn answer<B>(request: &Request<B>, page: &dyn Fn() -> String) -> Response<Full<Bytes>> {
    let (status, kind, text) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => (StatusCode::OK, CONTENT_TYPE, page()),
        (_, "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, "text/plain", String::new()),
        _ => (StatusCode::NOT_FOUND, "text/plain", String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = header::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Opens the address. Checked where it was configured; this is where it must hold.
pub(crate) async fn open(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let why = "metrics are for loopback addresses only";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    TcpListener::bind(address).await
}
