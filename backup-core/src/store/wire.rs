//! One request to a server and its answer: paced, never stuck, and with errors that can be shown.
//!
//! A request fails when nothing moves for a while, however long it takes as a whole: a pack over
//! a slow line is no fault. Of an answer that is an error only code and message are kept: some
//! servers send back what they were sent, tokens included.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
        HttpResponse, HttpResponseBody, HttpService,
    },
};
use tokio::time::{Instant, Sleep, timeout_at};

use super::{pace::Pace, s3::Limits};

const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// How long nothing may move.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes that are moved between two looks at the clock.
const PIECE: usize = 16 << 10;
/// Of an error's text no more is read.
const MAX_ERROR_TEXT: usize = 64 << 10;
/// What servers say when they are full.
const FULL: &[&str] = &[
    "QuotaExceeded",
    "InsufficientStorage",
    "XMinioStorageFull",
    "XMinioAdminBucketQuotaExceeded",
];
/// What they say of a token that is too old, with a status that does not tell.
const EXPIRED: &[&str] = &["ExpiredToken", "InvalidToken", "RequestExpired"];

/// Connections to a server.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    client: reqwest::Client,
    upload: Option<Arc<Pace>>,
    download: Option<Arc<Pace>>,
    patience: Duration,
}

/// Nothing moved.
#[derive(Debug, thiserror::Error)]
#[error("nothing moved for {} s", .0.as_secs())]
struct Stalled(Duration);

/// The client made an address that is none.
#[derive(Debug, thiserror::Error)]
#[error("the address of the object is no URL")]
struct NotUrl;

impl Wire {
    /// Connections within limits. No proxy is used to reach this machine.
    pub(super) fn new(limits: Limits, local: bool) -> Result<Self, reqwest::Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Whoever is quicker has installed one: all the same to us.
            rustls::crypto::ring::default_provider()
                .install_default()
                .ok();
        }
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("backupd/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN);
        if local {
            builder = builder.no_proxy();
        }
        let pace = |limit: Option<u64>| limit.map(|per_sec| Arc::new(Pace::new(per_sec)));
        Ok(Self {
            client: builder.build()?,
            upload: pace(limits.upload_per_sec),
            download: pace(limits.download_per_sec),
            patience: PATIENCE,
        })
    }

    /// Sends a request and waits for the head of the answer while anything moves.
    async fn send(&self, request: HttpRequest) -> Result<reqwest::Response, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string().parse();
        let url = url.map_err(|_| HttpError::new(HttpErrorKind::Unknown, NotUrl))?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        let moved = Moved::now();
        if body.content_length() > 0 {
            let outgoing = Outgoing {
                body,
                piece: Bytes::new(),
                pace: self.upload.clone(),
                turn: None,
                moved: moved.clone(),
            };
            *request.body_mut() = Some(reqwest::Body::wrap(outgoing));
        }
        let mut answer = std::pin::pin!(self.client.execute(request));
        loop {
            let last = moved.last();
            match timeout_at(last + self.patience, &mut answer).await {
                Ok(answer) => return answer.map_err(failed),
                Err(_) if moved.last() > last => {}
                Err(_) => {
                    let stalled = Stalled(self.patience);
                    return Err(HttpError::new(HttpErrorKind::Request, stalled));
                }
            }
        }
    }

    fn incoming(&self, body: reqwest::Body) -> Incoming {
        Incoming {
            body,
            pace: self.download.clone(),
            turn: None,
            deadline: Box::pin(tokio::time::sleep(self.patience)),
            patience: self.patience,
        }
    }
}

#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer: http::Response<reqwest::Body> = self.send(request).await?.into();
        let (mut parts, body) = answer.into_parts();
        let body = HttpResponseBody::new(self.incoming(body));
        let status = parts.status;
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(HttpResponse::from_parts(parts, body));
        }
        let text = error_text(body).await;
        let said = Said::read(&text);
        if let Some(kind) = refusal(status, said.code) {
            let text = format!("the server said {status} {}", said.to_text());
            let refused = io::Error::new(kind, text.trim_end());
            return Err(HttpError::new(HttpErrorKind::Unknown, refused));
        }
        parts.headers.remove(http::header::CONTENT_LENGTH);
        let body = HttpResponseBody::from(said.to_text());
        Ok(HttpResponse::from_parts(parts, body))
    }
}

/// Gives the store's client its connections.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Wire);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

/// What the client tells apart for some requests only, and is the same for all: nothing is
/// retried, and the kind is what the error's code is made from.
fn refusal(status: StatusCode, code: &str) -> Option<io::ErrorKind> {
    if status == StatusCode::INSUFFICIENT_STORAGE || FULL.contains(&code) {
        return Some(io::ErrorKind::StorageFull);
    }
    let denied = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
    (denied || EXPIRED.contains(&code)).then_some(io::ErrorKind::PermissionDenied)
}

/// What went wrong below, and whether it may be tried again: everything but what would go wrong
/// in the same way.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else if error.is_builder() || error.is_redirect() {
        HttpErrorKind::Unknown
    } else {
        HttpErrorKind::Request
    };
    HttpError::new(kind, error.without_url())
}

/// The text of an answer that is an error, as far as it comes.
async fn error_text(body: HttpResponseBody) -> String {
    let mut pieces = body.bytes_stream();
    let mut text = Vec::new();
    while let Ok(Some(piece)) = pieces.try_next().await {
        text.extend_from_slice(&piece);
        if text.len() > MAX_ERROR_TEXT {
            break;
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The parts of an error that are for people.
struct Said<'a> {
    code: &'a str,
    message: &'a str,
}

impl<'a> Said<'a> {
    fn read(xml: &'a str) -> Self {
        let element = |name: &str| {
            let (_, rest) = xml.split_once(&format!("<{name}>"))?;
            let (text, _) = rest.split_once(&format!("</{name}>"))?;
            Some(text)
        };
        Self {
            code: element("Code").unwrap_or_default(),
            message: element("Message").unwrap_or_default(),
        }
    }

    fn to_text(&self) -> String {
        let parts = [self.code, self.message].map(str::trim);
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(": ")
    }
}

/// When something moved last.
#[derive(Clone, Debug)]
struct Moved(Arc<Mutex<Instant>>);

impl Moved {
    fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

type Turn = Option<Pin<Box<Sleep>>>;

/// Waits until it is our turn.
fn poll_turn(turn: &mut Turn, cx: &mut Context<'_>) -> Poll<()> {
    if let Some(sleep) = turn {
        ready!(sleep.as_mut().poll(cx));
        *turn = None;
    }
    Poll::Ready(())
}

/// Takes a turn for some bytes.
fn take_turn(pace: Option<&Pace>, bytes: usize) -> Turn {
    let wait = pace?.take(bytes);
    (!wait.is_zero()).then(|| Box::pin(tokio::time::sleep(wait)))
}

/// A request's body, in pieces.
struct Outgoing {
    body: HttpRequestBody,
    /// What the body gave and was not sent yet.
    piece: Bytes,
    pace: Option<Arc<Pace>>,
    /// Until when the next piece has to wait.
    turn: Turn,
    moved: Moved,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        ready!(poll_turn(&mut this.turn, cx));
        this.moved.mark();
        while this.piece.is_empty() {
            let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)?) else {
                return Poll::Ready(None);
            };
            this.piece = frame.into_data().unwrap_or_default();
        }
        let next = this.piece.split_to(PIECE.min(this.piece.len()));
        this.turn = take_turn(this.pace.as_deref(), next.len());
        Poll::Ready(Some(Ok(Frame::data(next))))
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.size_hint().exact().unwrap_or_default();
        SizeHint::with_exact(rest + self.piece.len() as u64)
    }
}

/// An answer's body.
struct Incoming {
    body: reqwest::Body,
    pace: Option<Arc<Pace>>,
    /// Until when the next piece has to wait.
    turn: Turn,
    deadline: Pin<Box<Sleep>>,
    patience: Duration,
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        if this.turn.is_some() {
            ready!(poll_turn(&mut this.turn, cx));
            this.deadline.as_mut().reset(Instant::now() + this.patience);
        }
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            ready!(this.deadline.as_mut().poll(cx));
            let stalled = Stalled(this.patience);
            return Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Request, stalled))));
        };
        this.deadline.as_mut().reset(Instant::now() + this.patience);
        let frame = frame.map(|frame| frame.map_err(failed));
        if let Some(Ok(data)) = &frame {
            let bytes = data.data_ref().map_or(0, Bytes::len);
            this.turn = take_turn(this.pace.as_deref(), bytes);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn of_an_error_only_code_and_message_are_kept() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code>\
                   <Message>The signature is wrong.</Message>\
                   <StringToSign>x-amz-security-token:geheim</StringToSign></Error>";
        let text = Said::read(xml).to_text();
        assert_eq!(text, "SignatureDoesNotMatch: The signature is wrong.");
        assert_eq!(Said::read("<html>geheim").to_text(), "");
    }

    /// A server that says this to whoever asks, and then nothing more.
    async fn silent_after(words: &'static str) -> (HttpRequest, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/x", listener.local_addr().unwrap());
        let task = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            assert!(socket.read(&mut [0; 1024]).await.unwrap() > 0);
            socket.write_all(words.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.uri_mut() = address.parse().unwrap();
        (request, task)
    }

    #[tokio::test]
    async fn what_does_not_move_is_given_up() {
        let wire = Wire {
            patience: Duration::from_millis(500),
            ..Wire::new(Limits::default(), true).unwrap()
        };
        let (request, server) = silent_after("").await;
        let error = wire.call(request).await.unwrap_err();
        assert!(error.to_string().contains("nothing moved"), "{error}");
        assert_eq!(error.kind(), HttpErrorKind::Request);
        server.abort();

        // On a busy machine even the first words may come too late; then there is more time.
        let mut patience = wire.patience;
        let (answer, server) = loop {
            let wire = Wire {
                patience,
                ..Wire::new(Limits::default(), true).unwrap()
            };
            let (request, server) =
                silent_after("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc").await;
            match wire.call(request).await {
                Ok(answer) => break (answer, server),
                Err(error) => assert!(patience < Duration::from_secs(30), "{error}"),
            }
            server.abort();
            patience *= 2;
        };
        let error = answer.into_body().bytes().await.unwrap_err();
        assert!(error.to_string().contains("nothing moved"), "{error}");
        server.abort();
    }
}
