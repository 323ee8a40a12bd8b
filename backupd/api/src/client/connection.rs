//! One request to a daemon and its answer. A connection is made for each: they are cheap on a
//! socket, and none is found dead when it is needed.

use std::{io, path::Path, sync::Arc, time::Duration};

use backup_model::{Code, Failure};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::identity::{Verifier, verified};
use crate::{Address, Fingerprint};

/// What a single answer may hold.
const LARGEST_ANSWER: usize = 256 << 20;
/// How long the daemon may take to take a connection, and to show who it is.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take until it begins to answer a question about itself.
const SHORT: Duration = Duration::from_secs(30);
/// The same where it has to look into a repository first, which may have many records and be far
/// away; and how long any answer may take to come whole.
const LONG: Duration = Duration::from_mins(15);

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

impl Target {
    /// A socket of this machine, for whoever needs no token there.
    pub fn socket(path: &Path) -> Self {
        Self {
            address: Address::unix(path),
            token: None,
            pin: None,
        }
    }
}

/// A daemon that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Daemon {
    address: Address,
    authorization: Option<HeaderValue>,
    tls: Option<Tls>,
    patience: Duration,
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
            patience: SHORT,
        })
    }

    /// The same, for a question whose answer is in a repository.
    pub(crate) fn patient(&self) -> Self {
        Self {
            patience: LONG,
            ..self.clone()
        }
    }

    /// The same with another patience.
    #[cfg(test)]
    pub(crate) fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Whether anybody listens there. Where that cannot be seen, it is a failure.
    pub(crate) async fn is_there(&self) -> Result<bool, Failure> {
        let Address::Unix(path) = &self.address else {
            return Ok(true);
        };
        let connected = timeout(CONNECT, UnixStream::connect(path)).await;
        match connected.map_err(|_| self.slow(CONNECT))? {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                // No socket, or one that a daemon left.
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(false),
                _ => Err(self.gone(&error)),
            },
        }
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
        let request = self.request(method, path, key, wiped(body)?)?;
        self.answer(request).await
    }

    async fn answer<A: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<A, Failure> {
        let response = self.exchange(request).await?;
        let body = timeout(LONG, whole(response)).await;
        let body = body.map_err(|_| self.slow(LONG))??;
        serde_json::from_slice(&body).map_err(|error| unreadable(&error))
    }

    /// Asks, and gives the answer while it comes. A refusal is a failure.
    pub(crate) async fn stream(&self, path: &str) -> Result<Incoming, Failure> {
        let request = self.request(Method::GET, path, None, Bytes::new())?;
        Ok(self.exchange(request).await?.into_body())
    }

    /// The same with a body.
    pub(crate) async fn stream_of(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Incoming, Failure> {
        let request = self.request(Method::POST, path, None, wiped(body)?)?;
        Ok(self.exchange(request).await?.into_body())
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Failure> {
        let stream = timeout(CONNECT, self.open()).await;
        let stream = stream.map_err(|_| self.slow(CONNECT))??;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.gone(&error))?;
        // Its errors come to the sender and the body as well.
        tokio::spawn(async move { connection.await.ok() });
        let response = timeout(self.patience, sender.send_request(request)).await;
        let response = response.map_err(|_| self.slow(self.patience))?;
        let response = response.map_err(|error| self.gone(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let refused = timeout(self.patience, refusal(response)).await;
        Err(refused.unwrap_or_else(|_| self.slow(self.patience)))
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
        let text = format!("no daemon answers at {}", self.shown());
        Failure::new(Code::Daemon, text).because(Failure::from_error(Code::Daemon, error))
    }

    fn slow(&self, patience: Duration) -> Failure {
        let (shown, secs) = (self.shown(), patience.as_secs());
        let text = format!("the daemon at {shown} did not answer within {secs} s");
        Failure::new(Code::Daemon, text)
    }

    /// A socket is shown as the path that it is.
    fn shown(&self) -> String {
        match &self.address {
            Address::Unix(path) => path.display().to_string(),
            address @ (Address::Http(_) | Address::Https { .. }) => address.to_string(),
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

fn wiped(body: &impl Serialize) -> Result<Bytes, Failure> {
    let body = crate::secret_body(body);
    let body = body.map_err(|error| Failure::from_error(Code::Bug, &error))?;
    Ok(Bytes::from_owner(Wiped(body)))
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

/// What is no JSON broke off, or came from somebody else; what is another JSON is of another version.
pub(crate) fn unreadable(error: &serde_json::Error) -> Failure {
    let code = match error.classify() {
        Category::Data => Code::DaemonVersion,
        _ => Code::Daemon,
    };
    Failure {
        causes: vec![error.to_string()],
        ..Failure::new(code, "the daemon's answer cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_another_version_is_told_from_a_broken_one() {
        let code = |text: &str| {
            let read = serde_json::from_str::<Vec<u8>>(text);
            unreadable(&read.unwrap_err()).code
        };
        assert_eq!(code(r#"{"jobs": []}"#), Code::DaemonVersion);
        assert_eq!(code("[1, 2"), Code::Daemon);
        assert_eq!(code("<html>"), Code::Daemon);
    }
}
