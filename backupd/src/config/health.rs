//! What health looks at besides, as it was configured.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use http::Uri;

/// How many days of room there should be, where nothing is said.
pub(super) const SPACE_DAYS: u32 = 14;

/// The table `[health]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// Web addresses whose certificate and headers are looked at.
    pub urls: Vec<WatchedUrl>,
    /// Files that nobody but their owner may read: absolute paths.
    pub private_files: Vec<PathBuf>,
    /// A repository that will be full sooner is at risk.
    pub space_days: u32,
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            private_files: Vec::new(),
            space_days: SPACE_DAYS,
        }
    }
}

/// An address of the web. Shown, it has no query, in which there may be a token.
#[derive(Clone, PartialEq, Eq)]
pub struct WatchedUrl {
    /// Whether it is asked by TLS.
    pub tls: bool,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What is asked for: path and query.
    pub target: String,
}

/// Why a text is not an address to look at. It repeats nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchedUrlError {
    /// It cannot be parsed, or lacks a part.
    #[error("this is not the address of a web page")]
    NotOne,
    /// User and password in it.
    #[error("the address holds a user or a password")]
    Password,
    /// In clear, beyond this machine.
    #[error("the address is not an `https://` one")]
    Clear,
}

impl WatchedUrlError {
    /// What to do about it: a full sentence.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::NotOne => "Write it as a browser takes it: `https://chat.example.org`.",
            Self::Password => {
                "Remove the password from the address and change it: others may have read it."
            }
            Self::Clear => {
                "Write `https://`; `http://` is for loopback addresses alone: what is served in \
                 clear has no certificate to look at."
            }
        }
    }
}

impl FromStr for WatchedUrl {
    type Err = WatchedUrlError;

    fn from_str(text: &str) -> Result<Self, WatchedUrlError> {
        let uri: Uri = text.parse().map_err(|_| WatchedUrlError::NotOne)?;
        let authority = uri.authority().ok_or(WatchedUrlError::NotOne)?;
        if authority.as_str().contains('@') {
            return Err(WatchedUrlError::Password);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let loopback = host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if loopback => false,
            Some("http") => return Err(WatchedUrlError::Clear),
            _ => return Err(WatchedUrlError::NotOne),
        };
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let target = uri.path_and_query().map_or("/", |it| it.as_str());
        if host.is_empty() {
            return Err(WatchedUrlError::NotOne);
        }
        let target = target.to_owned();
        Ok(Self {
            tls,
            host,
            port,
            target,
        })
    }
}

impl WatchedUrl {
    /// Host and port as they stand in an address, without the port that is meant anyway.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for WatchedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let path = self.target.split('?').next().unwrap_or_default();
        let path = path.strip_suffix('/').unwrap_or(path);
        write!(f, "{scheme}://{}{path}", self.authority())
    }
}

impl fmt::Debug for WatchedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
