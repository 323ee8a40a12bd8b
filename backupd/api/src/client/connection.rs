//! One request to a daemon and its answer. A connection is made for each: they are cheap on a
//! socket, and none is found dead when it is needed.

use std::{io, sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::identity::{Verifier, verified};
use crate::{Address, Fingerprint};

/// What a single answer may hold.
const LARGEST_ANSWER: usize = 256 << 20;
/// How long the daemon may take to take a connection, and to show who it is.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a daemon is, who we are to it, and how it shows who it is.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it is.
    pub address: Address,
    /// Our token. A socket may do without.
    pub token: Option<SecretString>,
    /// The key that a daemon on a network must have. Without it, an authority that this machine
    /// trusts must vouch for its name.
    pub pin: Option<Fingerprint>,
}

/// A daemon that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    address: Address,
    authorization: Option<HeaderValue>,
    tls: Option<Tls>,
}

#[derive(Clone, Debug)]
struct Tls {
    verifier: Arc<Verifier>,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// A connection of any kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A body that is wiped when it was sent.
struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Daemon {
    pub(crate) fn at(target: Target) -> Result<Self, Failure> {
        let Target {
            address,
            token,
            pin,
        } = target;
        let authorization = token.map(|token| authorization(&token)).transpose()?;
        let tls = match &address {
            Address::Unix(_) | Address::Http(_) => None,
            Address::Https { host, .. } => {
                let name = ServerName::try_from(host.clone());
                let name = name.map_err(|error| Failure::from_error(Code::Usage, &error))?;
                let (verifier, config) = verified(pin)?;
                Some(Tls {
                    verifier,
                    config,
                    name,
                })
            }
        };
        Ok(Self {
            address,
            authorization,
            tls,
        })
    }

    /// Asks without a body, and reads the answer.
    pub(crate) async fn ask<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
    ) -> Result<A, Failure> {
        let request = self.request(method, path, None, Bytes::new())?;
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
        let request = self.request(method, path, key, Bytes::from_owner(Wiped(body)))?;
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
        let request = self.request(Method::GET, path, None, Bytes::new())?;
        Ok(self.exchange(request).await?.into_body())
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let stream = tokio::time::timeout(CONNECT, self.open()).await;
        let stream = stream.map_err(|error| self.gone(&error))??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.gone(&error))?;
        // Its errors come to the sender and the body as well.
        tokio::spawn(async move { connection.await.ok() });
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| self.gone(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    async fn open(&self) -> Result<Box<dyn Stream>, Failure> {
        let gone = |error: io::Error| self.gone(&error);
        let plain = match &self.address {
            Address::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(gone)?;
                return Ok(Box::new(stream));
            }
            Address::Http(address) => TcpStream::connect(address).await,
            Address::Https { host, port } => TcpStream::connect((host.as_str(), *port)).await,
        };
        let plain = plain.map_err(gone)?;
        // Requests are written at once; waiting to fill packets would only make them late.
        plain.set_nodelay(true).map_err(gone)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(plain));
        };
        let connector = TlsConnector::from(Arc::clone(&tls.config));
        let stream = connector.connect(tls.name.clone(), plain).await;
        let stream = stream.map_err(|error| {
            let refusal = tls.verifier.refusal(&self.address, &error);
            refusal.unwrap_or_else(|| self.gone(&error))
        })?;
        Ok(Box::new(stream))
    }

    fn gone(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        // A socket is shown as the path that it is.
        let shown = match &self.address {
            Address::Unix(path) => path.display().to_string(),
            address @ (Address::Http(_) | Address::Https { .. }) => address.to_string(),
        };
        let text = format!("no daemon answers at {shown}");
        let cause = Failure::from_error(Code::Daemon, error);
        let causes = std::iter::once(cause.message).chain(cause.causes);
        Failure {
            causes: causes.collect(),
            ..Failure::new(Code::Daemon, text)
        }
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.authority());
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
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
}

/// The header with a token. It does not show itself.
fn authorization(token: &SecretString) -> Result<HeaderValue, Failure> {
    let text = Zeroizing::new(format!("Bearer {}", token.expose_secret().trim()));
    let value = HeaderValue::from_str(&text);
    // Not its text, which may repeat what was in the token.
    let mut value = value.map_err(|_| Failure::new(Code::Usage, "the token is none"))?;
    value.set_sensitive(true);
    Ok(value)
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
