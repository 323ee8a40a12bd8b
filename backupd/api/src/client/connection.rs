//! One request to a daemon and its answer. A connection is made for each: they are cheap on a
//! socket, and none is found dead when it is needed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use backup_model::{Code, Failure};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;
use zeroize::Zeroizing;

/// What a single answer may hold.
const LARGEST_ANSWER: usize = 256 << 20;
/// How long the daemon may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a daemon is.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    socket: PathBuf,
}

/// A body that is wiped when it was sent.
struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Daemon {
    pub(crate) fn at(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
        }
    }

    /// Asks without a body, and reads the answer.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<A, Failure> {
        let request = request(method, path, None, Bytes::new())?;
        self.answer(request).await
    }

    /// Asks with a body, and reads the answer.
    pub(crate) async fn send<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: &(impl Serialize + Sync),
    ) -> Result<A, Failure> {
        let body =
            crate::secret_body(body).map_err(|error| Failure::from_error(Code::Bug, &error))?;
        let request = request(method, path, key, Bytes::from_owner(Wiped(body)))?;
        self.answer(request).await
    }

    async fn answer<A: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<A, Failure> {
        let response = self.exchange(request).await?;
        let body = whole(response).await?;
        serde_json::from_slice(&body).map_err(|error| unreadable(&error))
    }

    /// Asks, and gives the answer while it comes. A refusal is a failure.
    pub(crate) async fn stream(&self, path: &str) -> Result<Incoming, Failure> {
        let request = request(Method::GET, path, None, Bytes::new())?;
        Ok(self.exchange(request).await?.into_body())
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let gone = |error: &(dyn std::error::Error + 'static)| {
            let text = format!("no daemon answers at {}", self.socket.display());
            let cause = Failure::from_error(Code::Daemon, error);
            let causes = std::iter::once(cause.message).chain(cause.causes);
            Failure {
                causes: causes.collect(),
                ..Failure::new(Code::Daemon, text)
            }
        };
        let stream = tokio::time::timeout(CONNECT, UnixStream::connect(&self.socket)).await;
        let stream = stream.map_err(|error| gone(&error))?;
        let stream = stream.map_err(|error| gone(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| gone(&error))?;
        // Its errors come to the sender and the body as well.
        tokio::spawn(async move { connection.await.ok() });
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| gone(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }
}

fn request(
    method: Method,
    path: &str,
    key: Option<&str>,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Failure> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost");
    if !body.is_empty() {
        request = request.header(header::CONTENT_TYPE, "application/json");
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request
        .body(Full::new(body))
        .map_err(|error| Failure::from_error(Code::Bug, &error))
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, Failure> {
    let body = Limited::new(response.into_body(), LARGEST_ANSWER);
    let body = body.collect().await;
    let body = body.map_err(|error| {
        let error: &(dyn std::error::Error + 'static) = &*error;
        Failure {
            causes: vec![error.to_string()],
            ..Failure::new(Code::Daemon, "the daemon's answer broke off")
        }
    })?;
    Ok(body.to_bytes())
}

/// The failure that the daemon answered with, or what can be said of an answer by anybody else.
async fn refusal(response: Response<Incoming>) -> Failure {
    let status: StatusCode = response.status();
    let body = match whole(response).await {
        Ok(body) => body,
        Err(failure) => return failure,
    };
    serde_json::from_slice(&body).unwrap_or_else(|_| {
        let text = format!("the daemon answered {status}");
        Failure::new(Code::Daemon, text)
    })
}

pub(crate) fn unreadable(error: &serde_json::Error) -> Failure {
    Failure {
        causes: vec![error.to_string()],
        ..Failure::new(Code::Daemon, "the daemon's answer cannot be read")
    }
}
