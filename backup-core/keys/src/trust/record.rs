//! The two records that the root key signs: what the repository is, and which keys count in it.

use std::{fmt, str::FromStr};

use backup_model::{Digest, JobName, RepositoryId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LastForget, LastPrune, Writer, check};
use crate::{PublicKey, RecordKind};

/// `repository.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "repository")]
pub struct RepositoryRecord {
    /// The format's version.
    pub format: u32,
    /// The repository's id.
    pub repository: RepositoryId,
    /// When it was made.
    pub created: Timestamp,
    /// The key that signs this record and all trust records.
    pub root: PublicKey,
    /// Stored size at which writers close a pack.
    pub pack_bytes: u64,
    /// Decompressed size at which writers close a block.
    pub block_bytes: u64,
}

impl RecordKind for RepositoryRecord {}

impl RepositoryRecord {
    /// The format that this program reads and writes.
    pub const FORMAT: u32 = 0;
}

/// `trust/<version>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "trust")]
pub struct TrustRecord {
    /// The repository's id.
    pub repository: RepositoryId,
    /// 1, 2, 3, … without a gap.
    pub version: u64,
    /// Digest of the version before; of `repository.json` for the first.
    pub prev: Digest,
    /// When it was signed.
    pub created: Timestamp,
    /// Who can open epochs.
    pub administrators: Vec<Administrator>,
    /// The epochs, from 1; the last is current.
    pub epochs: Vec<Epoch>,
    /// Who may sign what.
    pub writers: Vec<Writer>,
}

impl RecordKind for TrustRecord {}

impl TrustRecord {
    /// The epoch that new data is encrypted for.
    pub fn current_epoch(&self) -> Option<&Epoch> {
        self.epochs.last()
    }

    /// The epoch with a number.
    pub fn epoch(&self, number: u64) -> Option<&Epoch> {
        self.epochs.iter().find(|epoch| epoch.number == number)
    }

    /// The writer with a key id, removed or not.
    pub fn writer(&self, key_id: [u8; 8]) -> Option<&Writer> {
        self.writers
            .iter()
            .find(|writer| writer.key.key_id() == key_id)
    }

    /// The newest forget that a removal names. A repository whose newest is older was rolled back,
    /// and the one of this version must have this digest, whoever signed it.
    // The highest is enough: those before it are only read on the way to it.
    pub fn pinned_forget(&self) -> Option<LastForget> {
        let removals = self.writers.iter().filter_map(|w| w.removed.as_ref());
        let forgets = removals.filter_map(|removal| removal.accepted.forget);
        forgets.max_by_key(|forget| forget.version)
    }

    /// The newest prune that a removal names. A repository that has no such generation was rolled
    /// back.
    pub fn pinned_prune(&self) -> Option<LastPrune> {
        let removals = self.writers.iter().filter_map(|w| w.removed.as_ref());
        let prunes = removals.filter_map(|removal| removal.accepted.prune);
        prunes.max_by_key(|prune| prune.generation)
    }

    /// What it says that no administrator can have meant.
    pub fn broken_rule(&self) -> Option<&'static str> {
        check::broken_rule(self)
    }

    /// The administrator of a name.
    pub fn administrator(&self, name: &JobName) -> Option<&Administrator> {
        self.administrators.iter().find(|a| a.name == *name)
    }
}

/// Somebody who can open epochs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// A name, spelled as a job's.
    pub name: JobName,
    /// What kind of key it is.
    pub kind: AdministratorKind,
    /// The age recipient; `None` for a passphrase.
    pub recipient: Option<String>,
    /// Since when.
    pub added: Timestamp,
}

/// What kind of key an administrator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdministratorKind {
    /// An age X25519 identity.
    X25519,
    /// An age passphrase.
    Passphrase,
    /// An SSH key.
    Ssh,
    /// An age plugin, a hardware key for example.
    Plugin,
}

impl AdministratorKind {
    const ALL: [Self; 4] = [Self::X25519, Self::Passphrase, Self::Ssh, Self::Plugin];

    /// Its word in records and kits.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X25519 => "x25519",
            Self::Passphrase => "passphrase",
            Self::Ssh => "ssh",
            Self::Plugin => "plugin",
        }
    }
}

impl fmt::Display for AdministratorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The word is none of a kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of key; they are x25519, passphrase, ssh and plugin")]
pub struct UnknownKind;

impl FromStr for AdministratorKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// A time during which data is encrypted to one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// 1, 2, 3, …
    pub number: u64,
    /// The age recipient of everything in it.
    pub recipient: String,
    /// Since when.
    pub created: Timestamp,
    /// Proves that an identity opens this epoch.
    pub canary: CanaryFile,
    /// The epoch's identity, once for each administrator. Only files listed here count.
    pub keys: Vec<KeyFile>,
}

/// `keys/<epoch>/canary.age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryFile {
    /// Its size.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// The digest of its plaintext.
    pub opens_to: Digest,
}

/// `keys/<epoch>/<administrator>-<number>.age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// Whose.
    pub administrator: JobName,
    /// Counts the files of one administrator in one epoch.
    pub number: u64,
    /// Its size.
    pub size: u64,
    /// Its digest.
    pub sha256: Digest,
    /// When the administrator last decrypted the canary with it.
    pub tested: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
