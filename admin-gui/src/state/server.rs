//! The servers, as far as the window knows them: which one is asked, which others there are, and
//! how it stands with going to another. Their files and tokens are not its concern.

use std::path::PathBuf;

use backup_model::Failure;
use backupd_api::{Address, Fingerprint, Target};

use super::{Secret, SetUp};

/// The daemon that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it is, as a person would write it.
    pub address: String,
    /// Whether it has shown by a key or a certificate who it is, or is reached by a socket.
    pub is_secure: bool,
    /// The key that it must have.
    pub pin: Option<Fingerprint>,
    /// How the window came to it.
    pub origin: Origin,
}

/// How the window came to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was started with it.
    Start,
    /// Somebody added it under this name.
    Listed(String),
    /// It was started by this window for a repository alone, whose address this is.
    Private(String),
}

impl Server {
    /// The one at a target.
    pub fn new(target: &Target, origin: Origin) -> Self {
        Self {
            address: target.address.to_string(),
            is_secure: !matches!(target.address, Address::Http(_)),
            pin: target.pin,
            origin,
        }
    }

    /// Its name in the list.
    pub fn name(&self) -> Option<&str> {
        match &self.origin {
            Origin::Listed(name) => Some(name),
            Origin::Start | Origin::Private(_) => None,
        }
    }

    /// The repository that it serves alone.
    pub fn repository(&self) -> Option<&str> {
        match &self.origin {
            Origin::Private(repository) => Some(repository),
            Origin::Start | Origin::Listed(_) => None,
        }
    }
}

/// A server that the window can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name in the list; none for the one that the window was started with.
    pub name: Option<String>,
    /// Where it is.
    pub address: String,
}

/// How it stands with going to another server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Way {
    /// Nobody wants to.
    #[default]
    Here,
    /// It is tried.
    Trying,
    /// It did not work.
    Refused(Failure),
}

/// What somebody wants with the servers.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerAct {
    /// To go to one: by its name, or to the one that the window was started with.
    Switch(Option<String>),
    /// To add one and go there, if it answers.
    Add(NewServer),
    /// To forget one.
    Forget(String),
    /// To take another key for a server's own.
    Trust(String, Fingerprint),
    /// To go to a repository that no server looks after.
    Recover(Recovery),
    /// To set this machine up, and to go to its own daemon.
    SetUp(Box<SetUp>),
    /// To go to this machine's own daemon, which is started.
    Start,
    /// Not to wait any more for what is tried.
    GiveUp,
}

/// A server that somebody adds, as it was typed.
#[derive(Clone, Debug, PartialEq)]
pub struct NewServer {
    /// What to call it.
    pub name: String,
    /// Where it is.
    pub address: Address,
    /// Our token there.
    pub token: Option<Secret>,
    /// The key that it must have.
    pub pin: Option<Fingerprint>,
}

/// A repository that somebody opens.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// Where it is, and what it must be signed by.
    pub from: RecoverFrom,
    /// How its bucket is reached, if it is in one; the kit's word counts where nothing is typed.
    pub storage: StorageAccess,
}

/// What says where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoverFrom {
    /// The file of a recovery kit, on the machine of the window.
    Kit(PathBuf),
    /// Somebody who knows.
    Hand {
        /// The repository's address.
        location: String,
        /// Its root public key.
        root: String,
    },
}

/// How a bucket is reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StorageAccess {
    /// Its server, where it is not Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// The name of the access key.
    pub key_id: Option<String>,
    /// The access key's secret.
    pub secret_key: Option<Secret>,
}
