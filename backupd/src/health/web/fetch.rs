//! One page and its headers. Its body is left where it is. A redirect is followed as far as it
//! stays at the same place: what another host sends is not ours to judge.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::meet::{Met, meeting};
use crate::config::WatchedUrl;

const REDIRECTS: usize = 4;

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
}

/// Who answered, where that is by TLS, and what; else why there is no answer.
pub(super) async fn fetch(
    url: &WatchedUrl,
    now: Timestamp,
) -> (Option<Met>, Result<Answer, String>) {
    let (mut met, mut answer) = ask(url, now).await;
    let mut at = url.clone();
    for _ in 0..REDIRECTS {
        let Some(next) = answer.as_ref().ok().and_then(|it| same_place(&at, it)) else {
            break;
        };
        at = next;
        (met, answer) = ask(&at, now).await;
    }
    (met, answer)
}

/// Where an answer leads to, if that is here.
fn same_place(url: &WatchedUrl, answer: &Answer) -> Option<WatchedUrl> {
    if !(300..400).contains(&answer.status) {
        return None;
    }
    let location = answer.headers.get(header::LOCATION)?.to_str().ok()?;
    let target = if location.starts_with('/') && !location.starts_with("//") {
        location.to_owned()
    } else {
        let other: WatchedUrl = location.parse().ok()?;
        let same = (other.tls, &other.host, other.port) == (url.tls, &url.host, url.port);
        same.then_some(other.target)?
    };
    Some(WatchedUrl {
        target,
        ..url.clone()
    })
}

async fn ask(url: &WatchedUrl, now: Timestamp) -> (Option<Met>, Result<Answer, String>) {
    let plain = match TcpStream::connect((url.host.as_str(), url.port)).await {
        Ok(plain) => plain,
        Err(error) => return (None, Err(format!("nobody answers: {error}"))),
    };
    if !url.tls {
        return (None, exchange(url, Box::new(plain)).await);
    }
    let (meeting, config) = match meeting(now) {
        Ok(made) => made,
        Err(error) => return (None, Err(error.to_string())),
    };
    let name = match ServerName::try_from(url.host.clone()) {
        Ok(name) => name,
        Err(error) => return (None, Err(error.to_string())),
    };
    let opened = TlsConnector::from(Arc::clone(&config))
        .connect(name, plain)
        .await;
    let answer = match opened {
        Ok(stream) => exchange(url, Box::new(stream)).await,
        Err(error) => Err(format!("it does not show who it is: {error}")),
    };
    (meeting.met(), answer)
}

async fn exchange(url: &WatchedUrl, stream: Box<dyn Stream>) -> Result<Answer, String> {
    // Not its text, which may repeat what is asked for.
    let gone = |error: hyper::Error| format!("the connection broke off: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(gone)?;
    let connection = tokio::spawn(connection);
    let request = Request::get(&url.target)
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, "backupd-health")
        .header(header::ACCEPT, "*/*")
        .body(Empty::<Bytes>::new())
        .map_err(|_| "the address cannot be asked for".to_owned())?;
    let response = sender.send_request(request).await.map_err(gone)?;
    let (parts, _) = response.into_parts();
    connection.abort();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_redirect_is_followed_to_the_same_place_only() {
        let url: WatchedUrl = "https://chat.example.org/a".parse().unwrap();
        let next = |status, location: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, HeaderValue::from_static(location));
            same_place(&url, &Answer { status, headers }).map(|url| url.target)
        };
        assert_eq!(next(302, "/login").as_deref(), Some("/login"));
        assert_eq!(
            next(301, "https://chat.example.org/b?c").as_deref(),
            Some("/b?c")
        );
        for (status, location) in [
            (200, "/login"),
            (302, "https://example.org/"),
            (302, "http://chat.example.org/"),
            (302, "https://chat.example.org:8443/"),
            (302, "//example.org/"),
            (302, "file:///etc/passwd"),
        ] {
            assert_eq!(next(status, location), None, "{location}");
        }
    }
}
