//! The two records that the root key signs: what the repository is, and which keys count in it.

use std::{fmt, str::FromStr};

use backup_model::{Digest, JobName, RepositoryId, Seq};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::check;
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
        let forgets = removals.filter_map(|removal| removal.forget);
        forgets.max_by_key(|forget| forget.version)
    }

    /// The newest prune that a removal names. A repository that has no such generation was rolled
    /// back.
    pub fn pinned_prune(&self) -> Option<LastPrune> {
        let removals = self.writers.iter().filter_map(|w| w.removed.as_ref());
        let prunes = removals.filter_map(|removal| removal.prune);
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

/// What a writer key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sessions and snapshots.
    Write,
    /// Fences, forgets and prunes.
    Maintain,
    /// Proofs.
    Prove,
}

/// A key that signs records of jobs. Its roles and jobs never change, or what it signed would lose
/// its ground: who shall do less is removed, and comes again with another key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Writer {
    /// A name, spelled as a job's.
    pub name: JobName,
    /// The key.
    pub key: PublicKey,
    /// What it may sign.
    pub roles: Vec<Role>,
    /// For which jobs; `None` for all.
    pub jobs: Option<Vec<JobName>>,
    /// Since when.
    pub from: Timestamp,
    /// Until when it may begin backups; what it signed stays valid.
    pub until: Option<Timestamp>,
    /// Set when it was taken out.
    pub removed: Option<Removal>,
}

impl Writer {
    /// Whether it has a role for a job.
    pub fn may(&self, role: Role, job: &JobName) -> bool {
        let covers = self.jobs.as_ref().is_none_or(|jobs| jobs.contains(job));
        covers && self.roles.contains(&role)
    }

    /// Whether it has the role to forget and prune: what is of the whole repository.
    pub fn maintains_all(&self) -> bool {
        self.jobs.is_none() && self.roles.contains(&Role::Maintain)
    }

    /// Whether a record of its, once in the repository, still counts.
    pub fn counts(&self, job: &JobName, seq: Seq) -> bool {
        let last = |removal: &Removal| removal.last.iter().find(|l| &l.job == job).map(|l| l.seq);
        self.removed
            .as_ref()
            .is_none_or(|removal| last(removal).is_some_and(|last| seq <= last))
    }

    /// After a removal: the digest that the last record accepted for a job must have, if this is
    /// its number. Those before it are held by the chain.
    pub fn accepted(&self, job: &JobName, seq: Seq) -> Option<Digest> {
        let mut last = self.removed.iter().flat_map(|removal| &removal.last);
        last.find(|last| last.job == *job && last.seq == seq)
            .map(|last| last.sha256)
    }

    /// Whether a forget that it signed counts: all do until it is removed, then those up to the one
    /// that was the newest. That one's digest is [`TrustRecord::pinned_forget`]'s to compare.
    /// Whether it has the role is asked apart, of a removed writer too.
    pub fn forget_counts(&self, version: u64) -> bool {
        self.removed.as_ref().is_none_or(|removal| {
            let pinned = removal.forget.as_ref();
            pinned.is_some_and(|forget| version <= forget.version)
        })
    }

    /// Whether a record of a prune that it signed counts: after its removal, those of earlier
    /// prunes, and of the one that was the newest those that were there. Whether it has the role
    /// is asked apart, of a removed writer too.
    pub fn prune_counts(&self, generation: u64, part: PrunePart, digest: Digest) -> bool {
        self.removed.as_ref().is_none_or(|removal| {
            removal.prune.as_ref().is_some_and(|newest| {
                generation < newest.generation
                    || generation == newest.generation && newest.digest(part) == Some(digest)
            })
        })
    }
}

/// A writer's removal: what is in the repository from it, or under it, and goes on to count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// When.
    pub at: Timestamp,
    /// The last record accepted from it, for each job; none for jobs not listed.
    pub last: Vec<LastRecord>,
    /// The newest forget, whoever signed it; for a maintainer of the whole repository.
    pub forget: Option<LastForget>,
    /// The newest prune, whoever signed it; for a maintainer of the whole repository.
    pub prune: Option<LastPrune>,
}

/// The newest forget when a maintainer was removed. A forget says all, so this one and no older
/// one is needed; those before it count as long as readers come past them to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastForget {
    /// Its version.
    pub version: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// The newest prune when a maintainer was removed. All before it are done. Of this one, the
/// records named here are those that are accepted; what it still lacks, somebody else must sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastPrune {
    /// Its generation.
    pub generation: u64,
    /// The digest of its plan.
    pub plan: Digest,
    /// The digest of its final, if there was one.
    #[serde(rename = "final")]
    pub last: Option<Digest>,
    /// The digest of its done, if there was one.
    pub done: Option<Digest>,
}

/// One of the three records of a prune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrunePart {
    /// What it may delete.
    Plan,
    /// What it deletes.
    Final,
    /// That it is done.
    Done,
}

impl LastPrune {
    fn digest(&self, part: PrunePart) -> Option<Digest> {
        match part {
            PrunePart::Plan => Some(self.plan),
            PrunePart::Final => self.last,
            PrunePart::Done => self.done,
        }
    }
}

/// The last record accepted from a removed writer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastRecord {
    /// The job.
    pub job: JobName,
    /// Its number.
    pub seq: Seq,
    /// Its digest.
    pub sha256: Digest,
}

#[cfg(test)]
mod tests;
