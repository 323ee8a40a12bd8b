//! Where a daemon is: at a socket of this machine, or on a network. One grammar, for those who
//! listen and those who ask.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where a daemon listens, or is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A socket of this machine: an absolute path.
    Unix(PathBuf),
    /// In clear, which never leaves the machine: a loopback address.
    Http(SocketAddr),
    /// By TLS.
    Https {
        /// A name or an address, without the brackets of IPv6.
        host: String,
        /// The port.
        port: u16,
    },
}

/// A text that is no address of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Begins with none of the three words.
    #[error("an address begins with `unix:`, `https://` or `http://`")]
    Scheme,
    /// `unix:` and no absolute path.
    #[error("the path of a socket must be absolute")]
    Path,
    /// A path longer than the kernel takes.
    #[error("the path of a socket has at most {} bytes", Address::LONGEST_PATH)]
    LongPath,
    /// `http://` beyond loopback.
    #[error("http:// goes to loopback addresses only: tokens and answers would be readable")]
    Plain,
    /// No port, or one that is none.
    #[error("an address on a network ends in a port from 1 to 65535")]
    Port,
    /// No host, or one that cannot be.
    #[error("an address on a network names a host, and neither a user nor a path")]
    Host,
}

impl AddressError {
    /// What to do about it: a full sentence.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Scheme => {
                "Write `unix:/run/backupd/api.sock`, `https://192.0.2.7:8443` or \
                 `http://127.0.0.1:8080`."
            }
            Self::Path => "Begin the path with `/`: `unix:/run/backupd/api.sock`.",
            Self::LongPath => "Use a folder nearer to `/`.",
            Self::Plain => {
                "Use https://, which needs no certificate of your own; or an address such as \
                 `127.0.0.1`, which is no name."
            }
            Self::Port => "Add a port: `https://192.0.2.7:8443`.",
            Self::Host => "Write it as `https://host:port`, and IPv6 addresses in brackets.",
        }
    }
}

impl Address {
    /// What the kernel takes, with the zero after it.
    pub const LONGEST_PATH: usize = 107;

    /// The socket at a path.
    pub fn unix(path: &Path) -> Self {
        Self::Unix(path.to_owned())
    }

    /// What goes into `Host`.
    pub(crate) fn authority(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".to_owned(),
            Self::Http(address) => address.to_string(),
            Self::Https { host, port } if host.parse::<Ipv6Addr>().is_ok() => {
                format!("[{host}]:{port}")
            }
            Self::Https { host, port } => format!("{host}:{port}"),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Http(_) => write!(f, "http://{}", self.authority()),
            Self::Https { .. } => write!(f, "https://{}", self.authority()),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = Path::new(path);
            if !path.is_absolute() {
                return Err(AddressError::Path);
            }
            if path.as_os_str().len() > Self::LONGEST_PATH {
                return Err(AddressError::LongPath);
            }
            return Ok(Self::unix(path));
        }
        if let Some(rest) = text.strip_prefix("https://") {
            let (host, port) = host_and_port(rest)?;
            return Ok(Self::Https { host, port });
        }
        let rest = text.strip_prefix("http://").ok_or(AddressError::Scheme)?;
        let (host, port) = host_and_port(rest)?;
        let address: IpAddr = host.parse().map_err(|_| AddressError::Plain)?;
        if !address.is_loopback() {
            return Err(AddressError::Plain);
        }
        Ok(Self::Http(SocketAddr::new(address, port)))
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), AddressError> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.contains(['/', '@', '?', '#']) {
        return Err(AddressError::Host);
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(AddressError::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| AddressError::Host)?;
            (host, rest.strip_prefix(':').ok_or(AddressError::Port)?)
        }
        None => text.rsplit_once(':').ok_or(AddressError::Port)?,
    };
    // `parse` takes a sign.
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| digits && *port != 0);
    let port = port.ok_or(AddressError::Port)?;
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let name = !host.is_empty() && host.len() <= 253 && host.bytes().all(letter);
    if !name && host.parse::<Ipv6Addr>().is_err() {
        return Err(AddressError::Host);
    }
    if !name && !text.starts_with('[') {
        return Err(AddressError::Host);
    }
    Ok((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_being_shown() {
        for text in [
            "unix:/run/backupd/api.sock",
            "https://vault01.example.org:8443",
            "https://192.0.2.7:8443",
            "https://[2001:db8::1]:443",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let upper: Address = "https://Vault01:8443/".parse().unwrap();
        assert_eq!(upper.to_string(), "https://vault01:8443");
    }

    #[test]
    fn what_is_no_address_says_why() {
        let long = format!("unix:/{}", "a".repeat(107));
        for (text, expected) in [
            ("", AddressError::Scheme),
            ("/run/api.sock", AddressError::Scheme),
            ("ftp://a:1", AddressError::Scheme),
            ("unix:api.sock", AddressError::Path),
            ("unix:", AddressError::Path),
            (&long, AddressError::LongPath),
            ("http://192.0.2.7:8080", AddressError::Plain),
            ("http://0.0.0.0:8080", AddressError::Plain),
            ("http://[::]:8080", AddressError::Plain),
            ("http://localhost:8080", AddressError::Plain),
            ("https://vault", AddressError::Port),
            ("https://vault:", AddressError::Port),
            ("https://vault:0", AddressError::Port),
            ("https://vault:+1", AddressError::Port),
            ("https://vault:65536", AddressError::Port),
            ("https://[::1]", AddressError::Port),
            ("https://:8443", AddressError::Host),
            ("https://2001:db8::1:443", AddressError::Host),
            ("https://a:b@vault:1", AddressError::Host),
            ("https://vault:1/path", AddressError::Host),
            ("https://va ult:1", AddressError::Host),
            ("https://[vault]:1", AddressError::Host),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert_eq!(error, expected, "{text}");
            assert!(error.help().ends_with('.'), "{text}");
        }
    }
}
