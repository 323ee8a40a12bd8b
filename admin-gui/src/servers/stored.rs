//! The list as it lies in its file.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Listed, ServersError};

const FILE: &str = "servers.toml";
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u32,
    /// The one that was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
    #[serde(default, rename = "server", skip_serializing_if = "Vec::is_empty")]
    pub(super) servers: Vec<StoredServer>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredServer {
    pub(super) name: String,
    pub(super) address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pin: Option<String>,
    /// The file of its token, from the folder of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<PathBuf>,
}

/// What a program of any version says first.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Stored {
    /// Reads it; one that is not there is empty.
    pub(super) fn read(folder: &Path) -> Result<Self, ServersError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    version: VERSION,
                    last: None,
                    servers: Vec::new(),
                });
            }
            Err(source) => return Err(ServersError::Read { path, source }),
        };
        let syntax = |source| ServersError::Syntax {
            path: path.clone(),
            source,
        };
        let Version { version } = toml::from_str(&text).map_err(syntax)?;
        if version != VERSION {
            let found = version;
            return Err(ServersError::Newer { path, found });
        }
        toml::from_str(&text).map_err(syntax)
    }

    /// Writes it anew.
    pub(super) fn write(&self, folder: &Path) -> Result<(), ServersError> {
        // All of it is text, numbers and lists.
        let text = toml::to_string(self).unwrap_or_default();
        make_folder(folder)?;
        write_whole(folder, FILE, text.as_bytes())
    }

    pub(super) fn get(&self, name: &str) -> Result<&StoredServer, ServersError> {
        let mut servers = self.servers.iter();
        let found = servers.find(|server| server.name == name);
        found.ok_or_else(|| ServersError::Unknown(name.to_owned()))
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Result<&mut StoredServer, ServersError> {
        let mut servers = self.servers.iter_mut();
        let found = servers.find(|server| server.name == name);
        found.ok_or_else(|| ServersError::Unknown(name.to_owned()))
    }
}

impl StoredServer {
    pub(super) fn check(&self) -> Result<Listed, ServersError> {
        let wrong = |what| ServersError::Server {
            name: self.name.clone(),
            what,
        };
        let pin = self.pin.as_deref().map(str::parse).transpose();
        let is_file_name = |path: &PathBuf| path.parent() == Some(Path::new(super::token::FOLDER));
        if !self.token.as_ref().is_none_or(is_file_name) {
            return Err(wrong("a token file"));
        }
        Ok(Listed {
            name: self.name.clone(),
            address: self.address.parse().map_err(|_| wrong("an address"))?,
            pin: pin.map_err(|_| wrong("a pin"))?,
        })
    }
}

/// Makes a folder that is its owner's alone; one that is there stays as it is.
pub(super) fn make_folder(folder: &Path) -> Result<(), ServersError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| ServersError::Write {
        path: folder.to_owned(),
        source,
    })
}

/// Puts a file for its owner only into the place of another, and makes that durable.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), ServersError> {
    let path = folder.join(name);
    let write = || -> io::Result<()> {
        // Mode 0600.
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| ServersError::Write {
        path: path.clone(),
        source,
    })
}
