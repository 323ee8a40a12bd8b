//! How a database is reached: its address, its user, and a session with it.
//!
//! A `Connection` is a description; nothing is opened by having one. The password is kept in a
//! type that prints nothing and is wiped, and leaves it only into the protocol or a private file.

use std::{error::Error as StdError, fmt, io, path::PathBuf, time::Duration};

use backup_model::Code;
use secrecy::{ExposeSecret as _, SecretString};
use tokio_postgres::{Client, Config, NoTls, error::SqlState};

use super::environment::SESSION_OPTIONS;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name or an address.
    Tcp(String),
    /// The folder of a Unix socket.
    Socket(PathBuf),
}

/// A database and how to reach it.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Where the server listens.
    pub host: Host,
    /// Its port; for a socket, the number in the socket's name.
    pub port: u16,
    /// The user to be.
    pub user: String,
    /// The database.
    pub database: String,
    /// The password, where one is asked for.
    pub password: Option<SecretString>,
    /// How long to wait for the server to answer.
    pub connect_timeout: Duration,
}

/// What the server or the connection said.
pub type Said = Box<dyn StdError + Send + Sync>;

/// The cause itself, without the client's own words around it.
pub(crate) fn said(error: tokio_postgres::Error) -> Said {
    if error.source().is_none() {
        return error.into();
    }
    error
        .into_source()
        .unwrap_or_else(|| "no reason was given".into())
}

/// Why there is no session, or no answer in one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// Nobody answers, or not now.
    #[error("cannot reach the database server at {server}")]
    Unreachable {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: Said,
    },
    /// User or password are wrong, or the server's rules keep the user out.
    #[error("the database server at {server} refused user `{user}`")]
    Refused {
        /// The server.
        server: String,
        /// The user.
        user: String,
        /// What the server said.
        #[source]
        source: Said,
    },
    /// The database does not exist.
    #[error("the database server at {server} has no database `{database}`")]
    NoDatabase {
        /// The server.
        server: String,
        /// The database.
        database: String,
        /// What the server said.
        #[source]
        source: Said,
    },
    /// A query failed.
    #[error("the database server refused to {what}")]
    Query {
        /// What it should have done.
        what: &'static str,
        /// What the server said.
        #[source]
        source: Said,
    },
    /// A pass file is made of lines.
    #[error("the password for user `{user}` holds a line break or a NUL")]
    Password {
        /// The user.
        user: String,
    },
    /// The private pass file could not be written.
    #[error("cannot write a private file for the password")]
    PassFile(#[source] io::Error),
}

impl ConnectionError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreachable { .. } => Code::PgConnect,
            Self::Refused { .. } => Code::PgAuth,
            Self::NoDatabase { .. } => Code::PgDatabase,
            Self::Query { .. } => Code::PgQuery,
            Self::Password { .. } => Code::Config,
            Self::PassFile(_) => Code::LocalIo,
        }
    }

    /// Under what a failed query was doing: `list the extensions`.
    pub(crate) fn query(what: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |error| Self::Query {
            what,
            source: said(error),
        }
    }
}

impl Connection {
    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(&self, database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            ..self.clone()
        }
    }

    /// The server as people write it: `host:port`, or the socket's path.
    pub fn server(&self) -> String {
        match &self.host {
            Host::Tcp(host) if host.contains(':') => format!("[{host}]:{}", self.port),
            Host::Tcp(host) => format!("{host}:{}", self.port),
            Host::Socket(folder) => {
                let socket = folder.join(format!(".s.PGSQL.{}", self.port));
                socket.display().to_string()
            }
        }
    }

    /// Opens a session, within `connect_timeout`.
    pub async fn connect(&self) -> Result<Session, ConnectionError> {
        let config = self.config();
        let opening = config.connect(NoTls);
        match tokio::time::timeout(self.connect_timeout, opening).await {
            Ok(Ok((client, driver))) => {
                // Whatever ends the session shows in the next query; there is nobody else to tell.
                tokio::spawn(async move { drop(driver.await) });
                Ok(Session { client })
            }
            Ok(Err(error)) => Err(self.explain(error)),
            Err(elapsed) => Err(ConnectionError::Unreachable {
                server: self.server(),
                source: io::Error::new(io::ErrorKind::TimedOut, elapsed).into(),
            }),
        }
    }

    fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .application_name("backupd")
            .options(SESSION_OPTIONS)
            .connect_timeout(self.connect_timeout);
        match &self.host {
            Host::Tcp(host) => config.host(host),
            Host::Socket(folder) => config.host_path(folder),
        };
        if let Some(password) = &self.password {
            config.password(password.expose_secret());
        }
        config
    }

    fn explain(&self, error: tokio_postgres::Error) -> ConnectionError {
        let server = self.server();
        let state = error.code();
        let refused = state.map_or_else(
            || self.lacks_password(&error),
            |state| state.code().starts_with("28") || *state == SqlState::INSUFFICIENT_PRIVILEGE,
        );
        if refused {
            let user = self.user.clone();
            ConnectionError::Refused {
                server,
                user,
                source: said(error),
            }
        } else if state == Some(&SqlState::INVALID_CATALOG_NAME) {
            let database = self.database.clone();
            ConnectionError::NoDatabase {
                server,
                database,
                source: said(error),
            }
        } else {
            let source = said(error);
            ConnectionError::Unreachable { server, source }
        }
    }

    /// The client itself gives up when the server asks for a password and there is none. That
    /// error has no state; unlike all about the network it has a cause that is not of I/O.
    fn lacks_password(&self, error: &tokio_postgres::Error) -> bool {
        self.password.is_none() && error.source().is_some_and(|cause| !cause.is::<io::Error>())
    }
}

/// An open session. It ends when this is dropped.
pub struct Session {
    client: Client,
}

impl Session {
    /// The client to ask.
    pub fn client(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_password() {
        let connection = Connection {
            host: Host::Tcp("::1".to_owned()),
            port: 5432,
            user: "webui".to_owned(),
            database: "webui".to_owned(),
            password: Some("hunter2".into()),
            connect_timeout: Duration::from_secs(1),
        };
        assert!(!format!("{connection:?}").contains("hunter2"));
        assert_eq!(connection.server(), "[::1]:5432");
        assert_eq!(connection.with_database("x=y").database, "x=y");
    }
}
