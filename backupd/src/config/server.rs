//! How the daemon works and is reached, as it was configured.

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use backupd_api::Scopes;
use ipnet::IpNet;

use super::SecretRef;

/// How the daemon works, and who may reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// What it is called where people see several.
    pub name: String,
    /// How many jobs run at once; the others wait.
    pub parallel: NonZeroUsize,
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// By which names it is asked, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// What those may do without a token who can open the socket, and are neither root nor the
    /// daemon's user.
    pub group_scopes: Scopes,
    /// Whose word counts about where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Where clients without the scope `admin` may have folders restored: absolute paths.
    pub restore_folders: Vec<PathBuf>,
    /// A certificate of its own; without one the daemon makes one.
    pub tls: Option<TlsConfig>,
}

/// A place where the daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// At a socket of this machine: an absolute path.
    Unix(PathBuf),
    /// In clear, at a loopback address.
    Http(SocketAddr),
    /// By TLS.
    Https(SocketAddr),
}

/// Where a certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate and those between it and its root, as PEM; an absolute path.
    pub certificate: PathBuf,
    /// The key, as PEM.
    pub key: SecretRef,
}

impl ServerConfig {
    /// The socket at which programs of this machine find the daemon.
    pub fn socket(&self) -> Option<&Path> {
        self.listen.iter().find_map(|listen| match listen {
            Listen::Unix(path) => Some(path.as_path()),
            Listen::Http(_) | Listen::Https(_) => None,
        })
    }
}
