//! The servers that somebody has named: a list in a file, and a file for each token. Nothing is
//! kept here between two calls, so that two windows work on one list.
//!
//! `servers.toml` holds no secret. A token lies beside it in `tokens`, which nobody else can enter,
//! and is refused when others can read it. Everything is written whole or not at all.

mod stored;
#[cfg(test)]
mod tests;
mod token;

use std::{
    io,
    path::{Path, PathBuf},
};

use backupd_api::{Address, Fingerprint, Target};
use secrecy::SecretString;

use stored::{Stored, StoredServer};
pub use token::{TokenError, read_token};

/// Where the list is kept.
#[derive(Clone, Debug)]
pub struct Servers {
    folder: Option<PathBuf>,
}

/// A server of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// What somebody calls it.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// The key that it must have.
    pub pin: Option<Fingerprint>,
}

/// What can be wrong with the list.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServersError {
    /// Nowhere to keep it.
    #[error("there is no place for the list of servers: neither XDG_CONFIG_HOME nor HOME is set")]
    NoPlace,
    /// The list cannot be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The list cannot be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no list.
    #[error("{} is not a list of servers", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Why.
        source: toml::de::Error,
    },
    /// A newer program wrote it.
    #[error("{} is of version {found}, and this program knows 1", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A server of it has no address, pin or token file that can be.
    #[error("the server {name} has {what} that is none")]
    Server {
        /// Which.
        name: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The name is in use.
    #[error("there is a server {0} already")]
    Taken(String),
    /// The name is no name.
    #[error("a server's name has 1 to 64 letters, digits, blanks, dots, dashes and underscores")]
    Name,
    /// It was forgotten.
    #[error("there is no server {0} any more")]
    Unknown(String),
    /// Its token cannot be used.
    #[error("the token of the server cannot be used")]
    Token(#[source] TokenError),
}

impl Servers {
    /// Those in a folder, which need not be there yet; without one, none are kept.
    pub const fn in_folder(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// All of them, as they were added.
    pub fn list(&self) -> Result<Vec<Listed>, ServersError> {
        let Some(folder) = &self.folder else {
            return Ok(Vec::new());
        };
        let stored = Stored::read(folder)?;
        stored.servers.iter().map(StoredServer::check).collect()
    }

    /// The one that was used last.
    pub fn last(&self) -> Result<Option<String>, ServersError> {
        let folder = self.folder.as_deref();
        Ok(folder.map(Stored::read).transpose()?.and_then(|it| it.last))
    }

    /// How a server is reached, with its token.
    pub fn target(&self, name: &str) -> Result<Target, ServersError> {
        let (folder, stored) = self.read()?;
        let one = stored.get(name)?;
        let Listed { address, pin, .. } = one.check()?;
        let token = one
            .token
            .as_ref()
            .map(|file| read_token(&folder.join(file)));
        Ok(Target {
            address,
            token: token.transpose().map_err(ServersError::Token)?,
            pin,
        })
    }

    /// Whether one can be added by this name.
    pub fn check_name(&self, name: &str) -> Result<(), ServersError> {
        let letter = |c: char| c.is_alphanumeric() || " .-_".contains(c);
        let fits = (1..=64).contains(&name.chars().count());
        if !fits || name.trim() != name || !name.chars().all(letter) {
            return Err(ServersError::Name);
        }
        let (_, stored) = self.read()?;
        if stored.get(name).is_ok() {
            return Err(ServersError::Taken(name.to_owned()));
        }
        Ok(())
    }

    /// Adds one; its token goes into a file of its own first, so that no list names a token that
    /// is not there.
    pub fn add(&self, new: &Listed, token: Option<&SecretString>) -> Result<(), ServersError> {
        self.check_name(&new.name)?;
        let (folder, mut stored) = self.read()?;
        let token = token.map(|token| token::write(folder, token));
        stored.servers.push(StoredServer {
            name: new.name.clone(),
            address: new.address.to_string(),
            pin: new.pin.map(|pin| pin.to_string()),
            token: token.transpose()?,
        });
        stored.write(folder)
    }

    /// Remembers which one was used last; none if it was none of the list.
    pub fn used(&self, name: Option<&str>) -> Result<(), ServersError> {
        if self.last()?.as_deref() == name {
            return Ok(());
        }
        let (folder, mut stored) = self.read()?;
        stored.last = name
            .map(|name| stored.get(name))
            .transpose()?
            .map(|server| server.name.clone());
        stored.write(folder)
    }

    /// Takes another key for a server's own from now on.
    pub fn trust(&self, name: &str, pin: Fingerprint) -> Result<(), ServersError> {
        let (folder, mut stored) = self.read()?;
        stored.get_mut(name)?.pin = Some(pin.to_string());
        stored.write(folder)
    }

    /// Forgets one, and deletes its token here; on the server the token counts still.
    pub fn forget(&self, name: &str) -> Result<(), ServersError> {
        let (folder, mut stored) = self.read()?;
        let token = stored.get(name)?.token.clone();
        stored.servers.retain(|server| server.name != name);
        stored.last = stored.last.take().filter(|last| last != name);
        stored.write(folder)?;
        token.map_or(Ok(()), |token| token::delete(folder, &token))
    }

    fn read(&self) -> Result<(&Path, Stored), ServersError> {
        let folder = self.folder.as_deref().ok_or(ServersError::NoPlace)?;
        Ok((folder, Stored::read(folder)?))
    }
}
