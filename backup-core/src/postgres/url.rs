//! Reads `postgres://user@host:port/database?host=/socket`.
//!
//! A password in a URL ends up in process lists, histories and logs, so it is refused and never
//! repeated: errors name the part of the URL, not what stands there.

use std::time::Duration;

use backup_model::Code;

use super::{Connection, Host};

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_SOCKET: &str = "/var/run/postgresql";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a URL is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It does not begin with `postgres://` or `postgresql://`.
    #[error("a database URL begins with postgres://")]
    Scheme,
    /// It holds a password.
    #[error("the database URL holds a password")]
    Password,
    /// A part is missing.
    #[error("the database URL has no {0}")]
    Missing(&'static str),
    /// A part is not what it should be.
    #[error("the {0} in the database URL is not valid")]
    Invalid(&'static str),
    /// A parameter that nothing here understands.
    #[error(
        "the database URL has a parameter that is not host, port, user, dbname or connect_timeout"
    )]
    Parameter,
}

impl UrlError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Password => Code::SecretInArgument,
            Self::Scheme | Self::Missing(_) | Self::Invalid(_) | Self::Parameter => Code::Usage,
        }
    }
}

#[derive(Default)]
struct Parts {
    host: Option<Host>,
    port: Option<u16>,
    user: Option<String>,
    database: Option<String>,
    timeout: Option<Duration>,
}

impl Connection {
    /// Reads a URL; parameters win over what stands before the `?`. Without a host it is the
    /// local socket; without a database, the one named as the user.
    pub fn from_url(url: &str) -> Result<Self, UrlError> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or(UrlError::Scheme)?;
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut parts = Parts::default();
        parts.read_address(address)?;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parts.read_parameter(&decode(name, "parameter")?, value)?;
        }
        let user = parts.user.ok_or(UrlError::Missing("user"))?;
        Ok(Self {
            host: parts
                .host
                .unwrap_or_else(|| Host::Socket(DEFAULT_SOCKET.into())),
            port: parts.port.unwrap_or(DEFAULT_PORT),
            database: parts.database.unwrap_or_else(|| user.clone()),
            user,
            password: None,
            connect_timeout: parts.timeout.unwrap_or(DEFAULT_TIMEOUT),
        })
    }
}

impl Parts {
    fn read_address(&mut self, address: &str) -> Result<(), UrlError> {
        // The last `@`: an unescaped one in a password must not let the password pass for a host.
        let place = match address.rsplit_once('@') {
            Some((login, _)) if login.contains(':') => return Err(UrlError::Password),
            Some((login, place)) => {
                self.user = Some(text(login, "user")?);
                place
            }
            None => address,
        };
        let (server, database) = place.split_once('/').unwrap_or((place, ""));
        if !database.is_empty() {
            self.database = Some(text(database, "database")?);
        }
        let (host, port) = match server.strip_prefix('[') {
            Some(v6) => {
                let (host, rest) = v6.split_once(']').ok_or(UrlError::Invalid("host"))?;
                (host, rest.strip_prefix(':'))
            }
            None => server
                .split_once(':')
                .map_or((server, None), |(host, port)| (host, Some(port))),
        };
        if !host.is_empty() {
            self.host = Some(host_of(host)?);
        }
        if let Some(port) = port {
            self.port = Some(port.parse().map_err(|_| UrlError::Invalid("port"))?);
        }
        Ok(())
    }

    fn read_parameter(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        match name {
            "host" => self.host = Some(host_of(value)?),
            "port" => self.port = Some(value.parse().map_err(|_| UrlError::Invalid("port"))?),
            "user" => self.user = Some(text(value, "user")?),
            "dbname" => self.database = Some(text(value, "database")?),
            "connect_timeout" => {
                let secs = value.parse().ok().filter(|&secs| secs > 0);
                let secs = secs.ok_or(UrlError::Invalid("connect_timeout"))?;
                self.timeout = Some(Duration::from_secs(secs));
            }
            "password" | "sslpassword" => return Err(UrlError::Password),
            _ => return Err(UrlError::Parameter),
        }
        Ok(())
    }
}

/// One host: a list of them would mean another server for us than for the client programs.
fn host_of(encoded: &str) -> Result<Host, UrlError> {
    let host = text(encoded, "host")?;
    if host.starts_with('/') {
        Ok(Host::Socket(host.into()))
    } else if host.contains([',', '/', '@', ' ']) {
        Err(UrlError::Invalid("host"))
    } else {
        Ok(Host::Tcp(host))
    }
}

fn text(encoded: &str, part: &'static str) -> Result<String, UrlError> {
    decode(encoded, part).and_then(|text| {
        let fits = !text.is_empty() && !text.contains('\0');
        fits.then_some(text).ok_or(UrlError::Invalid(part))
    })
}

/// Takes `%20` for a space; `+` is a plus.
fn decode(encoded: &str, part: &'static str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_at_checked(2).ok_or(UrlError::Invalid(part))?;
            let byte = data_encoding::HEXLOWER_PERMISSIVE.decode(digits);
            bytes.extend(byte.map_err(|_| UrlError::Invalid(part))?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Invalid(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_parameters_are_read_and_decoded() {
        let c =
            Connection::from_url("postgres://a%40b@[::1]:5433/my%20db?connect_timeout=3").unwrap();
        assert_eq!(c.host, Host::Tcp("::1".to_owned()));
        assert_eq!(
            (c.port, c.user.as_str(), c.database.as_str()),
            (5433, "a@b", "my db")
        );
        assert_eq!(c.connect_timeout, Duration::from_secs(3));
        let c = Connection::from_url("postgresql://webui@/webui?host=/run/pg&port=1").unwrap();
        assert_eq!(c.host, Host::Socket("/run/pg".into()));
        assert_eq!(c.port, 1);
        let c = Connection::from_url("postgres://webui@").unwrap();
        assert_eq!(c.host, Host::Socket(DEFAULT_SOCKET.into()));
        assert_eq!(c.database, "webui");
    }

    #[test]
    fn a_password_is_refused_wherever_it_stands_and_never_repeated() {
        for url in [
            "postgres://u:hunter2@h/db",
            "postgres://u:@h/db",
            "postgres://u:hunter2@x@h/db",
            "postgres://u:hun/ter2@h/db",
            "postgres://u@h/db?password=hunter2",
            "postgres://u@h/db?pass%77ord=hunter2",
        ] {
            let error = Connection::from_url(url).unwrap_err();
            assert_eq!(error.code(), Code::SecretInArgument, "{url}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (url, error) in [
            ("mysql://u@h", UrlError::Scheme),
            ("postgres://h/db", UrlError::Missing("user")),
            ("postgres://u@h:x/db", UrlError::Invalid("port")),
            ("postgres://u@h,i/db", UrlError::Invalid("host")),
            ("postgres://u@h/d%0", UrlError::Invalid("database")),
            ("postgres://u@h/d%00", UrlError::Invalid("database")),
            ("postgres://u@h/db?sslmode=require", UrlError::Parameter),
        ] {
            assert_eq!(Connection::from_url(url).unwrap_err(), error, "{url}");
        }
    }
}
